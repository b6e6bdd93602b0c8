//! `CronWorkflows`: a run on demand, as Argo's cron controller starts it, and its limits of history.

use jiff::Timestamp;
use kube::{
    Api, Client, Error, ResourceExt,
    api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

use super::resource;

/// The label by which Argo marks the runs of a `CronWorkflow`.
pub const CRON_WORKFLOW: &str = "workflows.argoproj.io/cron-workflow";
/// How many runs Argo keeps where the `CronWorkflow` does not say.
const FAILED_KEPT: u64 = 1;
const SUCCESSFUL_KEPT: u64 = 3;

/// The time of a schedule has come: gives the name of the new Workflow, `None` when the `CronWorkflow` is suspended or
/// forbids a second run beside one that is not over.
///
/// # Errors
///
/// What the API server answers.
pub async fn fire(
    client: &Client,
    (namespace, name): (&str, &str),
    at: Timestamp,
) -> Result<Option<String>, Error> {
    let cron_workflows: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), namespace, &resource("CronWorkflow"));
    let workflows: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), namespace, &resource("Workflow"));
    let cron = cron_workflows.get(name).await?;
    let spec = &cron.data["spec"];
    let runs = ListParams::default().labels(&format!("{CRON_WORKFLOW}={name}"));
    let running = workflows.list(&runs).await?.items.iter().any(|run| !is_over(run));
    if spec["suspend"] == true || (running && spec["concurrencyPolicy"] == "Forbid") {
        return Ok(None);
    }
    let run = serde_json::from_value(run(&cron, at)).map_err(Error::SerdeError)?;
    let run = workflows.create(&PostParams::default(), &run).await?;
    let status = json!({ "status": {
        "active": [{
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "name": run.name_any(),
            "namespace": namespace,
            "uid": run.uid(),
        }],
        "lastScheduledTime": at.to_string(),
        "phase": "Active",
    } });
    cron_workflows.patch(name, &PatchParams::default(), &Patch::Merge(status)).await?;
    Ok(Some(run.name_any()))
}

/// A run as Argo makes it out of a `CronWorkflow`.
fn run(cron: &DynamicObject, at: Timestamp) -> Value {
    let spec = &cron.data["spec"];
    let name = cron.name_any();
    let mut labels = spec["workflowMetadata"]["labels"].clone();
    labels[CRON_WORKFLOW] = name.as_str().into();
    let mut annotations = spec["workflowMetadata"]["annotations"].clone();
    annotations["workflows.argoproj.io/scheduled-time"] = at.to_string().into();
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {
            "name": format!("{name}-{}", at.as_second()),
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [{
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "CronWorkflow",
                "name": name,
                "uid": cron.uid(),
                "controller": true,
                "blockOwnerDeletion": true,
            }],
        },
        "spec": spec["workflowSpec"],
    })
}

fn is_over(run: &DynamicObject) -> bool {
    matches!(run.data["status"]["phase"].as_str(), Some("Succeeded" | "Failed" | "Error"))
}

/// Deletes the oldest runs of a `CronWorkflow` that are more than it wants to keep. A Workflow of nobody stays.
pub(super) async fn prune(client: &Client, workflow: &DynamicObject) {
    let (namespace, labels) = (workflow.namespace().unwrap_or_default(), workflow.labels());
    let Some(name) = labels.get(CRON_WORKFLOW) else { return };
    let cron_workflows: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), &namespace, &resource("CronWorkflow"));
    let workflows: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), &namespace, &resource("Workflow"));
    let Ok(Some(cron)) = cron_workflows.get_opt(name).await else { return };
    let limit = |field: &str, otherwise| cron.data["spec"][field].as_u64().unwrap_or(otherwise);
    let runs = ListParams::default().labels(&format!("{CRON_WORKFLOW}={name}"));
    let Ok(mut runs) = workflows.list(&runs).await else { return };
    runs.items.sort_by_key(|run| std::cmp::Reverse((run.creation_timestamp(), run.name_any())));
    let mut kept = (0, 0);
    for run in runs.items.iter().filter(|run| is_over(run)) {
        let succeeded = run.data["status"]["phase"] == "Succeeded";
        let (count, most) = if succeeded {
            (&mut kept.0, limit("successfulJobsHistoryLimit", SUCCESSFUL_KEPT))
        } else {
            (&mut kept.1, limit("failedJobsHistoryLimit", FAILED_KEPT))
        };
        *count += 1;
        if *count > most {
            // Gone already is as good as deleted.
            let _ = workflows.delete(&run.name_any(), &DeleteParams::background()).await;
        }
    }
}
