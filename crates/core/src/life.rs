//! What comes and goes: artifact workflows to make, to keep and to delete, and the end of an order.

use std::collections::BTreeMap;

use arc_api::{ArtifactWorkflow, LocalObjectReference, Order, Phase, labels};
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;

use crate::duration;
use crate::merge::Layer;
use crate::plan::{Delivery, Plan};

/// Records of deliveries that an order no longer asks for, of which the newest are kept.
const KEPT_RECORDS: usize = 10;

/// Returns when `order` is deleted with everything made for it; never where its `ttl` is empty or `0`, or cannot be
/// read.
pub fn expires_at(order: &Order) -> Option<Timestamp> {
    let ttl = duration::parse(order.spec.ttl.as_deref()?).filter(|ttl| !ttl.is_zero())?;
    let created = order.metadata.creation_timestamp.as_ref()?.0;
    created.checked_add(SignedDuration::try_from(ttl).ok()?).ok()
}

/// Returns the deliveries whose artifact workflows are to be made: none while the order is suspended, being deleted or
/// over its time.
pub fn missing<'p>(
    order: &Order,
    plan: &'p Plan,
    existing: &BTreeMap<String, &ArtifactWorkflow>,
    now: Timestamp,
) -> Vec<&'p Delivery> {
    let is_over = expires_at(order).is_some_and(|end| end <= now);
    if order.spec.suspend || is_over || order.metadata.deletion_timestamp.is_some() {
        return Vec::new();
    }
    let deliveries = plan.deliveries.iter();
    deliveries.filter(|delivery| !existing.contains_key(delivery.name())).collect()
}

/// Returns the names of artifact workflows to delete, of those that exist for an order.
///
/// What is no longer planned goes when it has not ended or has a schedule, which stops it; of what has ended the newest
/// ten stay as records.
/// What failed or has not begun with other credentials or certificates than its endpoints now name goes too, and is made
/// anew.
/// What belongs to an artifact that is held by a problem stays as it is: a broken reference stops no work under way.
pub fn surplus<'a>(existing: &[&'a ArtifactWorkflow], plan: &Plan) -> Vec<&'a str> {
    let planned: BTreeMap<&str, &Delivery> =
        plan.deliveries.iter().map(|delivery| (delivery.name(), delivery)).collect();
    let mut surplus = Vec::new();
    let mut records = Vec::new();
    for one in existing.iter().copied() {
        let Some(name) = one.metadata.name.as_deref() else { continue };
        let is_going = one.metadata.deletion_timestamp.is_some();
        let artifact = one.labels().get(labels::ARTIFACT);
        let is_held = artifact.is_some_and(|artifact| plan.held.contains(artifact));
        if let Some(delivery) = planned.get(name) {
            if !is_going && is_outdated(one, delivery) {
                surplus.push(name);
            }
        } else if is_going || is_held {
            // What goes already needs no second word, and what is held comes back.
        } else if has_ended(one) && one.spec.cron.is_none() {
            records.push((one.metadata.creation_timestamp.as_ref().map(|time| time.0), name));
        } else {
            surplus.push(name);
        }
    }
    records.sort_unstable();
    let too_many = records.len().saturating_sub(KEPT_RECORDS);
    surplus.extend(records.into_iter().take(too_many).map(|(_, name)| name));
    surplus.sort_unstable();
    surplus
}

fn has_ended(one: &ArtifactWorkflow) -> bool {
    one.status.as_ref().and_then(|status| status.phase).is_some_and(Phase::is_terminal)
}

/// Tells whether a delivery would begin, or begin again, with something that its endpoints no longer say.
fn is_outdated(one: &ArtifactWorkflow, planned: &Delivery) -> bool {
    let status = one.status.as_ref();
    let phase = status.and_then(|status| status.phase);
    let is_open = match phase {
        Some(Phase::Failed | Phase::Error) => true,
        Some(Phase::Pending | Phase::Suspended) => one.spec.cron.is_some() || !has_begun(one),
        Some(Phase::Succeeded) => one.spec.cron.is_some(),
        Some(Phase::Running | Phase::Skipped) | None => false,
    };
    let has_changed = || {
        credentials_of(one) != credentials_of(&planned.artifact_workflow)
            || endpoint_facts_differ(one, planned)
    };
    is_open && has_changed()
}

fn has_begun(one: &ArtifactWorkflow) -> bool {
    one.status.as_ref().is_some_and(|status| status.attempt > 0)
}

fn credentials_of(
    one: &ArtifactWorkflow,
) -> (Option<&LocalObjectReference>, Option<&LocalObjectReference>) {
    (one.spec.src_secret_ref.as_ref(), one.spec.dst_secret_ref.as_ref())
}

