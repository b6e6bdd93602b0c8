//! Two replicas, of which one works.

use std::time::Duration;

use arc_kube_fake::{
    ApiServer, Effect, Fault, Matching, Times, Verb,
    player::{Play, Recording},
};
use tokio::time::Instant;

use crate::harness::{Cluster, Operator, Script, grant, order, set};

/// What an installation has that says nothing.
const LEASE: Duration = Duration::from_secs(15);

fn cluster() -> Cluster {
    let cluster = Cluster::fake();
    let server = cluster.server();
    server.add_namespace("arc-system");
    for replica in ["one", "two"] {
        grant(server, replica);
    }
    cluster
}

fn replica(cluster: &Cluster, name: &str) -> Operator {
    Operator::elected(cluster, cluster.server().client_as(name), name)
}

/// Numbers of the writes of a replica, those to the lease aside.
fn writes(server: &ApiServer, replica: &str) -> Vec<usize> {
    let requests = server.requests();
    let own = requests.iter().filter(|request| request.user == replica && request.verb.is_write());
    own.filter(|request| request.resource != "leases").map(|request| request.number).collect()
}

#[tokio::test(start_paused = true)]
async fn a_killed_leader_is_followed_within_the_time_of_the_lease_and_nothing_is_twice() {
    for nth in 1..=14 {
        let cluster = cluster();
        let server = cluster.server();
        set(&cluster).await;
        let script = Script::new().play("bad", &[Play::brief(Recording::RefusedByScan)]);
        let _argo = script.start_at(&cluster, f64::INFINITY);
        cluster.create(&order("one", &["a", "b", "bad"])).await;
        let matching = Matching::writes().by("one");
        server.inject(Fault::new(matching, Times::Nth(nth), Effect::HangAfter));
        let one = replica(&cluster, "one");
        cluster.pass(Duration::from_millis(100)).await;
        let two = replica(&cluster, "two");
        server.until_one_hangs().await;
        let start = Instant::now();
        one.kill().await;
        let done = writes(server, "two").len();
        assert_eq!(done, 0, "two work at once");
        cluster.until_phase("one", "Failed").await;
        let took = start.elapsed();
        assert!(took < LEASE + Duration::from_secs(5), "{nth}: {took:?}");
        cluster.pass(Duration::from_secs(30)).await;
        let counts = script.counts();
        assert!(counts.values().all(|count| *count == 1) && counts.len() == 3, "{counts:?}");
        two.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_ends_properly_hands_over_at_once() {
    let cluster = cluster();
    set(&cluster).await;
    let script = Script::new();
    let _argo = script.start(&cluster);
    let one = replica(&cluster, "one");
    cluster.pass(Duration::from_secs(1)).await;
    let two = replica(&cluster, "two");
    cluster.create(&order("first", &["a"])).await;
    cluster.until_phase("first", "Succeeded").await;
    one.stop().await;
    cluster.create(&order("second", &["b"])).await;
    let start = Instant::now();
    cluster.until_phase("second", "Succeeded").await;
    let took = start.elapsed();
    assert!(took < Duration::from_secs(15), "{took:?}");
    assert!(!writes(cluster.server(), "two").is_empty());
    two.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_renew_stops_before_the_other_begins() {
    let cluster = cluster();
    let server = cluster.server();
    set(&cluster).await;
    let script = Script::new();
    let _argo = script.start(&cluster);
    let _one = replica(&cluster, "one");
    cluster.pass(Duration::from_secs(1)).await;
    let _two = replica(&cluster, "two");
    cluster.create(&order("first", &["a"])).await;
    cluster.until_phase("first", "Succeeded").await;
    // Only the lease is out of its reach: it could go on with everything else.
    let lease = Matching { resource: Some("leases".to_owned()), ..Matching::any() }.by("one");
    server.inject(Fault::new(lease, Times::Always, Effect::Close));
    for number in 0..60 {
        cluster.create(&order(&format!("later-{number}"), &[&format!("later-{number}")])).await;
        cluster.pass(Duration::from_secs(1)).await;
    }
    cluster.until_phase("later-59", "Succeeded").await;
    let (one, two) = (writes(server, "one"), writes(server, "two"));
    assert!(one.last() < two.first(), "one wrote {:?}, two began at {:?}", one.last(), two.first());
    assert_eq!(script.seen().len(), 61);
    let counts = script.counts();
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn who_does_not_lead_reads_nothing_but_the_lease() {
    let cluster = cluster();
    set(&cluster).await;
    let one = replica(&cluster, "one");
    cluster.pass(Duration::from_secs(1)).await;
    let two = replica(&cluster, "two");
    cluster.pass(Duration::from_secs(60)).await;
    let requests = cluster.server().requests();
    let others = requests.iter().filter(|one| one.user == "two" && one.resource != "leases");
    assert_eq!(others.count(), 0);
    let renewals = requests.iter().filter(|one| one.user == "one" && one.verb == Verb::Update);
    let renewals = renewals.count();
    assert!((5..40).contains(&renewals), "{renewals} renewals in a minute");
    one.stop().await;
    two.stop().await;
}
