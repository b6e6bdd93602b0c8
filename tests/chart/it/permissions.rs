//! What the controller's service account may do, and that what it is told is what it is allowed.

use std::collections::BTreeSet;

use arc_chart::rbac::{Permission, permissions};
use arc_chart::{Chart, Rendered};
use serde_json::{Value, json};

const NAMESPACE: &str = "arc-system";
const ACCOUNT: &str = "arc-controller";

fn granted(values: &Value) -> BTreeSet<Permission> {
    permissions(&Chart::open().render(values), NAMESPACE, ACCOUNT)
}

/// Permissions without those of the lease, as `namespace group/resource verb`.
fn strong(all: &BTreeSet<Permission>) -> Vec<String> {
    let strong = ["secrets", "pods", "pods/log"];
    let is_strong = |p: &&Permission| {
        strong.contains(&p.resource.as_str())
            || (p.group == "argoproj.io" && !["list", "watch"].contains(&p.verb.as_str()))
    };
    let lines = all.iter().filter(is_strong).map(|p| {
        format!("{} {} {}", p.namespace.as_deref().unwrap_or("everywhere"), p.resource, p.verb)
    });
    lines.collect()
}

#[test]
fn without_tenants_nothing_dangerous_is_granted() {
    assert_eq!(strong(&granted(&json!({}))), Vec::<String>::new());
}

#[test]
fn secrets_logs_and_workflows_are_a_matter_of_the_tenants_namespaces() {
    let expected = [
        "team-a pods list",
        "team-a pods/log get",
        "team-a secrets list",
        "team-a secrets watch",
        "team-a cronworkflows create",
        "team-a cronworkflows patch",
        "team-a workflows create",
        "team-a workflows delete",
        "team-a workflows get",
        "team-a workflows patch",
    ];
    let found: BTreeSet<_> =
        strong(&granted(&json!({"tenants": ["team-a"]}))).into_iter().collect();
    assert_eq!(found, expected.map(str::to_owned).into());
    let everywhere = granted(&json!({"tenants": ["team-a"], "rbac": {"allNamespaces": true}}));
    let found: BTreeSet<_> = strong(&everywhere).into_iter().collect();
    let expected = expected.map(|line| line.replace("team-a", "everywhere"));
    assert_eq!(found, expected.into());
}

#[test]
fn no_secret_is_read_by_name_or_written() {
    for values in [json!({"tenants": ["team-a"]}), json!({"rbac": {"allNamespaces": true}})] {
        let all = granted(&values);
        let secrets = all.iter().filter(|permission| permission.resource == "secrets");
        let verbs: BTreeSet<_> = secrets.map(|permission| permission.verb.as_str()).collect();
        assert_eq!(verbs, ["list", "watch"].into());
    }
}

#[test]
fn the_lease_is_one_object_of_the_own_namespace() {
    let all = granted(&json!({}));
    let lease = all.iter().filter(|permission| permission.resource == "leases");
    for permission in lease {
        assert_eq!(permission.namespace.as_deref(), Some(NAMESPACE));
        let name = (permission.verb != "create").then_some(ACCOUNT);
        assert_eq!(permission.name.as_deref(), name);
    }
}

#[test]
fn the_controller_is_told_of_exactly_the_namespaces_it_may_see() {
    let cases = [
        (json!({}), ""),
        (json!({"tenants": ["team-a", "team-b"]}), "team-a,team-b"),
        (json!({"tenants": ["team-a"], "rbac": {"allNamespaces": true}}), "*"),
    ];
    let chart = Chart::open();
    for (values, expected) in cases {
        let rendered = chart.render(&values);
        assert_eq!(environment(&rendered, "ARC_SECRET_NAMESPACES"), expected);
        let all = permissions(&rendered, NAMESPACE, ACCOUNT);
        let secrets = all.iter().filter(|permission| permission.resource == "secrets");
        let seen: BTreeSet<_> =
            secrets.map(|p| p.namespace.clone().unwrap_or_else(|| "*".to_owned())).collect();
        let told: BTreeSet<_> =
            expected.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        assert_eq!(seen, told);
    }
}

fn environment(rendered: &Rendered, name: &str) -> String {
    let container = &rendered["deployment.yaml"][0]["spec"]["template"]["spec"]["containers"][0];
    let variables = container["env"].as_array().unwrap();
    let variable = variables.iter().find(|variable| variable["name"] == name).unwrap();
    variable["value"].as_str().unwrap().to_owned()
}
