//! The embedded OCI registry: for the demo, for hand-over across an air gap, for tests.
