//! The status of an order: one row for each artifact, the sum of them, and the conditions.

use std::collections::{BTreeMap, BTreeSet};

use arc_api::conditions::{ACCEPTED, COMPLETE, READY};
use arc_api::{
    ArtifactWorkflow, ArtifactWorkflowStatus, Order, OrderArtifactStatus, OrderCounts, OrderStatus,
    Phase, Reason,
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::MAX_MESSAGE_CHARS;
use crate::plan::{Delivery, Plan};
use crate::problem::Problem;
use crate::text::shorten;
use crate::validate::{ArtifactVerdict, ValidatedOrder};
use crate::{label, life};

/// Derives the status of `order`.
///
/// `existing` are its artifact workflows by name; one that is missing there has not begun, and one without a status is
/// handed over and counts as running.
/// `now` dates a condition that changed; one that did not keeps its date, so a second run gives the same status.
pub fn derive_order_status(
    order: &Order,
    validated: &ValidatedOrder,
    plan: &Plan,
    existing: &BTreeMap<String, &ArtifactWorkflow>,
    now: Timestamp,
) -> OrderStatus {
    let now = &Time(now);
    let delivery_of: BTreeMap<usize, &Delivery> = plan
        .deliveries
        .iter()
        .flat_map(|delivery| {
            let shared = delivery.shared_with.iter().map(|other| other.index);
            std::iter::once(delivery.artifact_index)
                .chain(shared)
                .map(move |index| (index, delivery))
        })
        .collect();
    let mut used = BTreeSet::new();
    let rows: Vec<OrderArtifactStatus> = validated
        .artifacts
        .iter()
        .map(|verdict| {
            let delivery = delivery_of.get(&verdict.index).copied();
            let mut row = row(order, validated, verdict, delivery, existing);
            row.name = row_name(verdict, &used);
            used.insert(row.name.clone());
            row
        })
        .collect();
    let counts = count(validated, &rows);
    let phase = phase(order, validated, counts);
    let message = message(validated, &rows);
    OrderStatus {
        observed_generation: order.metadata.generation,
        phase: Some(phase),
        progress: Some(format!("{}/{}", counts.succeeded, counts.total)),
        conditions: conditions(order, validated, counts, message.as_deref(), now),
        message,
        counts: Some(counts),
        expires_at: life::expires_at(order).map(Time),
        suspended: order.spec.suspend,
        artifacts: rows,
    }
}

/// A name that no other row has: rows are keyed by it, also in an order whose names are refused.
fn row_name(verdict: &ArtifactVerdict, used: &BTreeSet<String>) -> String {
    let own =
        Some(verdict.name.clone()).filter(|name| label::is_dns_label(name) && !used.contains(name));
    let mut place = verdict.index.to_string();
    while own.is_none() && used.contains(&place) {
        place = format!("{place}-{}", verdict.index);
    }
    own.unwrap_or(place)
}

fn row(
    order: &Order,
    validated: &ValidatedOrder,
    verdict: &ArtifactVerdict,
    delivery: Option<&Delivery>,
    existing: &BTreeMap<String, &ArtifactWorkflow>,
) -> OrderArtifactStatus {
    let type_ = order.spec.artifacts.get(verdict.index).map(|artifact| artifact.type_.clone());
    let row = OrderArtifactStatus { type_, ..OrderArtifactStatus::default() };
    let problems = verdict
        .outcome
        .as_ref()
        .err()
        .filter(|problems| !problems.is_empty())
        .unwrap_or(&validated.problems);
    if let Some(first) = problems.first() {
        let (reason, message) =
            (Some(first.reason.into()), Some(problem_message(first, problems.len())));
        return OrderArtifactStatus { phase: Phase::Pending, reason, message, ..row };
    }
    let artifact_workflow =
        delivery.and_then(|delivery| delivery.artifact_workflow.metadata.name.clone());
    let row = OrderArtifactStatus { artifact_workflow: artifact_workflow.clone(), ..row };
    let Some(found) = artifact_workflow.and_then(|name| existing.get(&name)) else {
        let (phase, reason) = if order.spec.suspend {
            (Phase::Suspended, Reason::Suspended)
        } else {
            (Phase::Pending, Reason::Pending)
        };
        return OrderArtifactStatus { phase, reason: Some(reason.into()), ..row };
    };
    let handed_over = ArtifactWorkflowStatus {
        phase: Some(Phase::Running),
        reason: Some(Reason::Running.into()),
        ..ArtifactWorkflowStatus::default()
    };
    let status =
        found.status.as_ref().filter(|status| status.phase.is_some()).unwrap_or(&handed_over);
    let destination = status.result.as_ref().and_then(|result| result.destination.clone());
    let (destination, digest) = match destination {
        Some(at) => (Some(at.reference).filter(|text| !text.is_empty()), at.digest),
        None => (None, None),
    };
    OrderArtifactStatus {
        phase: status.phase.unwrap_or_default(),
        reason: status.reason.clone(),
        message: status.message.clone(),
        destination,
        digest,
        started_at: found.metadata.creation_timestamp.clone(),
        completed_at: status.completed_at.clone(),
        ..row
    }
}

/// Something it refers to is missing or does not fit.
fn is_held(validated: &ValidatedOrder, verdict: &ArtifactVerdict) -> bool {
    !validated.problems.is_empty()
        || verdict.outcome.as_ref().is_err_and(|problems| !problems.is_empty())
}

fn problem_message(first: &Problem, count: usize) -> String {
    let hint = first.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    let more = if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() };
    shorten(&format!("{first}{hint}{more}"), MAX_MESSAGE_CHARS)
}

