//! Harness: servers, peers and fixtures for the integration tests.
//!
//! *Invariants.* It does not use the code under test to prepare or to judge, except the embedded registry's routes.
//! Everything listens on loopback, lives in temporary folders, and is gone when its value is dropped.
//!
//! *Where to start.* [`lying::LyingRegistry`], [`images::Content`], [`arc::Arc`], [`peers::require`].
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "test code: whatever goes wrong here ends the test"
)]

pub mod arc;
pub mod certs;
pub mod client;
pub mod images;
pub mod lying;
pub mod peers;
pub mod rekor;

/// The one account that servers of this harness know.
pub const USERNAME: &str = "arc-test";
/// Its password.
pub const PASSWORD: &str = "correct horse battery staple";
