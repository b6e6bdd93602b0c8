//! The admission policies, judged as the API server judges them: match conditions, variables, validations.

pub(crate) mod judge;

use arc_chart::Chart;
use serde_json::{Value, json};

use self::judge::{Policies, Request};

const CONTROLLER: &str = "system:serviceaccount:arc-system:arc-controller";

/// Every question of these tests, for a real API server.
pub(crate) fn questions() -> Vec<judge::Judged> {
    judge::judged();
    endpoints_may_not_point_at_the_machine_or_the_cloud_by_default();
    hosts_are_allowed_and_denied_by_namespace();
    an_ipv6_address_passes_where_an_allow_list_names_it();
    an_endpoint_from_before_a_rule_can_still_be_labelled();
    a_type_of_a_namespace_does_not_take_the_name_of_one_of_the_cluster();
    records_are_written_by_the_controller_alone();
    people_may_force_retry_and_stop_and_nothing_else();
    annotations_that_arc_obeys_are_moments();
    judge::judged()
}

fn endpoint(url: &str) -> Value {
    json!({"metadata": {"name": "e", "namespace": "team-a"}, "spec": {"type": "oci", "remoteURL": url}})
}

fn create_endpoint(url: &str) -> Request {
    Request::new("endpoints", "jane", endpoint(url))
}

#[test]
fn endpoints_may_not_point_at_the_machine_or_the_cloud_by_default() {
    let policies = Policies::with(&json!({}));
    let allowed = [
        "https://registry.example.com/team-a",
        "quay.io",
        "oci://registry.example.com:5000",
        "http://10.1.2.3:5000/x",
        "registry.example.com:443/a/b",
        "HTTPS://Registry.Example.COM",
        "https://localhost.example.com",
        "http://registry.arc-system.svc.cluster.local:5000",
        "https://my_host/x",
    ];
    for url in allowed {
        assert_eq!(policies.refusal(&create_endpoint(url)), None, "{url}");
    }
    let refused = [
        ("http://localhost:5000", "endpoints of namespace team-a may not point at localhost"),
        ("localhost/x", "endpoints of namespace team-a may not point at localhost"),
        ("https://LOCALHOST.", "endpoints of namespace team-a may not point at localhost"),
        ("https://a.localhost", "endpoints of namespace team-a may not point at a.localhost"),
        (
            "http://169.254.169.254/latest",
            "endpoints of namespace team-a may not point at 169.254.169.254",
        ),
        (
            "https://metadata.google.internal?x",
            "endpoints of namespace team-a may not point at metadata.google.internal",
        ),
    ];
    for (url, message) in refused {
        assert_eq!(policies.refusal(&create_endpoint(url)).as_deref(), Some(message), "{url}");
    }
    // Spellings that URL parsers read as a forbidden address, or differently from one another.
    let tricks = [
        "http://2852039166/",
        "http://0x7f.1",
        "http://0177.0.0.1",
        "http://127.1",
        "http://0xA9FEA9FE",
        "http://127.0.0.1.",
        "http://169.254.169.254\\.example.com",
        "http://loc%61lhost",
        "http://ｌocalhost",
        "http://127。0。0。1",
        "http://[::1]:5000",
        "http://[::ffff:169.254.169.254]",
        "http://",
        "http://:5000",
        "http://user@localhost",
        "https://localhost:5000:1",
    ];
    for url in tricks {
        assert!(policies.refusal(&create_endpoint(url)).is_some(), "{url}");
    }
}

#[test]
fn hosts_are_allowed_and_denied_by_namespace() {
    let rules = json!([
        {"deny": ["bad.example.com"]},
        {"namespaces": ["team-a", "team-b"], "allow": ["*.example.com", "quay.io", "[fd00::1]"], "tlsOnly": true},
        {"namespaces": ["team-b"], "deny": ["quay.io"]},
    ]);
    let policies = Policies::with(&json!({"admission": {"endpointRules": rules}}));
    let at = |namespace: &str, url: &str| {
        let mut object = endpoint(url);
        object["metadata"]["namespace"] = json!(namespace);
        policies.refusal(&Request::new("endpoints", "jane", object))
    };
    let not = |namespace: &str, host: &str| {
        Some(format!("endpoints of namespace {namespace} may not point at {host}"))
    };
    let outside = Some(
        "endpoints of namespace team-a may not point at docker.io; allowed are *.example.com, quay.io, [fd00::1]".to_owned(),
    );
    assert_eq!(at("team-a", "https://a.example.com"), None);
    assert_eq!(at("team-a", "quay.io/x"), None);
    assert_eq!(at("team-a", "docker.io"), outside);
    assert_eq!(at("team-a", "bad.example.com"), not("team-a", "bad.example.com"));
    assert_eq!(at("team-b", "quay.io"), not("team-b", "quay.io"));
    assert_eq!(at("team-c", "docker.io"), None);
    assert!(at("team-a", "https://example.com").is_some(), "*.example.com is not example.com");
    assert!(at("team-a", "https://evilexample.com").is_some());
    let tls = Some("endpoints of namespace team-a must use TLS and verify certificates".to_owned());
    assert_eq!(at("team-a", "http://a.example.com"), tls);
    let mut unverified = endpoint("https://a.example.com");
    unverified["spec"]["insecureSkipVerify"] = json!(true);
    assert_eq!(policies.refusal(&Request::new("endpoints", "jane", unverified.clone())), tls);
    unverified["spec"]["insecureSkipVerify"] = json!(false);
    assert_eq!(policies.refusal(&Request::new("endpoints", "jane", unverified)), None);
}

