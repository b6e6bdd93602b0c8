//! What an endpoint's probe leads to, from the wish to the record.

use arc_api::argo::{NodeStatus, Outputs, Parameter, Phase, WorkflowStatus};
use arc_api::{EndpointSpec, labels};

use super::*;

const AT: i64 = 1_795_226_400;

fn endpoint(probe_at: Option<i64>) -> Endpoint {
    let spec = EndpointSpec {
        type_: "oci".to_owned(),
        remote_url: "https://r.example".to_owned(),
        ..EndpointSpec::default()
    };
    let mut endpoint = Endpoint::new("quay", spec);
    endpoint.metadata.namespace = Some("a".to_owned());
    endpoint.metadata.uid = Some("1".to_owned());
    endpoint.metadata.generation = Some(1);
    let at = probe_at.map(|at| (labels::PROBE_AT.to_owned(), at.to_string()));
    endpoint.metadata.annotations = Some(at.into_iter().collect());
    endpoint
}

fn seen(endpoint: Endpoint, probes: Vec<Workflow>) -> Seen {
    let probes = probes.into_iter().map(|probe| (probe.name_any(), Arc::new(probe)));
    Seen {
        endpoint: Arc::new(endpoint),
        users: Users::default(),
        secret_exists: false,
        probes: probes.collect(),
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// The probe of a wish, as Argo leaves it with this report.
fn ended(endpoint: &Endpoint, wish: i64, report: &str) -> Workflow {
    let mut probe = probe_workflow(endpoint, at(wish));
    let outputs =
        Outputs { parameters: vec![Parameter::new("result", report)], ..Outputs::default() };
    let node = NodeStatus { outputs: Some(outputs), ..NodeStatus::default() };
    probe.status = Some(WorkflowStatus {
        phase: Phase::Succeeded,
        nodes: [(probe.name_any(), node)].into(),
        ..WorkflowStatus::default()
    });
    probe
}

/// Status and reason of a condition.
fn condition<'a>(status: &'a EndpointStatus, type_: &str) -> Option<(&'a str, &'a str)> {
    let found = status.conditions.iter().find(|one| one.type_ == type_)?;
    Some((&found.status, &found.reason))
}

#[test]
fn without_a_wish_there_is_no_probe() {
    let plan = plan(&seen(endpoint(None), Vec::new()), at(AT));
    assert_eq!((plan.create, plan.delete.len(), plan.look_again), (None, 0, None));
    assert_eq!(condition(&plan.status, conditions::REACHABLE), None);
}

#[test]
fn a_wish_for_later_waits() {
    let plan = plan(&seen(endpoint(Some(AT + 60)), Vec::new()), at(AT));
    assert_eq!((plan.create, plan.look_again), (None, Some(at(AT + 60))));
}

#[test]
fn a_wish_that_is_due_becomes_one_workflow() {
    let first = plan(&seen(endpoint(Some(AT)), Vec::new()), at(AT));
    let probe = first.create.unwrap();
    assert_eq!(condition(&first.status, conditions::REACHABLE), Some(("Unknown", "Probing")));
    let second = plan(&seen(endpoint(Some(AT)), vec![probe]), at(AT + 1));
    assert_eq!((second.create, second.delete.len()), (None, 0));
}

#[test]
fn without_its_secret_a_probe_does_not_begin() {
    let mut wishing = endpoint(Some(AT));
    wishing.spec.secret_ref = Some(arc_api::LocalObjectReference { name: "missing".to_owned() });
    let mut around = seen(wishing, Vec::new());
    assert_eq!(plan(&around, at(AT)).create, None);
    around.secret_exists = true;
    assert!(plan(&around, at(AT)).create.is_some());
}

#[test]
fn an_answer_is_recorded_once_and_its_workflow_goes_with_the_older_ones() {
    let wishing = endpoint(Some(AT));
    let report = r#"{"reachable":true,"authenticated":false,"reason":"Unauthorized"}"#;
    let probes = vec![ended(&wishing, AT, report), probe_workflow(&wishing, at(AT - 9))];
    let first = plan(&seen(wishing.clone(), probes.clone()), at(AT + 5));
    assert_eq!(first.status.probed_at.as_ref().map(|time| time.0), Some(at(AT)));
    assert_eq!(condition(&first.status, conditions::REACHABLE), Some(("True", "Reachable")));
    assert_eq!(condition(&first.status, conditions::READY), Some(("False", "Unauthorized")));
    assert_eq!(first.delete.len(), 2);
    let (reason, _, is_warning) = verdict(&first.status).unwrap();
    assert_eq!((reason, is_warning), ("Unauthorized", true));

    // Killed between the record and the deletion: only the deletion is left.
    let mut recorded = wishing;
    recorded.status = Some(first.status.clone());
    let second = plan(&seen(recorded, probes), at(AT + 6));
    assert_eq!((second.create, second.delete.len()), (None, 2));
    assert_eq!(second.status, first.status);
}

#[test]
fn a_verdict_is_a_warning_only_where_something_is_wrong() {
    let wishing = endpoint(Some(AT));
    let cases = [
        (r#"{"reachable":true,"authenticated":true}"#, "Authenticated", false),
        (r#"{"reachable":true}"#, "NoCredentials", false),
        (r#"{"reachable":false,"reason":"CertificateNotTrusted"}"#, "CertificateNotTrusted", true),
        ("nonsense", "ProbeFailed", true),
    ];
    for (report, expected, warns) in cases {
        let probe = ended(&wishing, AT, report);
        let status = plan(&seen(wishing.clone(), vec![probe]), at(AT + 5)).status;
        let (reason, _, is_warning) = verdict(&status).unwrap();
        assert_eq!((reason, is_warning), (expected, warns), "{report}");
    }
}
