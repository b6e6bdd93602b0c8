//! Runs a pod: its folders, its containers in the order of their dependencies, its outputs.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_api::argo::{NodeType, Outputs, Phase};
use futures::stream::{FuturesUnordered, StreamExt};

use super::chain;
use super::container::{EXECUTOR_FAILED, End, Inside, TERMINATED, run_container};
use super::execute::{Call, Ended, end};
use super::folders::PodFolders;
use super::machine::Machine;
use super::outputs::{declared, forget, of_pod};
use super::recorder::{NewNode, id_of};
use super::stop::{Cause, Stop, after};
use crate::template::{Container, MAIN, Pod};
use crate::text::Scope;

/// Runs a template with containers.
pub(super) async fn run(machine: &Machine, call: &Call<'_>, pod: &Pod) -> Ended {
    let id = match call.begin(machine, NodeType::Pod) {
        Ok(id) => id,
        Err(ended) => return *ended,
    };
    if let Err(message) = begin_containers(machine, call, pod, &id) {
        return end(machine, Ended::error(id, message));
    }
    let permit = tokio::select! {
        permit = machine.pods.acquire() => permit.ok(),
        _cause = call.stop.stopped() => None,
    };
    let folders = machine.folders.pod(&id, &machine.ready, call.template, &pod.mounts);
    let folders = match folders {
        Ok(folders) => folders,
        Err(error) => return end(machine, Ended::error(id, chain(&error))),
    };
    if let Err(error) = forget(call.template, &folders) {
        let message = format!("failed to remove an output of an earlier run: {error}");
        return end(machine, Ended::error(id, message));
    }
    let scope = scope(call, &id);
    let stop = Stop::default();
    let inside = Inside {
        machine,
        template: call.template,
        folders: &folders,
        scope: &scope,
        stop: &stop,
        pod_id: &id,
    };
    let ends = with_deadline(call, &stop, run_containers(inside, call, pod)).await;
    drop(permit);
    let ended = judge(machine, call, &folders, Facts { id, ends: &ends, cause: stop.cause() });
    end(machine, ended)
}

/// Runs the containers; they are stopped with the workflow, or at the pod's own deadline.
async fn with_deadline(
    call: &Call<'_>,
    stop: &Stop,
    work: impl Future<Output = BTreeMap<String, End>>,
) -> BTreeMap<String, End> {
    tokio::pin!(work);
    tokio::select! {
        biased;
        cause = call.stop.stopped() => stop.stop(cause),
        ends = &mut work => return ends,
        () = after(call.template.deadline) => stop.stop(Cause::PodDeadline),
    }
    work.await
}

fn scope(call: &Call<'_>, id: &str) -> Scope {
    let mut scope = call.scope();
    // Without a retry strategy Argo leaves the placeholder as it is.
    let retries = call.attempt.map_or_else(|| "{{retries}}".to_owned(), |try_| try_.to_string());
    for (name, value) in [("pod.name", id), ("node.name", &call.name), ("retries", &retries)] {
        scope.insert(name.to_owned(), Arc::from(value));
    }
    scope
}

/// A container set shows each container as a node from the start.
fn begin_containers(
    machine: &Machine,
    call: &Call<'_>,
    pod: &Pod,
    pod_id: &str,
) -> Result<(), String> {
    if !pod.is_set {
        return Ok(());
    }
    for container in &pod.containers {
        let name = format!("{}.{}", call.name, container.name);
        machine.recorder.begin(NewNode {
            id: id_of(&machine.ready.name, &name),
            name,
            display_name: container.name.clone(),
            type_: NodeType::Container,
            template_name: &call.template.name,
            boundary: Some(pod_id),
            inputs: None,
        })?;
    }
    for container in &pod.containers {
        let child = node_id(machine, call, pod, &container.name);
        if container.dependencies.is_empty() {
            machine.recorder.connect(pod_id, &child);
        }
        for dependency in &container.dependencies {
            machine.recorder.connect(&node_id(machine, call, pod, &dependency.text), &child);
        }
    }
    Ok(())
}

/// Returns the node of a container; the only container of a pod has none of its own.
fn node_id(machine: &Machine, call: &Call<'_>, pod: &Pod, container: &str) -> String {
    if pod.is_set {
        id_of(&machine.ready.name, &format!("{}.{container}", call.name))
    } else {
        call.id(machine)
    }
}

