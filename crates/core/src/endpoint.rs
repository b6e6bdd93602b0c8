//! What is known of an endpoint, and the workflow that finds out more.
//!
//! The controller opens no connection to an endpoint itself: a pod does, with the Secret mounted, because nothing of
//! the controller may read one.

use std::collections::BTreeSet;

use arc_api::argo::{self, Arguments, PodGC, Workflow, WorkflowSpec, WorkflowTemplateRef};
use arc_api::conditions::{AUTHENTICATED, IN_USE, REACHABLE, READY, VALIDATED};
use arc_api::{Endpoint, EndpointStatus, ProbeResult, Reason, labels};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta, Time};
use kube::{Resource, ResourceExt};

pub use crate::facts::Side;
use crate::hydrate::{DESTINATION_SECRET_VOLUME, SOURCE_SECRET_VOLUME, volume};
use crate::text::{list, shorten};
use crate::validate::{address, value};
use crate::{facts, label, status};

/// `ClusterWorkflowTemplate` that probes an endpoint. It gets the parameters of a delivery's source: `srcType`,
/// `srcRemoteURL`, `srcSecret`, `srcCaBundle`, `srcInsecureSkipVerify`, and the volume `src-secret-vol`.
/// Its output parameter `result` is an [`arc_api::ProbeResult`].
pub const PROBE_TEMPLATE: &str = "endpoint-probe";

/// What is left of a label's 63 bytes after `-probe-` and eleven digits.
const MAX_NAME_BYTES: usize = 45;

/// Seconds after which a probe is given up: it is one request or two.
const PROBE_SECONDS: i64 = 120;

/// Longest message of a condition, in characters.
const MAX_MESSAGE_CHARS: usize = 480;

/// Type, status, reason and message of a condition.
type Found = (&'static str, &'static str, Reason, String);

/// Derives the status of an endpoint.
///
/// `users` are the orders that name it, once for each side; `probe` is the workflow of [`probe_workflow`] as far as it
/// exists. Conditions of an earlier probe stay.
pub fn derive_status(
    endpoint: &Endpoint,
    users: &[(&str, Side)],
    secret_exists: bool,
    probe: Option<&Workflow>,
    now: Timestamp,
) -> EndpointStatus {
    let before = endpoint.status.clone().unwrap_or_default();
    let orders: BTreeSet<&str> = users.iter().map(|(order, _)| *order).collect();
    let validated = validated(endpoint, secret_exists);
    let probed = probe.filter(|_| probe_wanted(endpoint).is_some()).map(probed);
    let mut found = vec![validated, in_use(&orders, users)];
    let has_answered = probed.as_ref().is_some_and(|probed| probed.is_answer);
    found.extend(probed.into_iter().flat_map(|probed| probed.conditions));
    let kept = before.conditions.iter().filter(|condition| {
        [REACHABLE, AUTHENTICATED].contains(&condition.type_.as_str())
            && !found.iter().any(|(type_, ..)| *type_ == condition.type_)
    });
    let kept: Vec<Condition> = kept.cloned().collect();
    let now = Time(Timestamp::from_second(now.as_second()).unwrap_or(now));
    let mut conditions: Vec<Condition> =
        found.into_iter().map(|found| condition(endpoint, &before, found, &now)).collect();
    conditions.extend(kept);
    let ready = ready(&conditions);
    conditions.push(condition(endpoint, &before, ready, &now));
    conditions.sort_by(|a, b| a.type_.cmp(&b.type_));
    let probed_at = probe_wanted(endpoint).filter(|_| has_answered).map(Time);
    EndpointStatus {
        observed_generation: endpoint.metadata.generation,
        used_by: u32::try_from(orders.len()).ok(),
        probed_at: probed_at.or(before.probed_at),
        conditions,
    }
}

