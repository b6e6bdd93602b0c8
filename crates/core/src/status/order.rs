//! The status of an order: one row for each artifact, the sum of them, and the conditions.

use std::collections::{BTreeMap, BTreeSet};

use arc_api::conditions::{ACCEPTED, COMPLETE, READY};
use arc_api::{
    ArtifactWorkflow, Order, OrderArtifactStatus, OrderCounts, OrderStatus, Phase, Reason,
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::{MAX_MESSAGE_CHARS, rows};
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
    let now = &Time(Timestamp::from_second(now.as_second()).unwrap_or(now));
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
    let view = View { order, validated, existing };
    let mut used = BTreeSet::new();
    let mut rows: Vec<OrderArtifactStatus> = validated
        .artifacts
        .iter()
        .map(|verdict| {
            let delivery = delivery_of.get(&verdict.index).copied();
            let mut row = view.row(verdict, delivery);
            row.name = row_name(verdict, &used);
            used.insert(row.name.clone());
            row
        })
        .collect();
    let counts = count(validated, &rows);
    let scheduled = rows.iter().filter(|row| is_scheduled(row)).count();
    let phase = phase(order, validated, counts, u32::try_from(scheduled).unwrap_or(u32::MAX));
    let message = message(validated, &rows);
    rows::bound(&mut rows);
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

/// What rows are made of.
#[derive(Clone, Copy)]
struct View<'a> {
    order: &'a Order,
    validated: &'a ValidatedOrder,
    existing: &'a BTreeMap<String, &'a ArtifactWorkflow>,
}

impl View<'_> {
    fn row(self, verdict: &ArtifactVerdict, delivery: Option<&Delivery>) -> OrderArtifactStatus {
        let artifacts = &self.order.spec.artifacts;
        let type_ = artifacts.get(verdict.index).map(|artifact| artifact.type_.clone());
        let row = OrderArtifactStatus { type_, ..OrderArtifactStatus::default() };
        let own = verdict.outcome.as_ref().err().filter(|problems| !problems.is_empty());
        let problems = own.unwrap_or(&self.validated.problems);
        if let Some(first) = problems.first() {
            let message = Some(problem_message(first, problems.len()));
            let reason = Some(first.reason.into());
            return OrderArtifactStatus { phase: Phase::Pending, reason, message, ..row };
        }
        let name = delivery.map(|delivery| delivery.name().to_owned());
        let row = OrderArtifactStatus { artifact_workflow: name.clone(), ..row };
        if let Some(found) = name.and_then(|name| self.existing.get(&name)) {
            return row_of(found, row);
        }
        let (phase, reason) = if self.order.spec.suspend {
            (Phase::Suspended, Reason::Suspended)
        } else {
            (Phase::Pending, Reason::Pending)
        };
        OrderArtifactStatus { phase, reason: Some(reason.into()), ..row }
    }
}

/// The row of an artifact whose artifact workflow exists.
fn row_of(found: &ArtifactWorkflow, row: OrderArtifactStatus) -> OrderArtifactStatus {
    let started_at = found.metadata.creation_timestamp.clone();
    let Some(status) = found.status.as_ref().filter(|status| status.phase.is_some()) else {
        // It is handed over: that it begins is no news, so it is not worth a write of its own.
        let (phase, reason) = match found.spec.cron {
            Some(_) => (Phase::Pending, Reason::Scheduled),
            None => (Phase::Running, Reason::Running),
        };
        return OrderArtifactStatus { phase, reason: Some(reason.into()), started_at, ..row };
    };
    let destination = status.result.as_ref().and_then(|result| result.destination.as_ref());
    let is_plain_success = status.phase == Some(Phase::Succeeded)
        && status.reason.as_deref() != Some(Reason::DryRun.as_str());
    OrderArtifactStatus {
        phase: status.phase.unwrap_or_default(),
        reason: status.reason.clone(),
        // Where it went stands in a field of its own.
        message: status.message.clone().filter(|_| !is_plain_success),
        destination: destination.map(|at| at.reference.clone()).filter(|text| !text.is_empty()),
        digest: destination.and_then(|at| at.digest.clone()),
        started_at,
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

/// At work while anything is; then what is worst. What waits for its schedule keeps no order from being at rest.
fn phase(order: &Order, validated: &ValidatedOrder, counts: OrderCounts, scheduled: u32) -> Phase {
    let has_begun = counts.succeeded + counts.failed > 0;
    let pending = counts.pending - scheduled;
    if counts.running > 0 {
        Phase::Running
    } else if pending > 0 {
        match (order.spec.suspend, has_begun) {
            (true, _) => Phase::Suspended,
            (false, true) => Phase::Running,
            (false, false) => Phase::Pending,
        }
    } else if counts.failed > 0 {
        Phase::Failed
    } else if scheduled > 0 || counts.blocked > 0 || !validated.problems.is_empty() {
        Phase::Pending
    } else {
        Phase::Succeeded
    }
}

/// The first failure, else the first obstacle, else the first thing that is stuck.
fn message(validated: &ValidatedOrder, rows: &[OrderArtifactStatus]) -> Option<String> {
    if let Some(first) = validated.problems.first() {
        return Some(problem_message(first, validated.problems.len()));
    }
    let of = |is_it: &dyn Fn(&OrderArtifactStatus) -> bool| rows.iter().find(|row| is_it(row));
    let held = || {
        let mut verdicts = validated.artifacts.iter().zip(rows);
        verdicts.find(|(verdict, _)| is_held(validated, verdict)).map(|(_, row)| row)
    };
    let row = of(&|row| matches!(row.phase, Phase::Failed | Phase::Error))
        .or_else(held)
        .or_else(|| of(&|row| has_reason(row, Reason::ImagePullFailed)))
        .or_else(|| {
            of(&|row| row.phase == Phase::Pending && row.message.is_some() && !is_scheduled(row))
        })?;
    let said = row.message.clone().or_else(|| row.reason.clone()).unwrap_or_default();
    Some(shorten(&format!("artifact {:?}: {said}", row.name), MAX_MESSAGE_CHARS))
}

fn is_scheduled(row: &OrderArtifactStatus) -> bool {
    row.phase == Phase::Pending && has_reason(row, Reason::Scheduled)
}

fn has_reason(row: &OrderArtifactStatus, reason: Reason) -> bool {
    row.reason.as_deref() == Some(reason.as_str())
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