async fn run_containers(inside: Inside<'_>, call: &Call<'_>, pod: &Pod) -> BTreeMap<String, End> {
    let mut ends: BTreeMap<String, End> = BTreeMap::new();
    let mut waiting: Vec<&Container> = pod.containers.iter().collect();
    let mut running = FuturesUnordered::new();
    loop {
        let (ready, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|container| {
            container.dependencies.iter().all(|name| ends.contains_key(&name.text))
        });
        waiting = later;
        for container in ready {
            let id = node_id(inside.machine, call, pod, &container.name);
            let blocked = blocked(container, &ends, inside.stop);
            running.push(async move {
                let end = match blocked {
                    Some(end) => end,
                    None => run_container(inside, container, &id).await,
                };
                (container, id, end)
            });
        }
        let Some((container, id, end)) = running.next().await else { break };
        if pod.is_set {
            let (phase, message) = of_container(&container.name, &end, inside.stop.cause());
            inside.machine.recorder.end(&id, phase, &message, None);
        }
        ends.insert(container.name.clone(), end);
    }
    ends
}

/// A container does not start after one that failed, or when everything stops.
fn blocked(container: &Container, ends: &BTreeMap<String, End>, stop: &Stop) -> Option<End> {
    if stop.cause().is_some() {
        return Some(End::unstarted(TERMINATED, String::new()));
    }
    let failed = container.dependencies.iter().find_map(|name| {
        ends.get(&name.text).filter(|end| end.exit_code != 0).map(|end| (&name.text, end))
    });
    failed.map(|(name, end)| {
        let message = format!("dependency {name:?} exited with non-zero code: {}", end.exit_code);
        End::unstarted(EXECUTOR_FAILED, message)
    })
}

fn of_container(name: &str, end: &End, cause: Option<Cause>) -> (Phase, String) {
    let message = format!("{name}: Error (exit code {}): {}", end.exit_code, end.message);
    match (end.exit_code, cause) {
        (0, _) => (Phase::Succeeded, String::new()),
        (_, Some(cause @ (Cause::Terminated | Cause::Deadline))) => {
            (Phase::Failed, cause.message().to_owned())
        }
        (EXECUTOR_FAILED, _) => (Phase::Error, message),
        _ => (Phase::Failed, message),
    }
}

/// What is known of a pod that ended.
struct Facts<'ends> {
    id: String,
    ends: &'ends BTreeMap<String, End>,
    cause: Option<Cause>,
}

fn judge(machine: &Machine, call: &Call<'_>, folders: &PodFolders, facts: Facts<'_>) -> Ended {
    let Facts { id, ends, cause } = facts;
    let main = ends.get(MAIN);
    let mut outputs = Outputs {
        parameters: declared(call.template),
        result: None,
        exit_code: main.map(|end| end.exit_code.to_string()),
    };
    // The kubelet sorts containers by name, and Argo reports the first that failed.
    let failed = ends.iter().find(|(_, end)| end.exit_code != 0);
    let (phase, message) = match (failed, cause) {
        (None, _) => match of_pod(machine, call.template, folders) {
            Ok(parameters) => {
                outputs.parameters = parameters;
                outputs.result = result(machine, call, main);
                (Phase::Succeeded, String::new())
            }
            Err(message) => {
                (Phase::Error, format!("wait: Error (exit code {EXECUTOR_FAILED}): {message}"))
            }
        },
        (Some(_), Some(cause)) => {
            if cause != Cause::PodDeadline {
                outputs.exit_code = None;
            }
            (Phase::Failed, cause.message().to_owned())
        }
        (Some((name, end)), None) => {
            let mut message = format!("{name}: Error (exit code {})", end.exit_code);
            if !end.message.is_empty() {
                message.push_str(": ");
                message.push_str(&end.message);
            }
            (Phase::Failed, message)
        }
    };
    let outputs = (outputs != Outputs::default()).then_some(outputs);
    Ended { id, phase, message, outputs }
}

/// Argo keeps the standard output only where somebody refers to it.
fn result(machine: &Machine, call: &Call<'_>, main: Option<&End>) -> Option<String> {
    let step = call.display_name.split('(').next().unwrap_or_default();
    let result = main.filter(|_| machine.ready.results_read.contains(step))?.result.clone();
    machine.keep(&result).ok()?;
    Some(result)
}
