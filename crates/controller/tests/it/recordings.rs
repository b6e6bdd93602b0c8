//! Every stream that a real Argo wrote ends in the right words.

use std::time::Duration;

use arc_kube_fake::player::{Play, Recording};
use serde_json::json;

use crate::harness::{Cluster, Operator, Script, delivered, order, set};

/// Recording, phase, reason, and what the message must say.
const ENDS: [(Recording, &str, &str, &str); 12] = [
    (Recording::Succeeded, "Succeeded", "Succeeded", ""),
    (Recording::RetriedThenSucceeded, "Succeeded", "Succeeded", ""),
    (Recording::StepsThreePods, "Succeeded", "Succeeded", ""),
    (Recording::RefusedByScan, "Failed", "ScanRefused", "scan"),
    (Recording::RetriesExhausted, "Failed", "StepFailed", "main"),
    (Recording::DeadlineExceeded, "Failed", "DeadlineExceeded", "deadline"),
    (Recording::OutputMissing, "Error", "InvalidResult", "result.json"),
    (Recording::ImageCannotBePulled, "Failed", "ImagePullFailed", "image"),
    (Recording::Stopped, "Failed", "Stopped", "stopped"),
    (Recording::PodDeleted, "Failed", "StepFailed", "fetch"),
    (Recording::TemplateNotFound, "Error", "WorkflowTemplateNotFound", "no-such-template"),
    (Recording::ParameterMissing, "Failed", "MissingParameter", "specTag"),
];

#[tokio::test(start_paused = true)]
async fn every_recorded_stream_ends_in_its_phase_for_its_reason_with_its_words() {
    let cluster = Cluster::fake();
    set(&cluster).await;
    let script = Script::new();
    for (recording, ..) in ENDS {
        let play = Play::all(recording).result(&delivered(recording.name()));
        script.now(recording.name(), play);
    }
    let _argo = script.start(&cluster);
    let operator = Operator::start(&cluster);
    let artifacts = ENDS.map(|(recording, ..)| recording.name());
    cluster.create(&order("all", &artifacts)).await;
    cluster.until_phase("all", "Failed").await;
    cluster.pass(Duration::from_secs(60)).await;
    let mut wrong = Vec::new();
    for (recording, phase, reason, words) in ENDS {
        let record = cluster.record(recording.name()).await.unwrap();
        let status = &record["status"];
        let message = status["message"].as_str().unwrap_or_default();
        let right = status["phase"] == phase
            && status["reason"] == reason
            && message.to_lowercase().contains(&words.to_lowercase())
            && status["completedAt"].is_string();
        let row = cluster.row("all", recording.name()).await.unwrap();
        let told = row["phase"] == status["phase"] && row["reason"] == status["reason"];
        if !right || !told {
            wrong.push(format!(
                "{}: {} {} {message:?}, row {} {}",
                recording.name(),
                status["phase"],
                status["reason"],
                row["phase"],
                row["reason"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let succeeded = cluster.record("succeeded").await.unwrap();
    let steps = &succeeded["status"]["steps"];
    assert_eq!(steps.as_array().unwrap().len(), 3, "{steps}");
    assert_eq!(succeeded["status"]["result"]["outcome"], "Delivered");
    let row = cluster.row("all", "succeeded").await.unwrap();
    assert_eq!(row["destination"], "internal.example.com/succeeded:1");
    operator.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_log_of_the_container_that_failed_is_in_the_status_without_its_secrets() {
    let cluster = Cluster::fake();
    set(&cluster).await;
    let log = "starting\npassword=hunter2secret\nAuthorization: Bearer abcdefghijklmnop\nrefused: CVE-1\n";
    let play = Play::all(Recording::RefusedByScan).log("scan", log).log("main", "not this one\n");
    let script = Script::new().play("a", &[play]);
    let _argo = script.start(&cluster);
    let operator = Operator::start(&cluster);
    cluster.create(&order("one", &["a"])).await;
    cluster.until_phase("one", "Failed").await;
    let record = cluster.record("a").await.unwrap();
    let log = record["status"]["log"].as_str().unwrap();
    assert!(log.contains("refused: CVE-1"), "{log}");
    assert!(!log.contains("hunter2secret") && !log.contains("abcdefghijklmnop"), "{log}");
    assert!(!log.contains("not this one"), "{log}");
    assert!(cluster.get("Pod", record["metadata"]["name"].as_str().unwrap()).await.is_some());
    assert_eq!(script.counts()["a"], 1);
    operator.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_log_that_cannot_be_had_keeps_no_failure_back() {
    let cluster = Cluster::fake();
    set(&cluster).await;
    let script = Script::new().play("a", &[Play::all(Recording::RefusedByScan)]);
    let _argo = script.start(&cluster);
    let operator = Operator::start(&cluster);
    cluster.create(&order("one", &["a"])).await;
    cluster.until_row(("one", "a"), ("Failed", "ScanRefused")).await;
    let record = cluster.record("a").await.unwrap();
    assert_eq!(record["status"]["log"], json!(null));
    operator.stop().await;
}
