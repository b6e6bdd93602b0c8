//! Whatever goes wrong with requests and watches: nothing is lost, nothing is twice.

use std::{collections::BTreeMap, time::Duration};

use arc_kube_fake::{
    Effect, Fault, Matching, Times, Verb,
    player::{Play, Playing, Recording},
};
use serde_json::{Value, json};

use crate::harness::{Cluster, OPERATOR, Operator, Script, order, order_of, set};

/// Writes that the story needs when nothing goes wrong, and some more.
const WRITES: usize = 26;

/// Two orders: three artifacts, of which one is refused, and one that brings the same as one of the three.
pub(crate) struct Story {
    pub(crate) cluster: Cluster,
    script: Script,
    _argo: Playing,
}

impl Story {
    pub(crate) async fn begin() -> Self {
        let cluster = Cluster::fake();
        set(&cluster).await;
        let script = Script::new().play("bad", &[Play::brief(Recording::RefusedByScan)]);
        let argo = script.start_at(&cluster, f64::INFINITY);
        cluster.create(&order("one", &["good", "also", "bad"])).await;
        let same = json!({ "name": "same", "type": "oci", "spec": { "repository": "good" } });
        cluster.create(&order_of("two", &[same])).await;
        Self { cluster, script, _argo: argo }
    }

    fn phase(&self, order: &str) -> Option<String> {
        let table = "orders.arc.opendefense.cloud";
        let order = self.cluster.server().object(table, "default", order)?;
        order["status"]["phase"].as_str().map(str::to_owned)
    }

    fn is_over(&self) -> bool {
        self.phase("one").as_deref() == Some("Failed")
            && self.phase("two").as_deref() == Some("Succeeded")
    }

    /// Waits until both orders are done.
    pub(crate) async fn until_over(&self) {
        self.cluster.until("both orders are done", async || self.is_over().then_some(())).await;
    }

    /// It is as it would have been, with each thing done once.
    pub(crate) async fn check(&self, what: &str) {
        let once = ["also", "bad", "good", "same"].map(|name| (name.to_owned(), 1));
        let counts = self.script.counts();
        assert_eq!(counts, BTreeMap::from(once), "{what}\n{}", self.cluster.tell().await);
        let records = self.cluster.list("ArtifactWorkflow").await;
        let mut ends: Vec<(Value, Value, Value)> = records
            .iter()
            .map(|record| {
                let status = &record["status"];
                let label = record["metadata"]["labels"][arc_api::labels::ARTIFACT].clone();
                (label, status["reason"].clone(), status["attempt"].clone())
            })
            .collect();
        ends.sort_by_key(|end| end.0.to_string());
        let end = |name: &str, reason: &str| (json!(name), json!(reason), json!(1));
        let expected = vec![
            end("also", "Succeeded"),
            end("bad", "ScanRefused"),
            end("good", "Succeeded"),
            end("same", "Succeeded"),
        ];
        assert_eq!(ends, expected, "{what}\n{}", self.cluster.tell().await);
        assert_eq!(self.cluster.workflows().await.len(), 4, "{what}");
        for (order, counted) in [("one", (3, 2, 1)), ("two", (1, 1, 0))] {
            let order = self.cluster.get("Order", order).await.unwrap();
            let counts = &order["status"]["counts"];
            let found = ["total", "succeeded", "failed"].map(|field| counts[field].as_u64());
            let expected = [Some(counted.0), Some(counted.1), Some(counted.2)];
            assert_eq!(found, expected, "{what}: {order:#}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_write_failing_in_turn_comes_to_the_same_end() {
    let effects = [
        Effect::Answer { code: 500, reason: "InternalError" },
        Effect::Conflict,
        Effect::Close,
        Effect::CloseAfter,
        Effect::AnswerAfter { code: 504, reason: "Timeout" },
    ];
    for effect in effects {
        for nth in 1..=WRITES {
            let story = Story::begin().await;
            let matching = Matching::writes().by(OPERATOR);
            story.cluster.server().inject(Fault::new(matching, Times::Nth(nth), effect.clone()));
            let operator = Operator::start(&story.cluster);
            story.until_over().await;
            story.cluster.pass(Duration::from_secs(2)).await;
            story.check(&format!("write {nth}, {effect:?}")).await;
            operator.stop().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_second_write_failing_comes_to_the_same_end() {
    for effect in [Effect::Conflict, Effect::Close, Effect::CloseAfter] {
        for every in [2, 3, 5] {
            let story = Story::begin().await;
            let matching = Matching::writes().by(OPERATOR);
            let fault = Fault::new(matching, Times::Every(every), effect.clone());
            story.cluster.server().inject(fault);
            let operator = Operator::start(&story.cluster);
            story.until_over().await;
            story.cluster.pass(Duration::from_secs(60)).await;
            story.check(&format!("every {every}th write, {effect:?}")).await;
            operator.stop().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn watches_that_break_at_every_event_come_to_the_same_end() {
    for abruptly in [false, true] {
        for after in 0..12 {
            let story = Story::begin().await;
            let watches = Matching { verb: Some(Verb::Watch), ..Matching::any() }.by(OPERATOR);
            let effect = Effect::EndWatch { after, abruptly };
            story.cluster.server().inject(Fault::new(watches, Times::First(40), effect));
            let operator = Operator::start(&story.cluster);
            story.until_over().await;
            story.cluster.pass(Duration::from_secs(2)).await;
            story.check(&format!("after {after} events, abruptly: {abruptly}")).await;
            operator.stop().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn versions_that_are_too_old_come_to_the_same_end() {
    for (what, times) in [("first", Times::First(25)), ("third", Times::Every(3))] {
        let story = Story::begin().await;
        let watches = Matching { verb: Some(Verb::Watch), ..Matching::any() }.by(OPERATOR);
        story.cluster.server().inject(Fault::new(watches, times, Effect::Expire));
        let operator = Operator::start(&story.cluster);
        story.until_over().await;
        story.cluster.pass(Duration::from_secs(2)).await;
        story.check(what).await;
        operator.stop().await;
    }
    // All watches are told so while the work goes on, and the history is gone too.
    let story = Story::begin().await;
    let operator = Operator::start(&story.cluster);
    for turn in 0..200 {
        story.cluster.pass(Duration::from_millis(7)).await;
        let server = story.cluster.server();
        match turn % 3 {
            0 => server.expire_watches(),
            1 => server.end_watches(),
            _ => server.compact(),
        }
    }
    story.until_over().await;
    story.cluster.pass(Duration::from_secs(2)).await;
    story.check("all watches, again and again").await;
    operator.stop().await;
}

#[tokio::test(start_paused = true)]
async fn lists_that_fail_delay_the_start_and_nothing_else() {
    for nth in 1..=12 {
        let story = Story::begin().await;
        let lists = Matching { verb: Some(Verb::List), ..Matching::any() }.by(OPERATOR);
        let effect = Effect::Answer { code: 503, reason: "ServiceUnavailable" };
        story.cluster.server().inject(Fault::new(lists, Times::Nth(nth), effect));
        let operator = Operator::start(&story.cluster);
        story.until_over().await;
        story.check(&format!("list {nth}")).await;
        operator.stop().await;
    }
}
