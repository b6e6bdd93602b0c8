//! The kinds of arc.opendefense.cloud/v1alpha1 and the Argo objects ARC writes.