fn count(validated: &ValidatedOrder, rows: &[OrderArtifactStatus]) -> OrderCounts {
    let mut counts = OrderCounts::default();
    for (verdict, row) in validated.artifacts.iter().zip(rows) {
        counts.total += 1;
        let place = match row.phase {
            Phase::Pending if is_held(validated, verdict) => &mut counts.blocked,
            Phase::Pending | Phase::Suspended => &mut counts.pending,
            Phase::Running => &mut counts.running,
            Phase::Succeeded | Phase::Skipped => &mut counts.succeeded,
            Phase::Failed | Phase::Error => &mut counts.failed,
        };
        *place += 1;
    }
    counts
}

/// At work while anything is; then what is worst.
fn phase(order: &Order, validated: &ValidatedOrder, counts: OrderCounts) -> Phase {
    let has_begun = counts.succeeded + counts.failed > 0;
    if counts.running > 0 {
        Phase::Running
    } else if counts.pending > 0 {
        match (order.spec.suspend, has_begun) {
            (true, _) => Phase::Suspended,
            (false, true) => Phase::Running,
            (false, false) => Phase::Pending,
        }
    } else if counts.failed > 0 {
        Phase::Failed
    } else if counts.blocked > 0 || !validated.problems.is_empty() {
        Phase::Pending
    } else {
        Phase::Succeeded
    }
}

/// The first failure, else the first obstacle.
fn message(validated: &ValidatedOrder, rows: &[OrderArtifactStatus]) -> Option<String> {
    if let Some(first) = validated.problems.first() {
        return Some(problem_message(first, validated.problems.len()));
    }
    let of = |phases: &[Phase]| rows.iter().find(|row| phases.contains(&row.phase));
    let held = || {
        let verdicts = validated.artifacts.iter().zip(rows);
        verdicts.into_iter().find(|(verdict, _)| is_held(validated, verdict)).map(|(_, row)| row)
    };
    let row = of(&[Phase::Failed, Phase::Error]).or_else(held)?;
    let said = row.message.clone().or_else(|| row.reason.clone()).unwrap_or_default();
    Some(shorten(&format!("artifact {:?}: {said}", row.name), MAX_MESSAGE_CHARS))
}

fn conditions(
    order: &Order,
    validated: &ValidatedOrder,
    counts: OrderCounts,
    message: Option<&str>,
    now: &Time,
) -> Vec<Condition> {
    let is_blocked = counts.blocked > 0 || !validated.problems.is_empty();
    let is_under_way = counts.pending + counts.running > 0;
    let under_way = if order.spec.suspend { Reason::Suspended } else { Reason::Running };
    let accepted =
        if is_blocked { ("False", Reason::ArtifactsBlocked) } else { ("True", Reason::Accepted) };
    let complete = match (is_under_way, is_blocked) {
        (true, _) => ("False", under_way),
        (false, true) => ("False", Reason::ArtifactsBlocked),
        (false, false) => {
            ("True", if counts.failed > 0 { Reason::ArtifactsFailed } else { Reason::Succeeded })
        }
    };
    let ready = if counts.failed > 0 {
        ("False", Reason::ArtifactsFailed)
    } else if is_blocked {
        ("False", Reason::ArtifactsBlocked)
    } else if is_under_way {
        ("Unknown", under_way)
    } else {
        ("True", Reason::Succeeded)
    };
    let sum = format!("{} of {} artifacts are delivered", counts.succeeded, counts.total);
    let text = message.map_or_else(|| sum.clone(), |message| format!("{sum}; {message}"));
    [(ACCEPTED, accepted), (COMPLETE, complete), (READY, ready)]
        .into_iter()
        .map(|(type_, (status, reason))| condition(order, (type_, status, reason), &text, now))
        .collect()
}

/// Keeps the date of a condition whose status is what it was.
fn condition(
    order: &Order,
    (type_, status, reason): (&str, &str, Reason),
    message: &str,
    now: &Time,
) -> Condition {
    let before = order
        .status
        .as_ref()
        .and_then(|before| before.conditions.iter().find(|one| one.type_ == type_));
    let since = before
        .filter(|before| before.status == status)
        .map_or(now, |before| &before.last_transition_time);
    Condition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: reason.into(),
        message: message.to_owned(),
        last_transition_time: since.clone(),
        observed_generation: order.metadata.generation,
    }
}
