//! Decides what should exist for an order. Pure: no client, no clock, no async.
//!
//! # Invariants
//!
//! Nothing here reads, writes, waits, logs or asks what time it is: the same input gives the same answer, in the
//! controller and on a laptop (clippy refuses the functions that would break this, see `.clippy.toml`).
//! Nothing here fails: what is wrong with the input is a [`Problem`] among the results, and one bad artifact never
//! stops its neighbours.
//! Collections that reach an object or a hash are sorted.
//!
//! # Where to start
//!
//! The story in order: [`validate()`] (order + [`Fetched`] → [`ValidatedOrder`]), [`plan()`] (→ [`Plan`] of artifact
//! workflows), [`hydrate()`] (→ Argo workflow), [`derive_status`] and [`derive_order_status`] (what became of it).

pub mod attempt;
pub mod duration;
pub mod endpoint;
pub mod exit_code;
pub mod expansion;
mod facts;
mod fetched;
pub mod flatten;
mod hydrate;
mod label;
mod life;
mod limits;
mod merge;
pub mod name;
mod plan;
mod problem;
pub mod redact;
pub mod schedule;
pub mod spec_schema;
mod status;
mod text;
mod validate;

pub use facts::RESERVED_PARAMETERS;
pub use fetched::{Fetched, TemplateParameters};
pub use hydrate::{DESTINATION_SECRET_VOLUME, SOURCE_SECRET_VOLUME, hydrate};
pub use life::{expires_at, missing, surplus};
pub use limits::Limits;
pub use merge::{Layer, PlannedParameter};
pub use plan::{Delivery, Plan, SharedArtifact, plan};
pub use problem::Problem;
pub use status::{derive_order_status, derive_status};
pub use text::nearest;
pub use validate::{
    ArtifactVerdict, ResolvedType, ValidatedArtifact, ValidatedEndpoint, ValidatedOrder, validate,
};
