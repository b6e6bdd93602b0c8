//! The recorded watch streams, as statuses with the time at which they were reached.
//!
//! The files hold one event a line; each is a JSON merge patch of the one before, because an event repeats all of it.

use std::sync::OnceLock;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A recorded run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recording {
    /// Three containers succeed.
    Succeeded,
    /// The second of three containers exits with 3.
    RefusedByScan,
    /// The first attempt of a pod fails with 1, the second succeeds.
    RetriedThenSucceeded,
    /// Both attempts of a pod fail with 1.
    RetriesExhausted,
    /// The template's deadline passes while a container runs.
    DeadlineExceeded,
    /// All containers succeed, and the file of the output parameter is not there.
    OutputMissing,
    /// The image cannot be pulled until the deadline passes.
    ImageCannotBePulled,
    /// Somebody sets `spec.shutdown: Terminate` while it runs.
    Stopped,
    /// Somebody deletes the pod while it runs.
    PodDeleted,
    /// Three pods one after the other, the second is skipped.
    StepsThreePods,
    /// The template does not exist.
    TemplateNotFound,
    /// A parameter of the template has no value.
    ParameterMissing,
}

/// One recorded event.
#[derive(Debug)]
pub(super) struct Event {
    /// Since the creation of the Workflow.
    pub(super) at: SignedDuration,
    pub(super) object: Value,
}

macro_rules! file {
    ($name:literal) => {
        ($name, include_str!(concat!("../../recordings/argo-4.1/", $name, ".jsonl")))
    };
}

const FILES: [(&str, &str); 12] = [
    file!("succeeded"),
    file!("refused-by-scan"),
    file!("retried-then-succeeded"),
    file!("retries-exhausted"),
    file!("deadline-exceeded"),
    file!("output-missing"),
    file!("image-cannot-be-pulled"),
    file!("stopped"),
    file!("pod-deleted"),
    file!("steps-three-pods"),
    file!("template-not-found"),
    file!("parameter-missing"),
];

static EVENTS: [OnceLock<Vec<Event>>; 12] = [const { OnceLock::new() }; 12];

impl Recording {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Succeeded,
        Self::RefusedByScan,
        Self::RetriedThenSucceeded,
        Self::RetriesExhausted,
        Self::DeadlineExceeded,
        Self::OutputMissing,
        Self::ImageCannotBePulled,
        Self::Stopped,
        Self::PodDeleted,
        Self::StepsThreePods,
        Self::TemplateNotFound,
        Self::ParameterMissing,
    ];

    /// The name of the file, and of the Workflow in it.
    pub fn name(self) -> &'static str {
        FILES.get(self as usize).map_or("", |(name, _)| name)
    }

    /// How many events Argo wrote.
    pub fn length(self) -> usize {
        self.events().len()
    }

    /// The phase at the end.
    pub fn last_phase(self) -> &'static str {
        let last = self.events().last();
        last.and_then(|event| event.object["status"]["phase"].as_str()).unwrap_or_default()
    }

    /// What Argo wrote, without the creation, somebody's request to stop, and the deletion.
    pub(super) fn events(self) -> &'static [Event] {
        let (Some(cell), Some((_, text))) = (EVENTS.get(self as usize), FILES.get(self as usize))
        else {
            return &[];
        };
        cell.get_or_init(|| read(text))
    }

    /// What Argo writes after somebody asked it to stop.
    pub(super) fn events_after_shutdown() -> &'static [Event] {
        let events = Self::Stopped.events();
        let asked = events.iter().position(|event| event.object["spec"]["shutdown"].is_string());
        asked.and_then(|first| events.get(first..)).unwrap_or_default()
    }
}

fn read(text: &str) -> Vec<Event> {
    let mut object = json!({});
    let mut events = Vec::new();
    let mut asked = false;
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        merge(&mut object, &line["change"]);
        let stopped_now = !asked && object["spec"]["shutdown"].is_string();
        asked |= stopped_now;
        if line["type"] == "MODIFIED" && !stopped_now {
            let created = time(&object["metadata"]["creationTimestamp"]);
            let newest = newest(&object["status"]).max(created);
            let at = match (newest, created) {
                (Some(newest), Some(created)) => newest.duration_since(created),
                _ => SignedDuration::ZERO,
            };
            events.push(Event { at, object: object.clone() });
        }
    }
    events
}

pub(super) fn time(value: &Value) -> Option<Timestamp> {
    value.as_str().and_then(|text| text.parse().ok())
}

/// The newest time in a status; that is about when it was written.
fn newest(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) if text.len() == "2026-11-20T19:27:21Z".len() => text.parse().ok(),
        Value::Array(items) => items.iter().filter_map(newest).max(),
        Value::Object(map) => map.values().filter_map(newest).max(),
        _ => None,
    }
}

/// JSON merge patch, RFC 7386.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Some(map) = target.as_object_mut() else { return };
    for (name, value) in patch {
        if value.is_null() {
            map.remove(name);
        } else {
            merge(map.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}
