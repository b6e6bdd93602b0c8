//! Wherever the operator dies, between any two requests or in the middle of one: nothing is lost, nothing is twice.

use std::time::Duration;

use arc_api::labels::{FORCE_AT, RETRY_FAILED};
use arc_kube_fake::{
    Effect, Fault, Matching, Times,
    player::{Play, Recording},
};
use serde_json::{Value, json};

use crate::{
    failures::Story,
    harness::{Cluster, OPERATOR, Operator, Script, order, set},
};

/// A small generator, so that a failure can be had again by its seed.
struct Random(u64);

impl Random {
    fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }
}

/// Starts the operator again and again and kills it at random requests, before they are done or after, until `over`
/// or often enough; gives how often.
async fn kill(cluster: &Cluster, random: &mut Random, over: impl AsyncFn()) -> usize {
    let server = cluster.server();
    let mut kills = 0;
    for _ in 0..=random.below(10) {
        let (matching, span) = match random.below(3) {
            0 => (Matching::any(), 40),
            _ => (Matching::writes(), 8),
        };
        let nth = 1 + random.below(span);
        let effect = if random.below(2) == 0 { Effect::Hang } else { Effect::HangAfter };
        server.inject(Fault::new(matching.by(OPERATOR), Times::Nth(nth), effect));
        let operator = Operator::start(cluster);
        tokio::select! {
            () = server.until_one_hangs() => kills += 1,
            () = over() => {}
        }
        operator.kill().await;
        server.clear_faults();
        server.forget_hanging();
    }
    kills
}

/// An order comes to its end.
async fn killed(seed: u64) -> usize {
    let mut random = Random::of(seed);
    let story = Story::begin().await;
    let kills = kill(&story.cluster, &mut random, async || story.until_over().await).await;
    let operator = Operator::start(&story.cluster);
    story.until_over().await;
    story.cluster.pass(Duration::from_secs(2)).await;
    story.check(&format!("seed {seed}")).await;
    operator.stop().await;
    kills
}

/// What is done once more is done exactly once more.
async fn killed_while_it_is_done_again(seed: u64) -> usize {
    let mut random = Random::of(seed);
    let cluster = Cluster::fake();
    set(&cluster).await;
    let script = Script::new().play("bad", &[Play::brief(Recording::RetriesExhausted)]);
    let _argo = script.start_at(&cluster, f64::INFINITY);
    cluster.create(&order("one", &["good", "bad"])).await;
    let operator = Operator::start(&cluster);
    cluster.until_phase("one", "Failed").await;
    cluster.pass(Duration::from_secs(5)).await;
    operator.kill().await;
    let (annotation, good) = if random.below(2) == 0 { (FORCE_AT, 2) } else { (RETRY_FAILED, 1) };
    let now = cluster.now().as_second().to_string();
    let wish = json!({ "metadata": { "annotations": { annotation: now } } });
    cluster.patch("Order", "one", &wish).await;
    let over = async || {
        let done = async |artifact: &str, attempt: u64| {
            let status = cluster.record(artifact).await?["status"].clone();
            let ended = status["completedAt"].is_string() && status["phase"] != "Running";
            (ended && status["attempt"] == attempt).then_some(())
        };
        cluster.until("bad is done again", async || done("bad", 2).await).await;
        cluster.until("good is where it should be", async || done("good", good).await).await;
    };
    let kills = kill(&cluster, &mut random, over).await;
    let operator = Operator::start(&cluster);
    over().await;
    cluster.pass(Duration::from_secs(5)).await;
    let counts = script.counts();
    let told = || async { format!("seed {seed}, {annotation}\n{}", cluster.tell().await) };
    let expected = (usize::try_from(good).unwrap(), 2);
    assert_eq!((counts["good"], counts["bad"]), expected, "{}", told().await);
    let record = cluster.record("bad").await.unwrap();
    assert_eq!(record["status"]["history"].as_array().unwrap().len(), 1, "{}", told().await);
    operator.stop().await;
    kills
}

