//! The step `scan`: reads the fetched image, offline, and judges every platform by the advisories.
//!
//! What cannot be scanned is never called clean: no database, a release the database does not speak about, a layer
//! that cannot be read, all stop the delivery.

mod inspect;
mod platforms;
mod reports;

use std::path::Path;

use arc_evidence::{Counts, ScanFinding, ScanResult, ScanVerdict};
use arc_oci::{Descriptor, Digest, Layout};
use arc_scan::{Finding, Inventory, Verdict, sbom};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::console::Console;
use crate::delivered::severities;
use crate::environment::Request;
use crate::error::Error;
use crate::fetch::note;
use crate::place::Place;
use crate::record::{self, FindingRecord, Outcome, Plan, ScanSummary, StepResult, seconds};
use platforms::Platform;
pub(crate) use platforms::is_attestation;

/// Findings that the attestation lists; the counts are complete.
const ATTESTED_FINDINGS: usize = 1000;
/// Findings that a status lists.
const REPORTED_FINDINGS: usize = 20;

/// `scan.json`: what the scan found, for `publish` to attest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Scan {
    /// The image that was scanned.
    pub(crate) root: Digest,
    pub(crate) started_at: Timestamp,
    pub(crate) completed_at: Timestamp,
    /// The scanner, as a URI.
    pub(crate) scanner: String,
    /// Digest of the scanner's program, where it is ours; of a foreign one only its report is known.
    pub(crate) program: Option<Digest>,
    /// Verdict, gate, counts, findings, database digest: as it is attested.
    pub(crate) result: ScanResult,
    /// When the newest advisory was changed, RFC 3339.
    pub(crate) database_newest: Option<String>,
    pub(crate) platforms: Vec<PlatformScan>,
}

/// One platform of the image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlatformScan {
    /// Its manifest.
    pub(crate) manifest: Descriptor,
    /// Whether it has packages that the advisories could speak about.
    pub(crate) is_scannable: bool,
    /// Its CycloneDX document.
    pub(crate) cyclonedx: serde_json::Value,
    /// Its SPDX document.
    pub(crate) spdx: serde_json::Value,
}

impl PlatformScan {
    fn new(platform: &Platform, inventory: &Inventory, is_scannable: bool, plan: &Plan) -> Self {
        let digest = platform.descriptor.digest.to_string();
        let subject = sbom::Subject { name: &plan.destination_repository, digest: &digest };
        let time = seconds(plan.started_at);
        Self {
            manifest: platform.descriptor.clone(),
            is_scannable,
            cyclonedx: sbom::cyclonedx(inventory, &subject, &time),
            spdx: sbom::spdx(inventory, &subject, &time),
        }
    }
}

impl Scan {
    /// Reads what `scan` left, and refuses what is not a passed scan of exactly this image.
    pub(crate) fn read(place: &Place, plan: &Plan) -> Result<Self, Error> {
        let scan: Self = record::read(&place.scan())?;
        if scan.root != plan.root.digest {
            let message =
                format!("the scan is of {}, the delivery of {}", scan.root, plan.root.digest);
            return Err(Error::Refused {
                message,
                hint: "run the steps of one delivery in one work folder".to_owned(),
            });
        }
        if scan.result.verdict != ScanVerdict::Passed || scan.result.contradiction().is_some() {
            let message = format!("{} did not pass the scan", plan.root.digest);
            return Err(Error::Refused {
                message,
                hint: "see the findings of the step scan".to_owned(),
            });
        }
        Ok(scan)
    }
}

/// What one way of scanning found, over all platforms.
pub(crate) struct Findings {
    scanner: String,
    program: Option<Digest>,
    database: String,
    database_newest: Option<String>,
    list: Vec<Finding>,
    platforms: Vec<PlatformScan>,
}

/// Runs the step. A refusal is a result as well as an error: what was found is written down first.
pub(crate) async fn run(
    request: &Request,
    place: &Place,
    console: Console,
) -> Result<StepResult, Error> {
    let plan: Plan = record::read(&place.plan())?;
    let result: StepResult = record::read(&place.result())?;
    if plan.outcome != Outcome::Planned {
        return Ok(result);
    }
    // Decompressing and reading layers is work for a thread of its own.
    let (request, place) = (request.clone(), place.clone());
    let work = tokio::task::spawn_blocking(move || scan(&request, &place, &plan, result, console));
    work.await.map_err(|source| Error::Task { what: "the scan", source })?
}

