//! Decides what an image holds and whether that may be delivered: package databases to SBOM to advisories to verdict.
//!
//! *Invariants*: synchronous, no network, no clock, no registry or Kubernetes types.
//! Everything read here (layers, advisories, reports) is hostile input with named bounds.
//! What could not be read is an error and what could not be judged is a [`Coverage`] of its own: neither is ever a clean result.
//!
//! *Where to start*: [`inventory`] (layers to packages), [`matching::coverage`] and [`matching::findings`]
//! (packages and [`Database`] to findings), [`Gate::judge`] (findings to verdict).

pub mod advisories;
mod apk;
mod dpkg;
mod ecosystem;
mod gate;
mod inventory;
pub mod layers;
pub mod matching;
mod os_release;
mod osv;
pub mod sbom;
mod severity;
pub mod trivy;
pub mod version;

pub use advisories::Database;
pub use gate::{Counts, Gate, ParseGateError, Verdict};
pub use inventory::{Distribution, Inventory, Manager, Package, inventory, inventory_within};
pub use layers::{Layer, Limits};
pub use matching::{Coverage, Finding};
pub use severity::Severity;
