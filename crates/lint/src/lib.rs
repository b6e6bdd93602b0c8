//! Judges manifests before anybody applies them: documents in, findings out.
//!
//! # Invariants
//!
//! Nothing here reads a file, asks a cluster or fails: text that cannot be read is a [`Finding`] too, with its place.
//! What an order means is decided by `arc-core`, what one machine can run by `arc-engine`, what a policy is by
//! `arc-evidence`; the rules of this crate are about what these cannot see: the text, the containers, the habits.
//! A finding names its rule, and [`RULES`] says about each why it matters; `docs/lint.md` is written from it.
//!
//! # Where to start
//!
//! [`lint`], then `rules` for what is looked for, then `template` for the containers of a pipeline.

mod artifact_type;
mod endpoint;
mod finding;
mod judge;
mod object;
mod order;
mod place;
mod policy;
pub mod render;
mod rules;
mod schema;
mod source;
mod suppress;
mod template;
mod world;

pub use finding::Finding;
pub use judge::{Report, lint, namespaces};
pub use policy::parse as parse_policy;
pub use rules::{RULES, Rule, Severity};
pub use source::{Origin, Source};
