//! The measure of the operator: a client that creates the same objects and does nothing else.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use arc_api::ArtifactWorkflow;
use futures::{StreamExt, stream};
use kube::{
    Api,
    api::{DynamicObject, PostParams},
};
use tokio::{io::AsyncBufReadExt, time::Instant};

use crate::{count, scene};

/// Creates what the file says after a line came in, and prints how many milliseconds it took.
pub(crate) async fn run(kubeconfig: Option<&Path>, file: &Path) {
    let (client, _) = count::client(kubeconfig).await;
    let artifact_workflows: Api<ArtifactWorkflow> =
        Api::namespaced(client.clone(), scene::NAMESPACE);
    let workflows = scene::workflows(&client);
    let lines = BufReader::new(File::open(file).unwrap()).lines();
    let objects: Vec<(ArtifactWorkflow, DynamicObject)> =
        lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    // A connection is opened and the kinds are known before the clock runs, as it is with the operator.
    workflows.list(&kube::api::ListParams::default().limit(1)).await.unwrap();
    println!("ready");
    let mut input = tokio::io::BufReader::new(tokio::io::stdin()).lines();
    input.next_line().await.unwrap();
    let how = PostParams::default();
    let start = Instant::now();
    stream::iter(&objects)
        .for_each_concurrent(scene::PARALLEL, async |(artifact_workflow, workflow)| {
            artifact_workflows.create(&how, artifact_workflow).await.unwrap();
            workflows.create(&how, workflow).await.unwrap();
        })
        .await;
    println!("{}", start.elapsed().as_millis());
}
