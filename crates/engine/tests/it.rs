//! Runs whole workflows: against the recordings of a real Argo, and against what a template may try.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::format_collect,
    clippy::format_push_string,
    reason = "test code"
)]

#[path = "it/harness.rs"]
mod harness;
#[path = "it/hostile.rs"]
mod hostile;
#[path = "it/pods.rs"]
mod pods;
#[path = "it/recordings.rs"]
mod recordings;
#[path = "it/refused.rs"]
mod refused;
#[path = "it/seed.rs"]
mod seed;
#[path = "it/workflows.rs"]
mod workflows;