/// Returns the moment that the annotation `probe-at` asks to probe at, while no probe answered it; it may be to come.
/// What an endpoint with an error in it asks for is never done.
pub fn probe_wanted(endpoint: &Endpoint) -> Option<Timestamp> {
    let second = endpoint.annotations().get(labels::PROBE_AT)?.trim().parse().ok()?;
    let at = Timestamp::from_second(second).ok()?;
    let answered = endpoint.status.as_ref().and_then(|status| status.probed_at.as_ref());
    let is_open = answered.is_none_or(|answered| answered.0 < at);
    (is_open && problem(endpoint).is_none()).then_some(at)
}

/// Returns the workflow that probes `endpoint` for the wish of the moment `at`; its name tells both.
pub fn probe_workflow(endpoint: &Endpoint, at: Timestamp) -> Workflow {
    let name = endpoint.name_any();
    let prefix: String =
        name.chars().map(|c| if c == '.' { '-' } else { c }).take(MAX_NAME_BYTES).collect();
    let owner = endpoint.controller_owner_ref(&()).filter(|_| endpoint.metadata.uid.is_some());
    let labels = label::cut(&name).map(|name| (labels::ENDPOINT.to_owned(), name.to_owned()));
    let metadata = ObjectMeta {
        name: Some(format!("{}-probe-{}", prefix.trim_end_matches('-'), at.as_second())),
        namespace: endpoint.namespace(),
        labels: Some(labels.into_iter().collect()),
        owner_references: owner.map(|owner| vec![owner]),
        ..ObjectMeta::default()
    };
    let parameters = facts::of_endpoint(Side::Source, &endpoint.spec).into_iter();
    let spec = WorkflowSpec {
        workflow_template_ref: Some(WorkflowTemplateRef {
            name: PROBE_TEMPLATE.to_owned(),
            cluster_scope: true,
        }),
        arguments: Arguments {
            parameters: parameters.map(|(name, value)| argo::Parameter::new(name, value)).collect(),
        },
        volumes: vec![
            volume(SOURCE_SECRET_VOLUME, endpoint.spec.secret_ref.as_ref()),
            volume(DESTINATION_SECRET_VOLUME, None),
        ],
        active_deadline_seconds: Some(PROBE_SECONDS),
        pod_gc: Some(PodGC { strategy: Some("OnPodCompletion".to_owned()), ..PodGC::default() }),
        ..WorkflowSpec::default()
    };
    Workflow::new(metadata, spec)
}

/// Returns what is wrong with what the endpoint says. A probe is a workflow, so no value may be a template.
fn problem(endpoint: &Endpoint) -> Option<(Reason, String)> {
    if let Some((problem, hint)) = address::problem(&endpoint.spec.remote_url) {
        return Some((Reason::InvalidUrl, format!("{problem}; {hint}")));
    }
    let facts = facts::of_endpoint(Side::Source, &endpoint.spec);
    let found = facts.values().find_map(|value| value::problem("spec", "", value))?;
    let hint = found.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
    Some((found.reason, format!("{}{hint}", found.message)))
}

fn validated(endpoint: &Endpoint, secret_exists: bool) -> Found {
    if let Some((reason, message)) = problem(endpoint) {
        return (VALIDATED, "False", reason, message);
    }
    match &endpoint.spec.secret_ref {
        Some(secret) if !secret_exists => {
            let message =
                format!("secret {:?} does not exist in this namespace; create it", secret.name);
            (VALIDATED, "False", Reason::SecretNotFound, message)
        }
        Some(_) => {
            let message = "the address is well formed and the secret exists".to_owned();
            (VALIDATED, "True", Reason::Valid, message)
        }
        None => (VALIDATED, "True", Reason::Valid, "the address is well formed".to_owned()),
    }
}

fn in_use(orders: &BTreeSet<&str>, users: &[(&str, Side)]) -> Found {
    if orders.is_empty() {
        return (IN_USE, "False", Reason::NotInUse, "no order names it".to_owned());
    }
    let of = |side| {
        let named: BTreeSet<&str> =
            users.iter().filter(|(_, own)| *own == side).map(|(order, _)| *order).collect();
        (!named.is_empty()).then(|| format!("as {} by {}", side.as_str(), list(named)))
    };
    let sides: Vec<String> =
        [of(Side::Source), of(Side::Destination)].into_iter().flatten().collect();
    (IN_USE, "True", Reason::InUse, format!("named {}", sides.join(", ")))
}