/// A workflow that somebody deleted is replaced once.
async fn killed_while_a_workflow_is_gone(seed: u64) -> usize {
    let mut random = Random::of(seed);
    let cluster = Cluster::fake();
    set(&cluster).await;
    let success = Play::brief(Recording::Succeeded).result(&crate::harness::delivered("a"));
    let script = Script::new().play("a", &[Play::all(Recording::Succeeded).until(1), success]);
    let _argo = script.start_at(&cluster, f64::INFINITY);
    cluster.create(&order("one", &["a"])).await;
    let operator = Operator::start(&cluster);
    cluster.until_row(("one", "a"), ("Running", "Running")).await;
    cluster.pass(Duration::from_secs(2)).await;
    let name = cluster.workflows().await.remove(0);
    if random.below(2) == 0 {
        operator.kill().await;
        cluster.delete("Workflow", &name).await;
    } else {
        cluster.delete("Workflow", &name).await;
        operator.kill().await;
    }
    let over = async || drop(cluster.until_phase("one", "Succeeded").await);
    let kills = kill(&cluster, &mut random, over).await;
    let operator = Operator::start(&cluster);
    over().await;
    cluster.pass(Duration::from_secs(5)).await;
    let names: Vec<String> = script.seen().into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, [name.clone(), format!("{name}-2")], "seed {seed}");
    operator.stop().await;
    kills
}

/// A deleted order leaves nothing, and nothing of it is made again.
async fn killed_while_an_order_goes(seed: u64) -> usize {
    let mut random = Random::of(seed);
    let story = Story::begin().await;
    let cluster = &story.cluster;
    let deletion = Duration::from_millis(u64::try_from(random.below(200)).unwrap());
    let deleting = cluster.clone();
    let gone = tokio::spawn(async move {
        deleting.pass(deletion).await;
        deleting.delete("Order", "one").await;
    });
    let over = async || {
        cluster
            .until("the other order is done", async || {
                let other = cluster.get("Order", "two").await?;
                (other["status"]["phase"] == "Succeeded").then_some(())
            })
            .await;
    };
    let kills = kill(cluster, &mut random, over).await;
    gone.await.unwrap();
    let operator = Operator::start(cluster);
    over().await;
    cluster.pass(Duration::from_secs(5)).await;
    let of_one = |object: &Value| object["metadata"]["labels"][arc_api::labels::ORDER] == "one";
    for kind in ["ArtifactWorkflow", "Workflow"] {
        let left = cluster.list(kind).await;
        assert!(!left.iter().any(of_one), "seed {seed}: {kind}\n{}", cluster.tell().await);
    }
    assert_eq!(cluster.workflows().await.len(), 1, "seed {seed}");
    operator.stop().await;
    kills
}

/// How many stories each of the tests below tells; `ARC_STORIES=<n>` tells more.
fn stories() -> u64 {
    std::env::var("ARC_STORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(SEEDS)
}

const SEEDS: u64 = 40;

/// Tells a story with many seeds, half of them in each of two tests, and says how many points that were.
macro_rules! many {
    ($($story:ident: $one:ident, $two:ident;)*) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $one() {
                let mut kills = 0;
                for seed in 0..stories() {
                    kills += $story(2 * seed + 1).await;
                }
                said(kills);
            }

            #[tokio::test(start_paused = true)]
            async fn $two() {
                let mut kills = 0;
                for seed in 0..stories() {
                    kills += $story(2 * seed + 2).await;
                }
                said(kills);
            }
        )*
    };
}

#[expect(clippy::print_stderr, reason = "the number of points is the point")]
fn said(kills: usize) {
    eprintln!("killed at {kills} points");
}

many! {
    killed: an_order_comes_to_its_end, an_order_comes_to_its_end_too;
    killed_while_it_is_done_again: done_again_is_once_again, done_again_is_once_again_too;
    killed_while_a_workflow_is_gone: a_lost_workflow_is_replaced_once, a_lost_workflow_is_replaced_once_too;
    killed_while_an_order_goes: a_deleted_order_leaves_nothing, a_deleted_order_leaves_nothing_too;
}
