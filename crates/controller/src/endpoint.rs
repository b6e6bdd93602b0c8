//! The reconciler of endpoints.
