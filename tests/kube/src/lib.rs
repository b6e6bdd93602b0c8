//! A Kubernetes API server in memory, for the tests of a controller.
//!
//! *Invariants.* What goes over the wire is what a real 1.35 API server sends: a test replays recorded conversations
//! and compares field by field. Where it cannot, that test says so by name.
//! One lock guards everything, so requests happen one after the other, as in etcd.
//!
//! *Left out.* Authentication, webhooks and admission policies, conversion between versions, protobuf and YAML bodies,
//! kinds that a controller of ours does not touch.
//!
//! *Where to start.* [`ApiServer`] for the server and its client, [`Fault`] for what goes wrong, [`argo`] for Argo's
//! kinds, [`player`] for Argo's part, and [`real`] for a real server where the machine has one.

mod access;
mod api_server;
pub mod argo;
mod builtin;
mod clock;
mod cluster;
mod definition;
mod delete;
mod discovery;
mod draft;
mod failure;
mod fault;
mod fields;
mod gc;
mod judge;
mod kind;
mod list;
mod log;
mod names;
mod options;
mod patch;
pub mod player;
mod random;
pub mod real;
mod record;
mod request;
mod schema;
mod selector;
mod serve;
mod server;
mod store;
mod table;
mod update;
mod verb;
mod watch;
mod write;

pub use crate::{
    access::Rule,
    api_server::ApiServer,
    fault::{Effect, Fault, Matching, Times},
    options::{GarbageCollection, Options},
    record::{Counts, Recorded},
    serve::Running,
    server::ConnectionClosed,
    verb::Verb,
};
