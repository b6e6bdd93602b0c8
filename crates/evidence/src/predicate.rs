//! Predicates: what attestations say. Typed builders that return JSON, and the URIs that name them.

mod provenance;
mod summary;
mod vuln;

pub use self::{
    provenance::{Order, Provenance, ResourceDescriptor, slsa_provenance},
    summary::{
        LEVEL_SCAN_PASSED, LEVEL_SOURCE_VERIFIED, VerificationResult, VerificationSummary, vsa,
    },
    vuln::{Database, Invocation, Metadata, Scanner, Vuln, vuln},
};

/// The signature itself, as a statement (`cosign sign` 3).
pub const PREDICATE_SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";
/// Vulnerability scan (`cosign … --type vuln`).
pub const PREDICATE_VULN: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";
/// CycloneDX SBOM (`cosign … --type cyclonedx`).
pub const PREDICATE_CYCLONEDX: &str = "https://cyclonedx.org/bom";
/// SPDX SBOM (`cosign … --type spdxjson`).
pub const PREDICATE_SPDX: &str = "https://spdx.dev/Document";
/// SLSA provenance v1 (`cosign … --type slsaprovenance1`).
pub const PREDICATE_SLSA_PROVENANCE: &str = "https://slsa.dev/provenance/v1";
/// SLSA verification summary (`cosign … --type` with the URI itself).
pub const PREDICATE_VSA: &str = "https://slsa.dev/verification_summary/v1";

/// The `buildType` of ARC's provenance: the transfer of one artifact of an order.
pub const BUILD_TYPE: &str = "https://arc.opendefense.cloud/buildtypes/order/v1";
/// The `builder.id` of ARC's provenance.
pub const BUILDER_ID: &str = "https://arc.opendefense.cloud/builder/v1";
/// The `builder.id` of ARC's vulnerability attestation.
pub const SCAN_BUILDER_ID: &str = "https://arc.opendefense.cloud/scan/v1";
/// The `verifier.id` of ARC's verification summaries.
pub const VERIFIER_ID: &str = "https://arc.opendefense.cloud/verifier/v1";
