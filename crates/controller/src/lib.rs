//! The operator: keeps what exists in a cluster equal to what its orders ask for.
//!
//! # Invariants
//!
//! Nothing is decided here: every rule is a pure function of `arc-core`, and this crate reads its input from local
//! stores, calls it, and writes what it says.
//! A pass of a reconciler reads no API (the log of a failed pod excepted), and one that changes nothing sends nothing.
//!
//! # Where to start
//!
//! [`run()`], then `world` (what is known of the cluster), `queue` (what to look at next), `order` and
//! `artifact_workflow` (the two reconcilers, each a table of contents).

mod artifact_workflow;
mod clock;
mod context;
mod endpoint;
mod error;
pub mod lease;
mod log;
pub mod metrics;
mod options;
mod order;
pub mod preflight;
mod queue;
mod run;
pub mod serve;
mod wait;
mod world;
mod write;

pub use crate::{
    lease::run_elected,
    metrics::Metrics,
    options::Options,
    run::{Error, run},
};
