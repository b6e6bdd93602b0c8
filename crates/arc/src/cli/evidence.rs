//! The arguments of the commands that judge evidence: verify, audit.

use std::path::PathBuf;

use clap::Args;

use super::{Output, RegistryAccess};

#[derive(Debug, Args)]
#[command(
    after_help = "Without --policy and --require, a signature, slsaprovenance1 and a passing scan (vuln) are required.
A policy file holds the parameters of a ClusterArtifactType; options win over it:
  parameters:
  - {name: verifyPredicateTypes, value: \"slsaprovenance1,vuln,vsa\"}
  - {name: verifyMaxScanAge, value: 7d}
  - {name: scanSeverity, value: \"HIGH,CRITICAL\"}

Examples:
  arc verify registry.example/team/alpine:3.18 --key cosign.pub
  arc verify registry.example/team/alpine:3.18 --policy policy.yaml --platforms -o json
  arc verify oci:./layout:3.18 --key cosign.pub --require vsa --max-scan-age 7d --order 'team-a/*'"
)]
pub(crate) struct Verify {
    /// registry/repository:tag or @digest; http:// before it for a registry without TLS. Or an image layout:
    /// oci:FOLDER, oci:FOLDER:NAME, oci:FOLDER@DIGEST.
    pub(crate) reference: String,
    #[command(flatten)]
    pub(crate) demands: Demands,
    /// Of an index, verify each platform's manifest too: its SBOM attestation must be valid.
    #[arg(long)]
    pub(crate) platforms: bool,
    #[command(flatten)]
    pub(crate) registry: RegistryAccess,
    /// How to print the outcome.
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Output,
}

/// What must hold; each option stands for a parameter of a policy.
#[derive(Debug, Args)]
pub(crate) struct Demands {
    /// Public key file; may be repeated, any of them may have signed.
    #[arg(long, required_unless_present = "policy", value_name = "FILE")]
    pub(crate) key: Vec<PathBuf>,
    /// Policy file.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Attestation that must be valid: vuln, cyclonedx, spdxjson, slsaprovenance1, vsa, or a URI; may be repeated.
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    pub(crate) require: Vec<String>,
    /// Severities that the scan must not have found. Default: those the scan itself was gated on.
    #[arg(long, value_name = "LIST")]
    pub(crate) severity: Option<String>,
    /// Oldest acceptable scan, such as 24h, 7d or 1h30m; a bare number means hours.
    #[arg(long, value_name = "DURATION")]
    pub(crate) max_scan_age: Option<String>,
    /// The builder.id that the provenance must name.
    #[arg(long, value_name = "URI")]
    pub(crate) builder: Option<String>,
    /// The order that the same provenance must name; * stands for any characters.
    #[arg(long, value_name = "NAMESPACE/NAME")]
    pub(crate) order: Option<String>,
    /// Public key file of a transparency log, which must hold everything that counts; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) log_key: Vec<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  arc audit registry.example/team/alpine:3.18 --key cosign.pub
  arc audit oci:./layout:3.18 --key cosign.pub --export ./evidence && sh ./evidence/recheck.sh")]
pub(crate) struct Audit {
    /// registry/repository:tag or @digest, or an image layout: oci:FOLDER, oci:FOLDER:NAME, oci:FOLDER@DIGEST.
    pub(crate) reference: String,
    /// Public key file; may be repeated. Only what one of these keys signed is told.
    #[arg(long, required = true, value_name = "FILE")]
    pub(crate) key: Vec<PathBuf>,
    /// Public key file of a transparency log; may be repeated. Without it no log entry is looked at.
    #[arg(long, value_name = "FILE")]
    pub(crate) log_key: Vec<PathBuf>,
    /// Write everything that was looked at into this folder, with a report and a script that checks it without ARC.
    #[arg(long, value_name = "DIR")]
    pub(crate) export: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) registry: RegistryAccess,
    /// How to print the story.
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Output,
}
