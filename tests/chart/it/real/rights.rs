//! What RBAC makes of the chart's roles.

use std::collections::BTreeSet;

use arc_chart::{Chart, rbac::permissions};
use arc_kube_fake::real::{self, RealServer};
use serde_json::{Value, json};

use super::{apply, cluster, objects};

const ACCOUNT: &str = "system:serviceaccount:arc-system:arc-controller";

/// Whether a user may do something, as the server's authorizer says.
async fn may(server: &RealServer, user: &str, asked: &Value) -> bool {
    let client = server.client_as(user, &["system:authenticated"]).await;
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let review = json!({ "spec": { "resourceAttributes": asked } });
    let (status, answer) = real::call(&client, "POST", path, &review).await;
    assert_eq!(status, 201, "{answer}");
    answer["status"]["allowed"] == true
}

/// Group, resource and verb, in a namespace.
fn attributes(namespace: &str, (group, resource, verb): (&str, &str, &str)) -> Value {
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    json!({
        "namespace": namespace,
        "group": group,
        "resource": resource,
        "subresource": subresource,
        "verb": verb,
    })
}

#[tokio::test]
async fn the_controller_may_do_what_the_chart_says_and_nothing_else() {
    let Some(server) = cluster().await else { return };
    let rendered = Chart::open().render(&json!({ "tenants": ["team-a"] }));
    apply(&server, &objects(&rendered));
    let granted = permissions(&rendered, "arc-system", "arc-controller");
    let verbs = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
    let resources: BTreeSet<(String, String)> = granted
        .iter()
        .map(|one| (one.group.clone(), one.resource.clone()))
        .chain([(String::new(), "configmaps".to_owned()), (String::new(), "namespaces".to_owned())])
        .collect();
    for namespace in ["arc-system", "team-a", "team-b"] {
        for (group, resource) in &resources {
            for verb in verbs {
                let expected = granted.iter().any(|one| {
                    (&one.group, &one.resource, one.verb.as_str()) == (group, resource, verb)
                        && one.namespace.as_deref().is_none_or(|found| found == namespace)
                });
                let mut asked = attributes(namespace, (group, resource, verb));
                if resource == "leases" && verb != "create" {
                    asked["name"] = json!("arc-controller");
                }
                let found = may(&server, ACCOUNT, &asked).await;
                assert_eq!(found, expected, "{asked}");
            }
        }
    }
}

#[tokio::test]
async fn people_get_their_rights_from_the_roles_that_the_cluster_has() {
    let Some(server) = cluster().await else { return };
    if !server.require_controllers() {
        return;
    }
    apply(&server, &objects(&Chart::open().render(&json!({}))));
    for (user, role) in [("viv", "view"), ("ed", "edit"), ("ada", "admin")] {
        let name = format!("test-{role}");
        let role = format!("--clusterrole={role}");
        let user = format!("--user={user}");
        server.kubectl(&["create", "rolebinding", &name, &role, &user, "-n", "team-a"]).ok();
    }
    let group = "arc.opendefense.cloud";
    server
        .until("the roles are aggregated", async || {
            let asked = attributes("team-a", (group, "artifacttypes", "create"));
            may(&server, "ada", &asked).await.then_some(())
        })
        .await;
    for (resource, verb, users) in [
        ("orders", "get", &["viv", "ed", "ada"][..]),
        ("artifactworkflows", "watch", &["viv", "ed", "ada"]),
        ("orders", "create", &["ed", "ada"]),
        ("endpoints", "delete", &["ed", "ada"]),
        ("artifactworkflows", "patch", &["ed", "ada"]),
        ("artifacttypes", "create", &["ada"]),
        ("artifactworkflows", "create", &[]),
        ("artifactworkflows", "delete", &[]),
        ("artifactworkflows/status", "patch", &[]),
        ("orders/status", "patch", &[]),
        ("clusterartifacttypes", "create", &[]),
    ] {
        for user in ["viv", "ed", "ada"] {
            let found = may(&server, user, &attributes("team-a", (group, resource, verb))).await;
            assert_eq!(found, users.contains(&user), "{user} {verb} {resource}");
            let elsewhere = attributes("team-b", (group, resource, verb));
            assert!(!may(&server, user, &elsewhere).await, "{user} {verb} {resource}");
        }
    }
}
