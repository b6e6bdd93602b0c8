//! `arc order logs`: what the steps write, or what is left of it.

use arc_api::OrderArtifactStatus;
use arc_steps::Exit;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, LogParams};
use kube::{Api, ResourceExt};

use super::cluster::Cluster;
use super::story::Story;
use crate::cli::OrderLogs;
use crate::report::{Failure, chain};

/// Label of a pod: its workflow.
const WORKFLOW: &str = "workflows.argoproj.io/workflow";
/// Annotation of a pod: the path of its step.
const NODE_NAME: &str = "workflows.argoproj.io/node-name";
/// Argo's own containers, of which nobody wants to read.
const OF_ARGO: [&str; 2] = ["wait", "init"];
/// What Argo calls a container that has the pod to itself.
const ONLY: &str = "main";

/// Runs the command.
pub(super) async fn run(args: &OrderLogs) -> Result<Exit, Failure> {
    let cluster = Cluster::connect(&args.place).await?;
    let story = Story::read(&cluster, &args.name).await?;
    let wanted = |row: &&OrderArtifactStatus| {
        args.artifact.as_ref().is_none_or(|artifact| *artifact == row.name)
    };
    let mut is_empty = true;
    for row in story.rows().iter().filter(wanted) {
        is_empty &= !of_artifact(&cluster, &story, row, args.step.as_deref()).await?;
    }
    if is_empty {
        let message = "nothing was written yet, or its pods are gone".to_owned();
        return Err(Failure::new(Exit::Failed, message)
            .hint(format!("`arc order status {} -o wide` shows where it stands", args.name)));
    }
    Ok(Exit::Done)
}

/// Prints the log of one artifact, and tells whether there was one.
async fn of_artifact(
    cluster: &Cluster,
    story: &Story,
    row: &OrderArtifactStatus,
    step: Option<&str>,
) -> Result<bool, Failure> {
    let Some(record) = story.record(row) else { return Ok(false) };
    let Some(workflow) = &record.workflow else { return Ok(false) };
    let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let of_workflow = ListParams::default().labels(&format!("{WORKFLOW}={workflow}"));
    let mut found = pods
        .list(&of_workflow)
        .await
        .map_err(|error| super::cluster::failed("list pods", &error))?
        .items;
    found.sort_by_key(|pod| (pod.creation_timestamp().map(|made| made.0), pod.name_any()));
    let mut has_said = false;
    for pod in &found {
        for (container, called) in containers(pod) {
            if step.is_some_and(|step| step != called) {
                continue;
            }
            let how = LogParams { container: Some(container), ..LogParams::default() };
            // One that has not started has no log; the others still have theirs.
            let text = pods.logs(&pod.name_any(), &how).await;
            let text = text.unwrap_or_else(|error| format!("no log: {}", chain(&error)));
            has_said |= print(&row.name, &called, &text);
        }
    }
    if !has_said && let Some(log) = &record.log {
        let failed = record.steps.iter().find(|one| one.exit_code.is_some_and(|code| code != 0));
        let called = failed.map_or("", |step| &step.name);
        has_said = step.is_none_or(|step| step == called) && print(&row.name, called, log);
    }
    Ok(has_said)
}

/// The containers of a pod, with what their steps are called.
fn containers(pod: &Pod) -> Vec<(String, String)> {
    let names = pod.spec.iter().flat_map(|spec| &spec.containers).map(|one| one.name.clone());
    let names: Vec<String> = names.filter(|name| !OF_ARGO.contains(&name.as_str())).collect();
    let path = pod.annotations().get(NODE_NAME).cloned().unwrap_or_default();
    let is_alone = names.len() == 1 && names[0] == ONLY;
    names
        .into_iter()
        .map(|name| {
            let last = path.rsplit('.').next().unwrap_or_default();
            let called = if is_alone && !last.is_empty() { last.to_owned() } else { name.clone() };
            (name, called)
        })
        .collect()
}

#[expect(clippy::print_stdout, reason = "the log is the outcome")]
fn print(artifact: &str, step: &str, text: &str) -> bool {
    for line in text.lines() {
        println!("{artifact}/{step}: {line}");
    }
    !text.trim().is_empty()
}
