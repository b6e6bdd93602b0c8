//! Judges the newest vulnerability attestation that holds.
//!
//! The newest decides: a scan that found something is not outvoted by an older clean one. An attestation by a
//! trusted key that cannot be judged could be that newest one, so it refuses.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::{
    policy::ScanPolicy,
    report::{Item, Problem, Report, ScanSummary},
};
use crate::{
    predicate::PREDICATE_VULN,
    scan_result::{Counts, ScanResult, ScanVerdict, Severity},
};

/// How far the clocks of the scanning and the verifying machine may differ.
pub(super) const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

#[derive(Deserialize)]
struct Predicate {
    scanner: Scanner,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Scanner {
    result: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    scan_finished_on: Timestamp,
}

/// The part of a Trivy report that counts; other scanners' reports are not judged.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TrivyReport {
    #[serde(rename = "SchemaVersion")]
    _schema_version: u32,
    #[serde(default)]
    results: Vec<TrivyResult>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TrivyResult {
    #[serde(default)]
    vulnerabilities: Option<Vec<TrivyVulnerability>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TrivyVulnerability {
    severity: Severity,
}

/// Returns the scan that decides, and what is wrong with it.
pub(super) fn judge(
    report: &Report,
    policy: &ScanPolicy,
    now: Timestamp,
) -> (Option<ScanSummary>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut scans = Vec::new();
    for item in report.held(PREDICATE_VULN) {
        match read(item) {
            Ok(scan) => scans.push(scan),
            Err(why) => problems.push(Problem::UnjudgedScan { digest: item.digest.clone(), why }),
        }
    }
    let Some(newest) = scans.iter().map(|scan| scan.finished_on).max() else {
        if problems.is_empty() {
            problems.push(Problem::MissingScan);
        }
        return (None, problems);
    };
    // The same scan is there as bundle and as legacy layer; others of the same moment are judged, too.
    scans.retain(|scan| scan.finished_on == newest);
    scans.dedup_by(|copy, first| (copy.verdict, copy.counts) == (first.verdict, first.counts));
    let judged: Vec<_> = scans.iter().map(|scan| judge_findings(scan, policy)).collect();
    let decisive = judged.iter().position(|found| !found.is_empty()).unwrap_or_default();
    problems.extend(judged.into_iter().flatten());
    problems.extend(judge_age(newest, policy, now));
    (scans.into_iter().nth(decisive), problems)
}

fn read(item: &Item) -> Result<ScanSummary, String> {
    let predicate = item.statement.as_ref().map_or(&Value::Null, |statement| &statement.predicate);
    let predicate = Predicate::deserialize(predicate).map_err(|error| error.to_string())?;
    let (verdict, counts) = match ScanResult::deserialize(&predicate.scanner.result) {
        Ok(result) => match result.contradiction() {
            Some(contradiction) => return Err(contradiction),
            None => (Some(result.verdict), result.counts),
        },
        Err(error) => {
            (None, trivy_counts(&predicate.scanner.result).ok_or_else(|| error.to_string())?)
        }
    };
    let finished_on = predicate.metadata.scan_finished_on;
    Ok(ScanSummary { digest: item.digest.clone(), finished_on, verdict, counts })
}

fn trivy_counts(result: &Value) -> Option<Counts> {
    let report = TrivyReport::deserialize(result).ok()?;
    let findings = report.results.iter().flat_map(|result| result.vulnerabilities.iter().flatten());
    Some(Counts::from_severities(findings.map(|finding| finding.severity)))
}

fn judge_findings(scan: &ScanSummary, policy: &ScanPolicy) -> Vec<Problem> {
    let digest = || scan.digest.clone();
    let mut problems = Vec::new();
    match scan.verdict {
        Some(ScanVerdict::Refused) => problems.push(Problem::ScanRefused { digest: digest() }),
        None if policy.gate.is_empty() => {
            let why = "it carries no verdict, and the policy names no severities".to_owned();
            problems.push(Problem::UnjudgedScan { digest: digest(), why });
        }
        Some(ScanVerdict::Passed) | None => {}
    }
    for severity in policy.gate.iter().rev() {
        let count = scan.counts.of(*severity);
        if count > 0 {
            problems.push(Problem::TooSevere { severity: *severity, count, digest: digest() });
        }
    }
    problems
}

fn judge_age(finished_on: Timestamp, policy: &ScanPolicy, now: Timestamp) -> Option<Problem> {
    let age = now.duration_since(finished_on);
    if age < -CLOCK_SKEW {
        return Some(Problem::ScanFromFuture { finished_on });
    }
    let max_age = policy.max_age?;
    let too_old = age > SignedDuration::try_from(max_age).unwrap_or(SignedDuration::MAX);
    too_old.then_some(Problem::ScanTooOld { finished_on, max_age_seconds: max_age.as_secs() })
}
