//! Keys, signatures, attestations and their verification. Formats only, no network.
//!
//! # Invariants
//! - No network, no async, no clock: times and evidence are passed in; only [`keys::KeyFiles::read`] touches a file.
//! - The same key and the same input give the same bytes (RFC 6979, fixed key order), so a step that runs again pushes nothing new.
//! - Verification fails closed, and never uses a statement before its signature held.
//! - Everything read from a registry is hostile: each size and count is bounded in [`limits`].
//!
//! # Where to start
//! [`SigningKey`], then [`bundle::referrer`] and [`legacy::append_signature`], then [`verify::verify`] with a
//! [`Policy`], usually one from parameters ([`verify::PolicyFile`]). [`transparency`] is optional in both directions.

pub mod artifact;
pub mod bundle;
pub mod digest;
pub mod dsse;
mod encoding;
pub mod keys;
pub mod legacy;
pub mod limits;
pub mod predicate;
pub mod scan_result;
pub mod simple_signing;
pub mod statement;
pub mod transparency;
pub mod verify;

pub use artifact::{Descriptor, OciArtifact};
pub use bundle::Bundle;
pub use dsse::Envelope;
pub use keys::{KeyFiles, KeyInfo, PublicKey, Signer, SigningKey};
pub use scan_result::{Counts, ScanFinding, ScanResult, ScanVerdict, Severity};
pub use statement::{Statement, Subject};
pub use transparency::{LogEntry, LogKey};
pub use verify::{Evidence, Policy, Report};
