use arc_api::{EndpointSpec, LocalObjectReference};
use serde_json::json;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a small number of seconds")
}

fn endpoint(url: &str) -> Endpoint {
    let spec = EndpointSpec {
        type_: "oci".to_owned(),
        remote_url: url.to_owned(),
        secret_ref: Some(LocalObjectReference::new("quay")),
        ..EndpointSpec::default()
    };
    let mut endpoint = Endpoint::new("quay.mirror", spec);
    endpoint.metadata.namespace = Some("team-a".to_owned());
    endpoint.metadata.uid = Some("endpoint".to_owned());
    endpoint.metadata.generation = Some(3);
    endpoint
}

fn asked(second: i64) -> Endpoint {
    let mut endpoint = endpoint("https://quay.example");
    endpoint.annotations_mut().insert(labels::PROBE_AT.to_owned(), second.to_string());
    endpoint
}

/// Each condition as `type=status reason`.
fn conditions(status: &EndpointStatus) -> Vec<String> {
    let conditions = status.conditions.iter();
    conditions.map(|one| format!("{}={} {}", one.type_, one.status, one.reason)).collect()
}

fn message(status: &EndpointStatus, type_: &str) -> String {
    let found = status.conditions.iter().find(|one| one.type_ == type_);
    found.map(|one| one.message.clone()).unwrap_or_default()
}

/// A probe that ended with this output.
fn probe(endpoint: &Endpoint, phase: argo::Phase, result: &str) -> Workflow {
    let mut workflow = probe_workflow(endpoint, at(100));
    let parameter = json!({ "name": "result", "value": result });
    let status = json!({ "phase": phase, "outputs": { "parameters": [parameter] } });
    workflow.status = serde_json::from_value(status).ok();
    workflow
}

#[test]
fn what_the_cluster_knows_is_said_without_a_probe() {
    let good = derive_status(&endpoint("https://quay.example"), &[], true, None, at(10));
    assert_eq!(
        conditions(&good),
        ["InUse=False NotInUse", "Ready=True Valid", "Validated=True Valid"]
    );
    assert_eq!(
        (good.observed_generation, good.used_by, good.probed_at.clone()),
        (Some(3), Some(0), None)
    );

    let without = derive_status(&endpoint("https://quay.example"), &[], false, None, at(10));
    let expected =
        ["InUse=False NotInUse", "Ready=False SecretNotFound", "Validated=False SecretNotFound"];
    assert_eq!(conditions(&without), expected);

    let wrong = derive_status(&endpoint("ftp://quay.example"), &[], true, None, at(10));
    assert_eq!(message(&wrong, READY), message(&wrong, VALIDATED));
    assert!(message(&wrong, READY).contains("known schemes are"), "{}", message(&wrong, READY));
}

#[test]
fn who_uses_it_is_said_and_bounded() {
    let users = [("a", Side::Source), ("b", Side::Destination), ("a", Side::Destination)];
    let status = derive_status(&endpoint("quay.example"), &users, true, None, at(10));
    assert_eq!(status.used_by, Some(2));
    assert_eq!(
        message(&status, IN_USE),
        "named as source by \"a\", as destination by \"a\", \"b\""
    );
    let names: Vec<String> = (0..500).map(|index| format!("order-{index}")).collect();
    let many: Vec<_> = names.iter().map(|name| (name.as_str(), Side::Source)).collect();
    let status = derive_status(&endpoint("quay.example"), &many, true, None, at(10));
    assert!(message(&status, IN_USE).len() < 200);
}

#[test]
fn a_second_look_changes_nothing() {
    let mut endpoint = endpoint("https://quay.example");
    let first = derive_status(&endpoint, &[], true, None, at(10));
    endpoint.status = Some(first.clone());
    assert_eq!(derive_status(&endpoint, &[], true, None, at(99)), first);
    let used = derive_status(&endpoint, &[("a", Side::Source)], true, None, at(99));
    let dates: Vec<i64> =
        used.conditions.iter().map(|one| one.last_transition_time.0.as_second()).collect();
    assert_eq!(dates, [99, 10, 10]);
}

#[test]
fn a_probe_is_wanted_until_its_moment_is_answered() {
    assert_eq!(probe_wanted(&endpoint("quay.example")), None);
    let mut endpoint = asked(100);
    assert_eq!(probe_wanted(&endpoint), Some(at(100)));
    for (answered, expected) in [(99, Some(at(100))), (100, None), (101, None)] {
        let probed_at = Some(Time(at(answered)));
        endpoint.status = Some(EndpointStatus { probed_at, ..EndpointStatus::default() });
        assert_eq!(probe_wanted(&endpoint), expected);
    }
    endpoint.annotations_mut().insert(labels::PROBE_AT.to_owned(), "now".to_owned());
    assert_eq!(probe_wanted(&endpoint), None);
}

