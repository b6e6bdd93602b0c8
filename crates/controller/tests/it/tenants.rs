//! Where the operator may see Secrets it does so, and where it may not it holds up nobody.

use std::time::Duration;

use arc_chart::{Chart, rbac};
use arc_controller::Options;
use arc_kube_fake::{ApiServer, Rule, Verb};
use serde_json::json;
use tokio::time::Instant;

use crate::harness::{Cluster, OPERATOR, Operator, Script, endpoint, order, order_of, secret, set};

/// An API server on which the operator may do what the chart lets it do in one tenant's namespace.
fn with_tenant(tenant: &str) -> Cluster {
    let server = ApiServer::with_arc(arc_kube_fake::Options::default());
    grant(&server, tenant);
    Cluster::of(&server)
}

fn grant(server: &ApiServer, tenant: &str) {
    let rendered = Chart::open().render(&json!({ "tenants": [tenant] }));
    let granted = rbac::permissions(&rendered, "arc-system", "arc-controller");
    let rules = granted.iter().map(|one| {
        let rule = Rule::new(&one.group, &[&one.resource], &[&one.verb]);
        one.namespace.as_deref().map_or(rule.clone(), |namespace| rule.in_namespace(namespace))
    });
    server.grant(OPERATOR, rules.collect());
}

fn operator(cluster: &Cluster, namespaces: &[&str]) -> Operator {
    let names = namespaces.iter().map(|name| (*name).to_owned()).collect();
    let options = Options { secret_namespaces: Some(names), ..Operator::options(cluster) };
    Operator::with(cluster, options)
}

/// An order that waits for the Secret `login`.
async fn hold(cluster: &Cluster, name: &str) {
    let artifact = json!({
        "name": name, "type": "oci", "srcRef": { "name": "private" }, "spec": { "repository": name },
    });
    cluster.create(&order_of(name, &[artifact])).await;
    cluster.until_row((name, name), ("Pending", "SecretNotFound")).await;
}

#[tokio::test(start_paused = true)]
async fn a_tenants_secret_is_seen_at_once_although_another_namespace_is_closed() {
    let cluster = with_tenant("default");
    let server = cluster.server();
    set(&cluster).await;
    cluster.create(&endpoint("private", Some("login"))).await;
    let _argo = Script::new().start(&cluster);
    let operator = operator(&cluster, &["closed", "default"]);
    hold(&cluster, "first").await;
    let start = Instant::now();
    cluster.create(&secret("login", "a")).await;
    cluster.until_row(("first", "first"), ("Succeeded", "Succeeded")).await;
    assert!(start.elapsed() < Duration::from_secs(60));
    // What goes while nobody watches is missed by the list that follows.
    server.expire_watches();
    cluster.delete("Secret", "login").await;
    server.compact();
    cluster.pass(Duration::from_secs(120)).await;
    hold(&cluster, "second").await;
    cluster.create(&secret("login", "b")).await;
    cluster.until_row(("second", "second"), ("Succeeded", "Succeeded")).await;
    operator.stop().await;
    let of_operator = server.requests().into_iter().filter(|request| request.user == OPERATOR);
    for request in of_operator {
        let is_closed = request.namespace.as_deref() == Some("closed");
        assert_eq!(request.status == Some(403), is_closed, "{request}");
        if request.resource == "secrets" {
            assert!(request.namespace.is_some(), "never of the whole cluster: {request}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_tenants_no_secret_is_asked_for() {
    let cluster = with_tenant("default");
    set(&cluster).await;
    cluster.create(&endpoint("private", Some("login"))).await;
    cluster.create(&secret("login", "a")).await;
    let _argo = Script::new().start(&cluster);
    let operator = operator(&cluster, &[]);
    hold(&cluster, "held").await;
    let free = json!({ "name": "free", "type": "oci", "spec": { "repository": "free" } });
    cluster.create(&order_of("free", &[free])).await;
    cluster.until_row(("free", "free"), ("Succeeded", "Succeeded")).await;
    operator.stop().await;
    let requests = cluster.server().requests();
    assert!(!requests.iter().any(|one| one.user == OPERATOR && one.resource == "secrets"));
}

/// Requests of the operator for an answer, as `verb resource`.
fn asked(cluster: &Cluster, is_meant: impl Fn(u16) -> bool) -> Vec<String> {
    let requests = cluster.server().requests();
    let own = requests.iter().filter(|one| one.user == OPERATOR);
    own.filter(|one| !matches!(one.verb, Verb::List | Verb::Watch))
        .filter(|one| one.status.is_some_and(&is_meant))
        .map(|one| format!("{} {}", one.verb, one.resource))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_ordered_where_arc_may_not_act_is_held_until_the_namespace_is_a_tenant() {
    let cluster = with_tenant("team-b");
    set(&cluster).await;
    let _argo = Script::new().start(&cluster);
    let other = operator(&cluster, &["team-b"]);
    cluster.pass(Duration::from_secs(120)).await;
    cluster.server().forget_requests();
    cluster.create(&order("one", &["a"])).await;
    let row = cluster.until_row(("one", "a"), ("Pending", "NotATenant")).await;
    let message = row["message"].as_str().unwrap();
    assert!(message.contains("\"default\"") && message.contains("`tenants`"), "{message}");
    cluster.pass(Duration::from_secs(60)).await;
    // It is said once, and asked for once.
    assert_eq!(asked(&cluster, |status| status == 403), ["create workflows"]);
    let statuses = asked(&cluster, |status| status < 300);
    let of_record = statuses.iter().filter(|one| *one == "patch artifactworkflows/status");
    assert_eq!(of_record.count(), 1, "{statuses:?}");
    let mut nightly = order("nightly", &["b"]);
    nightly["spec"]["defaults"]["cron"] = json!({ "schedules": ["0 3 * * *"] });
    cluster.create(&nightly).await;
    cluster.until_row(("nightly", "b"), ("Pending", "NotATenant")).await;
    cluster.pass(Duration::from_secs(60 * 60)).await;
    let refused = asked(&cluster, |status| status == 403).len();
    assert!(refused <= 20, "{refused} times in an hour");
    let events = cluster.list("Event").await;
    let told: Vec<_> = events.iter().map(|one| (&one["reason"], &one["type"])).collect();
    assert_eq!(told, [(&json!("NotATenant"), &json!("Warning")); 2]);
    other.stop().await;
    grant(cluster.server(), "default");
    let operator = operator(&cluster, &["default", "team-b"]);
    cluster.until_row(("one", "a"), ("Succeeded", "Succeeded")).await;
    cluster.until_row(("nightly", "b"), ("Pending", "Scheduled")).await;
    operator.stop().await;
}