struct Probed {
    conditions: Vec<Found>,
    /// Whether the probe has come to its end.
    is_answer: bool,
}

fn probed(probe: &Workflow) -> Probed {
    let nothing_yet = argo::WorkflowStatus::default();
    let of_argo = probe.status.as_ref().unwrap_or(&nothing_yet);
    if !of_argo.phase.is_terminal() {
        let under_way = (REACHABLE, "Unknown", Reason::Probing, "a probe is under way".to_owned());
        return Probed { conditions: vec![under_way], is_answer: false };
    }
    let failed = |message: String| {
        let both = [REACHABLE, AUTHENTICATED];
        both.map(|type_| (type_, "Unknown", Reason::ProbeFailed, message.clone())).to_vec()
    };
    let conditions = match status::report_text(of_argo).map(serde_json::from_str::<ProbeResult>) {
        Some(Ok(result)) => of_result(&result),
        Some(Err(error)) => failed(format!("the answer of the probe cannot be read: {error}")),
        None => {
            let found = status::derive_status(of_argo, None);
            failed(found.message.unwrap_or_else(|| "the probe gave no answer".to_owned()))
        }
    };
    Probed { conditions, is_answer: true }
}

fn of_result(result: &ProbeResult) -> Vec<Found> {
    let reason = result.reason.as_deref().and_then(Reason::named);
    let message = |otherwise: &str| result.message.clone().unwrap_or_else(|| otherwise.to_owned());
    if !result.reachable {
        let reason = reason.unwrap_or(Reason::Unreachable);
        let text = message("the endpoint does not answer");
        let unknown = "it was not asked, because the endpoint does not answer".to_owned();
        return vec![
            (REACHABLE, "False", reason, text),
            (AUTHENTICATED, "Unknown", reason, unknown),
        ];
    }
    let reachable = (REACHABLE, "True", Reason::Reachable, "the endpoint answers".to_owned());
    let authenticated = match result.authenticated {
        Some(true) => {
            ("True", Reason::Authenticated, message("the endpoint accepts the credentials"))
        }
        Some(false) => {
            let reason = reason.unwrap_or(Reason::Unauthorized);
            ("False", reason, message("the endpoint does not accept the credentials"))
        }
        None => {
            let reason = reason.unwrap_or(Reason::NoCredentials);
            ("Unknown", reason, message("the endpoint has no secret to sign in with"))
        }
    };
    vec![reachable, (AUTHENTICATED, authenticated.0, authenticated.1, authenticated.2)]
}

/// The first of the others that is not well, in the order in which they depend on each other.
fn ready(conditions: &[Condition]) -> Found {
    let of = |type_: &str| conditions.iter().find(|condition| condition.type_ == type_);
    let wrong = [VALIDATED, REACHABLE, AUTHENTICATED]
        .into_iter()
        .filter_map(of)
        .find(|condition| condition.status == "False");
    match wrong {
        Some(wrong) => {
            let reason = Reason::named(&wrong.reason).unwrap_or(Reason::InvalidSpec);
            (READY, "False", reason, wrong.message.clone())
        }
        None => (READY, "True", Reason::Valid, "nothing is known against it".to_owned()),
    }
}

/// Keeps the date of a condition whose status is what it was.
fn condition(
    endpoint: &Endpoint,
    before: &EndpointStatus,
    (type_, status, reason, message): Found,
    now: &Time,
) -> Condition {
    let earlier = before.conditions.iter().find(|one| one.type_ == type_ && one.status == status);
    Condition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: reason.into(),
        message: shorten(&message, MAX_MESSAGE_CHARS),
        last_transition_time: earlier.map_or(now, |earlier| &earlier.last_transition_time).clone(),
        observed_generation: endpoint.metadata.generation,
    }
}

#[cfg(test)]
mod tests;
