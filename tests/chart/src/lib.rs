//! Renders the Helm chart without helm, for the tests that hold chart, code and plain manifests to each other.
//!
//! *Invariants.* It understands what the chart uses and refuses the rest: a function that is not in `functions`, a value
//! that `values.yaml` does not have (helm would silently print nothing), a document without a kind.
//! So the templates stay within what both understand; the list of functions is the limit.
//!
//! *Where to start.* [`Chart::open`], [`Chart::render`].
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "test code: whatever goes wrong here ends the test"
)]

mod chart;
mod functions;
pub mod rbac;
mod yaml;

pub use crate::chart::{Chart, Rendered};
pub use crate::yaml::{documents, to_yaml};

/// Folder of the repository.
pub fn repository() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}
