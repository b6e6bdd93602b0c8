//! Finds evidence that holds only in its legacy form although bundles are there.
//!
//! Who can write to a repository can break or remove a bundle and leave the older `.sig` and `.att` tags behind.
//! cosign 3 looks at tags only where no bundle is; here, too, nothing that is asked for may hold only in a tag beside
//! bundles that are the signer's or may be. Bundles that name other keys are other people's, such as upstream's, and
//! ours where upstream is judged. Where no bundle is left at all the image looks like one that cosign 2 signed: then
//! what holds was signed for this digest all the same, and age and log policies are what finds old evidence.

use super::{
    Policy,
    report::{Item, Origin, Problem, Report},
};
use crate::predicate::PREDICATE_VULN;

/// Returns a problem for everything the policy asks for that was downgraded.
pub(super) fn judge(report: &Report, policy: &Policy) -> Vec<Problem> {
    let all = report.signatures.iter().chain(&report.attestations);
    let bundles = all.filter(|item| is_bundle(item) && !item.is_somebody_elses()).count();
    if bundles == 0 {
        return Vec::new();
    }
    let mut problems = Vec::new();
    if policy.require_signature && holds_only_legacy(report.signatures.iter()) {
        problems.push(Problem::Downgrade { what: "signature".to_owned(), bundles });
    }
    let mut required = policy.require.clone();
    required.extend(policy.scan.as_ref().map(|_| PREDICATE_VULN.to_owned()));
    for predicate_type in required {
        if holds_only_legacy(report.held(&predicate_type)) {
            problems.push(Problem::Downgrade { what: format!("{predicate_type:?}"), bundles });
        }
    }
    problems
}

fn holds_only_legacy<'a>(items: impl Iterator<Item = &'a Item>) -> bool {
    let mut held = items.filter(|item| item.held()).peekable();
    held.peek().is_some() && !held.any(is_bundle)
}

fn is_bundle(item: &Item) -> bool {
    item.origin == Origin::Bundle
}