#[test]
fn an_ipv6_address_passes_where_an_allow_list_names_it() {
    let rules = json!([{"allow": ["[fd00::1]"], "deny": ["localhost"]}]);
    let policies = Policies::with(&json!({"admission": {"endpointRules": rules}}));
    assert_eq!(policies.refusal(&create_endpoint("http://[FD00::1]:5000/x")), None);
    assert!(policies.refusal(&create_endpoint("http://[fd00::2]")).is_some());
}

#[test]
fn an_endpoint_from_before_a_rule_can_still_be_labelled() {
    let policies = Policies::with(&json!({}));
    let old = endpoint("http://localhost");
    let mut labelled = old.clone();
    labelled["metadata"]["labels"] = json!({"a": "b"});
    assert_eq!(
        policies.refusal(&Request::new("endpoints", "jane", labelled).over(old.clone())),
        None
    );
    let changed = Request::new("endpoints", "jane", endpoint("http://127.0.0.1")).over(old);
    assert!(policies.refusal(&changed).is_some());
}

#[test]
fn a_type_of_a_namespace_does_not_take_the_name_of_one_of_the_cluster() {
    let policies = Policies::with(&json!({}));
    let type_of =
        |name: &str| json!({"metadata": {"name": name, "namespace": "team-a"}, "spec": {}});
    let cluster = [json!({"metadata": {"name": "helm"}}), json!({"metadata": {"name": "oci"}})];
    let create = |name: &str| Request::new("artifacttypes", "jane", type_of(name));
    let refusal = policies.refusal_among(&create("oci"), &cluster).unwrap();
    assert!(refusal.starts_with("a ClusterArtifactType has this name"), "{refusal}");
    assert_eq!(policies.refusal_among(&create("ours"), &cluster), None);
    assert_eq!(policies.refusal_among(&create("oci"), &[]), None);
}

fn record(annotations: &Value) -> Value {
    json!({
        "metadata": {"name": "aw", "namespace": "team-a", "labels": {"order": "o"}, "annotations": annotations},
        "spec": {"a": 1},
    })
}

#[test]
fn records_are_written_by_the_controller_alone() {
    let policies = Policies::with(&json!({"admission": {"recordWriters": ["backup"]}}));
    let create =
        |user| policies.refusal(&Request::new("artifactworkflows", user, record(&json!({}))));
    assert_eq!(create(CONTROLLER), None);
    assert_eq!(create("backup"), None);
    let refusal = Some("only the controller makes ArtifactWorkflows; create an Order".to_owned());
    assert_eq!(create("jane"), refusal);
    assert_eq!(create("system:serviceaccount:team-a:arc-controller"), refusal);
    assert_eq!(create("system:admin"), refusal);
    let status = |user| {
        let request =
            Request::new("artifactworkflows", user, record(&json!({}))).over(record(&json!({})));
        policies.refusal(&Request { subresource: "status", ..request })
    };
    assert_eq!(status(CONTROLLER), None);
    assert_eq!(
        status("jane"),
        Some("only the controller says what became of a delivery".to_owned())
    );
}

