//! Runs Argo workflow templates on one machine.
