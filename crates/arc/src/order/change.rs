//! `arc order retry` and `arc order cancel`: a word to the controller, as an annotation.

use arc_api::{ArtifactWorkflow, Order, labels};
use arc_steps::Exit;
use jiff::Timestamp;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::cluster::{Cluster, failed};
use super::story::Story;
use crate::cli::{OrderCancel, OrderRetry};
use crate::report::Failure;

/// Does once more what failed, or everything.
#[expect(clippy::print_stdout, reason = "this is the outcome")]
pub(super) async fn retry(args: &OrderRetry) -> Result<Exit, Failure> {
    let cluster = Cluster::connect(&args.place).await?;
    let story = Story::read(&cluster, &args.name).await?;
    let key = if args.all { labels::FORCE_AT } else { labels::RETRY_FAILED };
    let wish = json!({"metadata": {"annotations": {key: moment(&story).to_string()}}});
    apply(&cluster, &story, args.artifact.as_deref(), &wish).await?;
    let what = if args.all { "everything" } else { "what failed" };
    println!("order {}: {what} is done once more", of(args.artifact.as_deref(), &args.name));
    Ok(Exit::Done)
}

/// Suspends an order and stops what runs.
#[expect(clippy::print_stdout, reason = "this is the outcome")]
pub(super) async fn cancel(args: &OrderCancel) -> Result<Exit, Failure> {
    let cluster = Cluster::connect(&args.place).await?;
    let story = Story::read(&cluster, &args.name).await?;
    let mut wish =
        json!({"metadata": {"annotations": {labels::STOP_AT: moment(&story).to_string()}}});
    if args.artifact.is_none() {
        wish["spec"] = json!({"suspend": true});
    }
    apply(&cluster, &story, args.artifact.as_deref(), &wish).await?;
    println!("order {}: what runs is stopped", of(args.artifact.as_deref(), &args.name));
    Ok(Exit::Done)
}

fn of(artifact: Option<&str>, order: &str) -> String {
    artifact.map_or_else(|| order.to_owned(), |artifact| format!("{order}, artifact {artifact}"))
}

/// Now, or just after the latest attempt where its clock is ahead of ours.
fn moment(story: &Story) -> i64 {
    let submitted = story.deliveries.values().filter_map(|delivery| {
        Some(delivery.status.as_ref()?.submitted_at.as_ref()?.0.as_second() + 1)
    });
    submitted.chain([Timestamp::now().as_second()]).max().unwrap_or_default()
}

/// Writes the wish on the order, or on the delivery of one artifact.
async fn apply(
    cluster: &Cluster,
    story: &Story,
    artifact: Option<&str>,
    wish: &Value,
) -> Result<(), Failure> {
    let how = PatchParams::default();
    let patch = Patch::Merge(wish);
    let name = story.order.metadata.name.clone().unwrap_or_default();
    let written = match artifact {
        None => {
            let orders: Api<Order> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
            orders.patch_metadata(&name, &how, &patch).await.map(drop)
        }
        Some(artifact) => {
            let delivery = delivery(story, artifact)?;
            let deliveries: Api<ArtifactWorkflow> =
                Api::namespaced(cluster.client.clone(), &cluster.namespace);
            deliveries.patch_metadata(&delivery, &how, &patch).await.map(drop)
        }
    };
    written.map_err(|error| failed("write the annotation", &error))
}

fn delivery(story: &Story, artifact: &str) -> Result<String, Failure> {
    let row = story.rows().iter().find(|row| row.name == artifact);
    let found = row.and_then(|row| row.artifact_workflow.clone());
    found.ok_or_else(|| {
        let names: Vec<_> = story.rows().iter().map(|row| row.name.as_str()).collect();
        let message = format!("the order has no artifact {artifact:?} that was begun");
        let hint = if names.is_empty() {
            "the controller has not looked at the order yet".to_owned()
        } else {
            format!("its artifacts are {}", names.join(", "))
        };
        Failure::new(Exit::WrongInput, message).hint(hint)
    })
}
