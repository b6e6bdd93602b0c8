//! The last lines that a failed container wrote, which is what an operator wants to see at night.
//!
//! Argo may have deleted the pod, or the node is gone: that there is no log is no error.

use arc_core::{attempt::LogOf, redact};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, ResourceExt,
    api::{ListParams, LogParams},
};

use crate::{context::Context, error::chain};

/// Label of a pod: its workflow.
const WORKFLOW_LABEL: &str = "workflows.argoproj.io/workflow";
/// Annotation of a pod: its node.
const NODE_ANNOTATION: &str = "workflows.argoproj.io/node-id";
/// Bytes that are asked for at most; what is kept is less, but the kubelet cuts at the wrong end.
const MAX_FETCHED: i64 = 64 * 1024;
/// Bytes that are kept.
const MAX_KEPT: usize = 2 * 1024;

/// Fetches the log of a container, without what looks like a secret; the empty text where there is none.
pub(crate) async fn fetch(context: &Context, namespace: &str, of: &LogOf) -> String {
    let fetching = tokio::time::timeout(context.options.log_timeout, raw(context, namespace, of));
    match fetching.await {
        Ok(Ok(Some(log))) => {
            let lines = usize::try_from(context.options.log_lines).unwrap_or(usize::MAX);
            redact::tail(&redact::redact(&log), lines, MAX_KEPT)
        }
        Ok(Ok(None)) => String::new(),
        Ok(Err(error)) => {
            tracing::debug!(workflow = of.workflow, error = %chain(&error), "no log of a failed container");
            String::new()
        }
        Err(_) => {
            tracing::debug!(workflow = of.workflow, "the log of a failed container takes too long");
            String::new()
        }
    }
}

async fn raw(context: &Context, namespace: &str, of: &LogOf) -> kube::Result<Option<String>> {
    let pods: Api<Pod> = Api::namespaced(context.client.clone(), namespace);
    let labelled = ListParams::default().labels(&format!("{WORKFLOW_LABEL}={}", of.workflow));
    let found = pods.list_metadata(&labelled).await?;
    let pod = found
        .items
        .iter()
        .find(|pod| pod.annotations().get(NODE_ANNOTATION).is_some_and(|id| *id == of.node_id));
    let Some(pod) = pod else { return Ok(None) };
    let how = LogParams {
        container: Some(of.container.clone()),
        tail_lines: Some(context.options.log_lines.into()),
        limit_bytes: Some(MAX_FETCHED),
        ..LogParams::default()
    };
    pods.logs(&pod.name_any(), &how).await.map(Some)
}