#[test]
fn the_probe_is_a_workflow_with_the_secret_mounted_and_no_credentials_in_it() {
    let workflow = probe_workflow(&asked(100), at(100));
    let written = serde_json::to_value(&workflow).expect("a workflow is plain data");
    assert_eq!(
        written,
        json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {
                "name": "quay-mirror-probe-100",
                "namespace": "team-a",
                "labels": { "arc.opendefense.cloud/endpoint": "quay.mirror" },
                "ownerReferences": [{
                    "apiVersion": "arc.opendefense.cloud/v1alpha1", "kind": "Endpoint", "name": "quay.mirror",
                    "uid": "endpoint", "controller": true,
                }],
            },
            "spec": {
                "workflowTemplateRef": { "name": "endpoint-probe", "clusterScope": true },
                "arguments": { "parameters": [
                    { "name": "srcRemoteURL", "value": "https://quay.example" },
                    { "name": "srcSecret", "value": "true" },
                    { "name": "srcType", "value": "oci" },
                ] },
                "volumes": [
                    { "name": "src-secret-vol", "secret": { "secretName": "quay" } },
                    { "name": "dst-secret-vol", "emptyDir": {} },
                ],
                "activeDeadlineSeconds": 120,
                "podGC": { "strategy": "OnPodCompletion" },
            },
        })
    );
    let mut long = asked(9_999_999_999);
    long.metadata.name = Some("a".repeat(253));
    let name = probe_workflow(&long, at(9_999_999_999)).name_any();
    assert!(label::is_dns_label(&name), "{name}");
}

#[track_caller]
fn check_probe(phase: argo::Phase, result: &str, expected: [&str; 3], ready: &str) {
    let endpoint = asked(100);
    let status =
        derive_status(&endpoint, &[], true, Some(&probe(&endpoint, phase, result)), at(110));
    let [authenticated, reachable, summary] = expected.map(str::to_owned);
    let found = conditions(&status);
    let used = ["InUse=False NotInUse".to_owned(), "Validated=True Valid".to_owned()];
    let mut all = vec![authenticated, reachable, summary];
    all.extend(used);
    all.retain(|text| !text.is_empty());
    all.sort();
    assert_eq!(found, all, "{result}");
    assert_eq!(message(&status, READY), ready, "{result}");
    assert_eq!(status.probed_at.is_some(), phase.is_terminal());
}

#[test]
fn the_answer_of_a_probe_becomes_conditions() {
    let fine = "nothing is known against it";
    let done = argo::Phase::Succeeded;
    check_probe(
        argo::Phase::Running,
        "",
        ["", "Reachable=Unknown Probing", "Ready=True Valid"],
        fine,
    );
    check_probe(
        done,
        r#"{"reachable":true,"authenticated":true}"#,
        ["Authenticated=True Authenticated", "Reachable=True Reachable", "Ready=True Valid"],
        fine,
    );
    check_probe(
        done,
        r#"{"reachable":true,"authenticated":false,"message":"401 from the token endpoint"}"#,
        [
            "Authenticated=False Unauthorized",
            "Reachable=True Reachable",
            "Ready=False Unauthorized",
        ],
        "401 from the token endpoint",
    );
    check_probe(
        done,
        r#"{"reachable":true,"reason":"CredentialsNotSent","message":"plain HTTP"}"#,
        [
            "Authenticated=Unknown CredentialsNotSent",
            "Reachable=True Reachable",
            "Ready=True Valid",
        ],
        fine,
    );
    check_probe(
        done,
        r#"{"reachable":false,"reason":"CertificateNotTrusted","message":"unknown issuer"}"#,
        [
            "Authenticated=Unknown CertificateNotTrusted",
            "Reachable=False CertificateNotTrusted",
            "Ready=False CertificateNotTrusted",
        ],
        "unknown issuer",
    );
    check_probe(
        done,
        r#"{"reachable":false,"reason":"SomethingNew"}"#,
        [
            "Authenticated=Unknown Unreachable",
            "Reachable=False Unreachable",
            "Ready=False Unreachable",
        ],
        "the endpoint does not answer",
    );
    let failed =
        ["Authenticated=Unknown ProbeFailed", "Reachable=Unknown ProbeFailed", "Ready=True Valid"];
    check_probe(done, "no json", failed, fine);
    check_probe(argo::Phase::Error, "", failed, fine);
}

#[test]
fn an_earlier_answer_stays_until_the_next() {
    let mut endpoint = asked(100);
    let answer = r#"{"reachable":true,"authenticated":true}"#;
    let workflow = probe(&endpoint, argo::Phase::Succeeded, answer);
    let status = derive_status(&endpoint, &[], true, Some(&workflow), at(110));
    endpoint.status = Some(status.clone());
    // The workflow is still there, and then it is gone: neither says anything new.
    assert_eq!(derive_status(&endpoint, &[], true, Some(&workflow), at(120)), status);
    assert_eq!(derive_status(&endpoint, &[], true, None, at(130)), status);
}

#[test]
fn an_endpoint_that_argo_would_evaluate_is_never_probed() {
    for change in [
        (|spec| "https://{{workflow.uid}}.example".clone_into(&mut spec.remote_url))
            as fn(&mut EndpointSpec),
        |spec| "{{=1+1}}".clone_into(&mut spec.type_),
        |spec| spec.ca_bundle = Some("$(SRC_PASSWORD)".to_owned()),
        |spec| "ftp://quay.example".clone_into(&mut spec.remote_url),
    ] {
        let mut endpoint = asked(100);
        change(&mut endpoint.spec);
        assert_eq!(probe_wanted(&endpoint), None);
        let status = derive_status(&endpoint, &[], true, None, at(10));
        assert_eq!(status.conditions[1].status, "False", "{:?}", endpoint.spec);
    }
}
