//! Judges how old evidence is, by the time its statement says, or else by the time its log promised.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{
    policy::Policy,
    report::{Item, Problem, Report},
    scan::CLOCK_SKEW,
};
use crate::predicate::{
    PREDICATE_CYCLONEDX, PREDICATE_SLSA_PROVENANCE, PREDICATE_SPDX, PREDICATE_VSA, PREDICATE_VULN,
};

/// SLSA provenance v0.2, which upstreams still write.
const PREDICATE_SLSA_PROVENANCE_V0_2: &str = "https://slsa.dev/provenance/v0.2";

/// Where each kind of statement says when it was made.
const TIMES: [(&str, &str); 6] = [
    (PREDICATE_VULN, "/metadata/scanFinishedOn"),
    (PREDICATE_SLSA_PROVENANCE, "/runDetails/metadata/finishedOn"),
    (PREDICATE_SLSA_PROVENANCE_V0_2, "/metadata/buildFinishedOn"),
    (PREDICATE_VSA, "/timeVerified"),
    (PREDICATE_CYCLONEDX, "/metadata/timestamp"),
    (PREDICATE_SPDX, "/creationInfo/created"),
];

/// Returns a problem for each required type whose newest evidence is too old, or of unknown age.
///
/// What is missing altogether is another problem, reported elsewhere.
pub(super) fn judge(report: &Report, policy: &Policy, now: Timestamp) -> Vec<Problem> {
    let Some(max_age) = policy.max_age else { return Vec::new() };
    let limit = SignedDuration::try_from(max_age).unwrap_or(SignedDuration::MAX);
    let problem = |what: &str, items: &[&Item]| {
        if items.is_empty() {
            return None;
        }
        let what = what.to_owned();
        let Some(time) = items.iter().filter_map(|item| time(item)).max() else {
            return Some(Problem::NoTime { what });
        };
        let age = now.duration_since(time);
        if age < -CLOCK_SKEW {
            Some(Problem::FromFuture { what, time })
        } else if age > limit {
            Some(Problem::TooOld { what, time, max_age_seconds: max_age.as_secs() })
        } else {
            None
        }
    };
    if policy.require.is_empty() {
        let held: Vec<_> = report.signatures.iter().filter(|item| item.held()).collect();
        return problem("signature", &held).into_iter().collect();
    }
    let of_type = |predicate_type: &String| {
        problem(predicate_type, &report.held(predicate_type).collect::<Vec<_>>())
    };
    policy.require.iter().filter_map(of_type).collect()
}

/// Returns when a piece of evidence was made, as its signer or its log says.
fn time(item: &Item) -> Option<Timestamp> {
    let stated = item.statement.as_ref().and_then(|statement| {
        let (_, path) = TIMES.into_iter().find(|(found, _)| *found == statement.predicate_type)?;
        statement.predicate.pointer(path).and_then(Value::as_str)?.parse().ok()
    });
    stated.or_else(|| item.log.as_ref()?.integrated_time)
}
