//! Everything a real Argo Workflows 4.1 wrote in the course of a workflow, played to the rules event by event.
#![expect(
    clippy::disallowed_methods,
    reason = "the recordings are files; only the core itself may not read any"
)]

use std::path::Path;

use arc_api::argo::Workflow;
use arc_api::{Phase, argo};
use serde_json::Value;

use crate::world::{NAME, World};

/// Every state of the workflow, in order; a line holds what the event changed, `null` for what it took away.
fn states(name: &str) -> Vec<Workflow> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/kube/recordings/argo-4.1");
    let path = folder.join(format!("{name}.jsonl"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut object = Value::Null;
    let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events
        .filter(|event| event["type"] != "DELETED")
        .map(|event| {
            merge(&mut object, &event["change"]);
            serde_json::from_value(object.clone()).unwrap()
        })
        .collect()
}

fn merge(object: &mut Value, change: &Value) {
    let Value::Object(fields) = change else { return *object = change.clone() };
    if !object.is_object() {
        *object = Value::Object(serde_json::Map::new());
    }
    for (key, value) in fields {
        let own = object.as_object_mut().unwrap();
        if value.is_null() {
            _ = own.remove(key);
        } else {
            merge(own.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// Plays a recording; a status is written this often, and a log is asked for of this container.
#[track_caller]
fn check(name: &str, (phase, reason): (Phase, &str), writes: usize, log: Option<&str>) {
    let mut world = World::new();
    world.delivery.spec.ttl_after_finished = Some("100000h".to_owned());
    world.delivery.spec.ttl_after_failed = Some("100000h".to_owned());
    world.pass();
    for state in states(name) {
        let ours = world.workflows.get_mut(NAME).unwrap();
        ours.status = state.status;
        ours.spec.shutdown = state.spec.shutdown;
        world.now += 1;
        world.pass();
        world.assert_quiet(name);
    }
    assert_eq!(world.summary(), (phase, reason.to_owned(), 1), "{name}");
    assert_eq!(world.writes, writes, "{name}: {:?}", world.status());
    let logs: Vec<String> = log.iter().map(|of| format!("{NAME}/{of}")).collect();
    assert_eq!(world.logs, logs, "{name}");
    assert_eq!(world.notes.len(), usize::from(phase != Phase::Succeeded), "{name}");
    let status = world.status();
    assert_eq!(status.log.is_some(), log.is_some(), "{name}");
    assert!(status.completed_at.is_some() && status.message.as_deref() != Some(""), "{name}");
}

#[test]
fn a_workflow_costs_two_writes_however_many_events_it_has() {
    for name in ["succeeded", "steps-three-pods", "retried-then-succeeded"] {
        check(name, (Phase::Succeeded, "Succeeded"), 2, None);
    }
}

#[test]
fn a_failure_costs_two_writes_and_one_log() {
    let failed = |reason| (Phase::Failed, reason);
    check("refused-by-scan", failed("ScanRefused"), 2, Some("refused-by-scan/scan"));
    check("pod-deleted", failed("StepFailed"), 2, Some("pod-deleted/fetch"));
    check("deadline-exceeded", failed("DeadlineExceeded"), 2, Some("deadline-exceeded/fetch"));
    check("stopped", failed("Stopped"), 2, Some("stopped/fetch"));
    check("retries-exhausted", failed("StepFailed"), 2, Some("retries-exhausted-822040371/main"));
    check("parameter-missing", failed("MissingParameter"), 2, None);
    check("output-missing", (Phase::Error, "InvalidResult"), 2, None);
    check("template-not-found", (Phase::Error, "WorkflowTemplateNotFound"), 2, None);
}

#[test]
fn an_image_that_cannot_be_pulled_is_remembered_to_the_end() {
    let reason = (Phase::Failed, "ImagePullFailed");
    check("image-cannot-be-pulled", reason, 3, Some("image-cannot-be-pulled/fetch"));
}

#[test]
fn every_recording_is_played_to_its_end() {
    let names = [
        "deadline-exceeded",
        "image-cannot-be-pulled",
        "output-missing",
        "parameter-missing",
        "pod-deleted",
        "refused-by-scan",
        "retried-then-succeeded",
        "retries-exhausted",
        "steps-three-pods",
        "stopped",
        "succeeded",
        "template-not-found",
    ];
    for name in names {
        let last = states(name).pop().and_then(|state| state.status).unwrap();
        assert!(last.phase.is_terminal() && last.phase != argo::Phase::Unknown, "{name}");
    }
}