fn scan(
    request: &Request,
    place: &Place,
    plan: &Plan,
    mut result: StepResult,
    console: Console,
) -> Result<StepResult, Error> {
    let started_at = Timestamp::now();
    let layout = Layout::open(place.image())?;
    let platforms = platforms::platforms(&layout, &plan.root)?;
    let found = match &request.report {
        Some(report) => reports::read(&place.find(report), &layout, &platforms, plan)?,
        None => inspect::inspect(
            request,
            &database_path(request, place, plan),
            &layout,
            &platforms,
            plan,
        )?,
    };
    let verdict = request.gate.judge(&found.list);
    let scan = conclude(request, plan, started_at, found, &verdict);
    record::write(&place.scan(), &scan)?;
    result.scan = Some(summary(&scan));
    let sentence = sentence(&scan);
    console.say(&sentence);
    note(&mut result, "scan", started_at, sentence);
    if !verdict.is_refused() {
        return Ok(result);
    }
    for line in describe(&verdict.refused) {
        console.say(&line);
    }
    result.outcome = Outcome::Refused;
    record::write(&place.result(), &result)?;
    let message = format!(
        "{} is refused: {} findings of severity {}",
        result.source.reference,
        verdict.refused.len(),
        request.gate
    );
    let hint =
        "order a version with the fixes, or ask the security team to change the gate".to_owned();
    Err(Error::Refused { message, hint })
}

/// Where the advisories are: fetched from a registry, or as the parameter says.
fn database_path(request: &Request, place: &Place, plan: &Plan) -> std::path::PathBuf {
    match plan.database {
        Some(_) => place.fetched_advisories().join("content"),
        None => place.find(&request.database),
    }
}

fn conclude(
    request: &Request,
    plan: &Plan,
    started_at: Timestamp,
    found: Findings,
    verdict: &Verdict,
) -> Scan {
    let listed = found.list.iter().take(ATTESTED_FINDINGS);
    let counts = Counts {
        critical: verdict.counts.critical as u64,
        high: verdict.counts.high as u64,
        medium: verdict.counts.medium as u64,
        low: verdict.counts.low as u64,
        unknown: verdict.counts.unknown as u64,
    };
    Scan {
        root: plan.root.digest.clone(),
        started_at,
        completed_at: Timestamp::now(),
        scanner: found.scanner,
        program: found.program,
        result: ScanResult {
            verdict: if verdict.is_refused() { ScanVerdict::Refused } else { ScanVerdict::Passed },
            gate: severities(&request.gate),
            counts,
            database: found.database,
            findings: listed.map(attested).collect(),
        },
        database_newest: found.database_newest,
        platforms: found.platforms,
    }
}

fn attested(finding: &Finding) -> ScanFinding {
    ScanFinding {
        id: name(finding).to_owned(),
        package: finding.package.clone(),
        installed: finding.installed.clone(),
        fixed: finding.fixed.clone(),
        severity: finding.severity.as_str().parse().unwrap_or(arc_evidence::Severity::Unknown),
        url: Some(finding.url.clone()).filter(|url| !url.is_empty()),
    }
}

/// The name people know: the CVE number where the advisory has exactly one.
fn name(finding: &Finding) -> &str {
    let mut cves = finding.aliases.iter().filter(|alias| alias.starts_with("CVE-"));
    match (finding.id.starts_with("CVE-"), cves.next(), cves.next()) {
        (false, Some(cve), None) => cve,
        _ => &finding.id,
    }
}

fn summary(scan: &Scan) -> ScanSummary {
    let counts = &scan.result.counts;
    ScanSummary {
        critical: counts.critical,
        high: counts.high,
        medium: counts.medium,
        low: counts.low,
        unknown: counts.unknown,
        scanner: scan.scanner.clone(),
        database: scan.result.database.clone(),
        findings: scan.result.findings.iter().take(REPORTED_FINDINGS).map(reported).collect(),
    }
}

fn reported(finding: &ScanFinding) -> FindingRecord {
    FindingRecord {
        id: finding.id.clone(),
        package: finding.package.clone(),
        installed: finding.installed.clone(),
        fixed: finding.fixed.clone(),
        severity: finding.severity.as_str().to_owned(),
        url: finding.url.clone(),
    }
}

fn sentence(scan: &Scan) -> String {
    let counts = &scan.result.counts;
    format!(
        "scanned {} platforms: {} critical, {} high, {} medium, {} low, {} unknown",
        scan.platforms.len(),
        counts.critical,
        counts.high,
        counts.medium,
        counts.low,
        counts.unknown
    )
}

/// One line per refused finding: what, where, what to do.
fn describe(refused: &[Finding]) -> Vec<String> {
    let mut lines: Vec<_> = refused
        .iter()
        .map(|finding| {
            let fix = finding
                .fixed
                .as_ref()
                .map_or_else(|| "no fix yet".to_owned(), |fixed| format!("fixed in {fixed}"));
            let (severity, id) = (finding.severity.as_str(), name(finding));
            format!(
                "{severity} {id} in {} {}: {fix} {}",
                finding.package, finding.installed, finding.url
            )
        })
        .collect();
    // The platforms of one image mostly share their packages.
    lines.dedup();
    lines.truncate(REPORTED_FINDINGS);
    lines
}

/// An error about the database or a report.
fn failed(what: String, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Scan { what, source: source.into() }
}

/// Opens a blob of the layout for reading.
fn open(layout: &Layout, digest: &Digest) -> Result<std::fs::File, Error> {
    let path = layout.blob_path(digest);
    std::fs::File::open(&path).map_err(|source| Error::File {
        action: "read",
        path: Path::to_owned(&path),
        source,
    })
}