#[test]
fn people_may_force_retry_and_stop_and_nothing_else() {
    let policies = Policies::with(&json!({}));
    let old = record(&json!({"note": "a", "arc.opendefense.cloud/stop-at": "1"}));
    let change = |user, new: Value| {
        policies.refusal(&Request::new("artifactworkflows", user, new).over(old.clone()))
    };
    for key in ["force-at", "retry-failed", "stop-at"] {
        let mut new = old.clone();
        new["metadata"]["annotations"][format!("arc.opendefense.cloud/{key}")] =
            json!("1763700000");
        assert_eq!(change("jane", new), None, "{key}");
    }
    let untriggered = record(&json!({"note": "a"}));
    assert_eq!(change("jane", untriggered), None);
    let mut finalized = old.clone();
    finalized["metadata"]["finalizers"] = json!(["foregroundDeletion"]);
    assert_eq!(
        change("system:serviceaccount:kube-system:generic-garbage-collector", finalized),
        None
    );
    let mut relabelled = old.clone();
    relabelled["metadata"]["labels"]["order"] = json!("other");
    let mut annotated = old.clone();
    annotated["metadata"]["annotations"]["note"] = json!("b");
    let mut bare = old.clone();
    bare["metadata"].as_object_mut().unwrap().remove("annotations");
    for new in [relabelled, annotated, bare] {
        assert!(change("jane", new.clone()).is_some(), "{new}");
        assert_eq!(change(CONTROLLER, new), None);
    }
    let mut other = old.clone();
    other["spec"]["a"] = json!(2);
    let refusal = Some("an ArtifactWorkflow is immutable; change the Order".to_owned());
    assert_eq!(change("jane", other.clone()), refusal);
    assert_eq!(change(CONTROLLER, other), refusal);
}

#[test]
fn annotations_that_arc_obeys_are_moments() {
    let policies = Policies::with(&json!({}));
    let annotated = |resource, key: &str, value: &str| {
        let object = json!({
            "metadata": {"name": "o", "namespace": "team-a", "annotations": {key: value, "other": "x"}},
            "spec": {"remoteURL": "quay.io"},
        });
        policies.refusal(&Request::new(resource, CONTROLLER, object))
    };
    let good = [
        ("orders", "arc.opendefense.cloud/force-at"),
        ("orders", "arc.opendefense.cloud/retry-failed"),
        ("orders", "arc.opendefense.cloud/stop-at"),
        ("artifactworkflows", "arc.opendefense.cloud/force-at"),
        ("endpoints", "arc.opendefense.cloud/probe-at"),
        ("orders", "example.com/force-at"),
    ];
    for (resource, key) in good {
        assert_eq!(annotated(resource, key, "1763700000"), None, "{resource} {key}");
    }
    for value in
        ["", "now", "2026-11-21T00:00:00Z", "-1", "1763700000.5", "1763700000000", "0", " 1"]
    {
        let refusal = annotated("orders", "arc.opendefense.cloud/force-at", value).unwrap();
        assert!(refusal.starts_with("must be a moment in Unix seconds"), "{value:?}: {refusal}");
    }
    let bad = [
        ("orders", "arc.opendefense.cloud/force_at"),
        ("orders", "arc.opendefense.cloud/probe-at"),
        ("endpoints", "arc.opendefense.cloud/force-at"),
        ("orders", "arc.opendefense.cloud/retry"),
    ];
    for (resource, key) in bad {
        let refusal = annotated(resource, key, "1763700000").unwrap();
        assert!(refusal.starts_with("ARC obeys no such annotation here"), "{key}: {refusal}");
    }
}

#[test]
fn the_policies_know_the_annotations_of_the_code() {
    let text = Chart::open().templates()["admission/annotations.yaml"].clone();
    for key in [
        arc_api::labels::FORCE_AT,
        arc_api::labels::RETRY_FAILED,
        arc_api::labels::STOP_AT,
        arc_api::labels::PROBE_AT,
    ] {
        assert!(text.contains(&format!("\"{key}\"")), "{key}");
    }
}

#[test]
fn every_policy_is_bound_and_denies() {
    let rendered = Chart::open().render(&json!({}));
    let of = |kind: &str| -> Vec<Value> {
        rendered.values().flatten().filter(|object| object["kind"] == kind).cloned().collect()
    };
    let names: Vec<_> =
        of("ValidatingAdmissionPolicy").iter().map(|p| p["metadata"]["name"].clone()).collect();
    let bound: Vec<_> = of("ValidatingAdmissionPolicyBinding")
        .iter()
        .map(|binding| {
            assert_eq!(binding["spec"]["validationActions"], json!(["Deny"]));
            binding["spec"]["policyName"].clone()
        })
        .collect();
    assert_eq!(names, bound);
    let with_params = of("ValidatingAdmissionPolicyBinding")
        .into_iter()
        .find(|binding| binding["metadata"]["name"] == "arc-artifacttypes")
        .unwrap();
    assert_eq!(
        with_params["spec"]["paramRef"],
        json!({"selector": {}, "parameterNotFoundAction": "Allow"})
    );
}