/// Compares what endpoints say beside what the name is made of: certificates, and whether there is a Secret.
fn endpoint_facts_differ(one: &ArtifactWorkflow, planned: &Delivery) -> bool {
    let value_of = |name: &str| {
        let found = one.spec.parameters.iter().find(|parameter| parameter.name == name);
        found.map(|parameter| parameter.value.as_str())
    };
    let facts = planned.parameters.iter().filter(|parameter| parameter.layer == Layer::Endpoint);
    facts.into_iter().any(|fact| value_of(&fact.name) != Some(fact.value.as_str()))
        || one.spec.parameters.len() != planned.artifact_workflow.spec.parameters.len()
}

#[cfg(test)]
mod tests {
    use arc_api::{ArtifactWorkflowSpec, ArtifactWorkflowStatus, Cron, OrderSpec};
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number of seconds")
    }

    fn order(ttl: Option<&str>) -> Order {
        let spec = OrderSpec { ttl: ttl.map(str::to_owned), ..OrderSpec::default() };
        let mut order = Order::new("demo", spec);
        order.metadata.creation_timestamp = Some(Time(at(1000)));
        order
    }

    fn one(name: &str, phase: Option<Phase>) -> ArtifactWorkflow {
        let mut one = ArtifactWorkflow::new(name, ArtifactWorkflowSpec::default());
        one.metadata.creation_timestamp = Some(Time(at(1000)));
        one.labels_mut().insert(labels::ARTIFACT.to_owned(), name.to_owned());
        one.status =
            phase.map(|_| ArtifactWorkflowStatus { phase, ..ArtifactWorkflowStatus::default() });
        one
    }

    fn plan(names: &[&str]) -> Plan {
        let delivery = |name: &&str| Delivery {
            artifact_index: 0,
            artifact_name: (*name).to_owned(),
            shared_with: Vec::new(),
            artifact_workflow: one(name, None),
            parameters: Vec::new(),
        };
        Plan { deliveries: names.iter().map(delivery).collect(), ..Plan::default() }
    }

    #[test]
    fn an_order_ends_when_its_life_span_is_over() {
        for (ttl, expected) in [
            (Some("1h"), Some(4600)),
            (Some("0"), None),
            (Some("soon"), None),
            (None, None),
            (Some("2562047h"), Some(1000 + 2_562_047 * 3600)),
        ] {
            assert_eq!(expires_at(&order(ttl)).map(Timestamp::as_second), expected, "{ttl:?}");
        }
        assert_eq!(expires_at(&Order::new("never-stored", OrderSpec::default())), None);
    }

    #[test]
    fn what_is_missing_is_made_unless_the_order_rests() {
        let plan = plan(&["a", "b"]);
        let there = one("a", None);
        let existing = BTreeMap::from([("a".to_owned(), &there)]);
        let names = |order: &Order, second| -> Vec<&str> {
            missing(order, &plan, &existing, at(second)).iter().map(|one| one.name()).collect()
        };
        assert_eq!(names(&order(Some("1h")), 4599), ["b"]);
        assert_eq!(names(&order(Some("1h")), 4600), [""; 0]);
        let mut suspended = order(None);
        suspended.spec.suspend = true;
        assert_eq!(names(&suspended, 2000), [""; 0]);
        let mut going = order(None);
        going.metadata.deletion_timestamp = Some(Time(at(1500)));
        assert_eq!(names(&going, 2000), [""; 0]);
    }

    #[test]
    fn what_is_no_longer_wished_for_goes_and_ten_records_stay() {
        let mut existing = vec![one("planned", Some(Phase::Succeeded)), one("new", None)];
        for index in 0..12 {
            let mut record = one(&format!("record-{index:02}"), Some(Phase::Failed));
            record.metadata.creation_timestamp = Some(Time(at(1000 - index)));
            existing.push(record);
        }
        existing.push(one("running", Some(Phase::Running)));
        existing.push(one("begun", None));
        let mut scheduled = one("scheduled", Some(Phase::Succeeded));
        scheduled.spec.cron = Some(Cron::default());
        existing.push(scheduled);
        let mut going = one("going", Some(Phase::Running));
        going.metadata.deletion_timestamp = Some(Time(at(1500)));
        existing.push(going);
        existing.push(one("held", Some(Phase::Running)));
        let mut plan = plan(&["planned", "new"]);
        plan.held = ["held".to_owned()].into();
        let existing: Vec<&ArtifactWorkflow> = existing.iter().collect();
        let gone = ["begun", "record-10", "record-11", "running", "scheduled"];
        assert_eq!(surplus(&existing, &plan), gone);
    }
}
