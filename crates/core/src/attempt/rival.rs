//! Two orders that want the same thing in the same place: one brings it, the other waits and finds it there.

use arc_api::{ArtifactWorkflow, Phase, Reason, labels};
use kube::ResourceExt;

/// Returns the artifact workflow that `of` has to wait for before it may begin: another one of the same namespace that
/// is bringing the same thing to the same place, or that was there earlier and is about to.
///
/// One that is suspended or lacks its Secret is not about to, so it holds up nobody.
pub fn rival<'a>(
    of: &ArtifactWorkflow,
    others: impl IntoIterator<Item = &'a ArtifactWorkflow>,
) -> Option<&'a str> {
    let delivery = of.labels().get(labels::DELIVERY)?;
    let rivals = others.into_iter().filter(|other| {
        other.labels().get(labels::DELIVERY) == Some(delivery)
            && other.metadata.namespace == of.metadata.namespace
            && other.metadata.name != of.metadata.name
            && other.metadata.deletion_timestamp.is_none()
            && (is_running(other) || is_about_to(other) && age(other) < age(of))
    });
    let first = rivals.min_by_key(|other| (!is_running(other), age(other)))?;
    first.metadata.name.as_deref()
}

type Age<'a> = (Option<jiff::Timestamp>, Option<&'a str>, Option<&'a str>);

/// What sorts objects by age, never two alike.
fn age(of: &ArtifactWorkflow) -> Age<'_> {
    let created = of.metadata.creation_timestamp.as_ref().map(|time| time.0);
    (created, of.metadata.uid.as_deref(), of.metadata.name.as_deref())
}

fn is_running(other: &ArtifactWorkflow) -> bool {
    other.status.as_ref().is_some_and(|status| status.phase == Some(Phase::Running))
}

/// One with a schedule begins when its time comes, not now.
fn is_about_to(other: &ArtifactWorkflow) -> bool {
    let status = other.status.as_ref().filter(|status| status.phase.is_some());
    let waits_for_turn = |reason: Option<&str>| {
        [Reason::Pending, Reason::SameDeliveryRunning]
            .iter()
            .any(|one| reason == Some(one.as_str()))
    };
    other.spec.cron.is_none()
        && status.is_none_or(|status| {
            status.phase == Some(Phase::Pending) && waits_for_turn(status.reason.as_deref())
        })
}
