//! Runs one order: validate, plan, hydrate, prepare everything; only then start anything.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use arc_api::{DeliveryResult, Order};
use arc_core::{Delivery, ValidatedOrder};
use arc_engine::{Event, Ready, RunOptions};
use futures::StreamExt as _;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Row, Workshop};
use crate::progress::ArtifactDisplay;
use crate::report::Failure;

/// Artifacts under way at the same time; each moves several blobs at once already.
const CONCURRENCY: usize = 4;

/// Lines kept of what a step complains about: a request has fewer variables than this.
const MAX_COMPLAINTS: usize = 32;

/// One delivery, ready to start.
struct Prepared {
    delivery: Delivery,
    ready: Ready,
}

impl Workshop<'_> {
    /// Runs one order and returns a row for each artifact, in the order's order.
    pub(crate) async fn run(&self, order: &Order, work_dir: &Path) -> Result<Vec<Row>, Failure> {
        let namespace = order.metadata.namespace.clone().unwrap_or_default();
        let name = format!("{namespace}/{}", order.metadata.name.as_deref().unwrap_or_default());
        let validated = arc_core::validate(order, &self.fetched(&namespace));
        let mut rows = invalid(&name, &validated);
        let mut prepared = Vec::new();
        for delivery in arc_core::plan(order, &validated).deliveries {
            match self.prepare(&namespace, &delivery) {
                Ok(ready) => prepared.push(Prepared { delivery, ready }),
                Err(problems) => {
                    rows.extend(each(&delivery, |artifact| {
                        Row::invalid(&name, artifact, &problems)
                    }));
                }
            }
        }
        if order.spec.suspend {
            let suspended = prepared
                .iter()
                .flat_map(|one| each(&one.delivery, |artifact| Row::suspended(&name, artifact)));
            rows.extend(suspended);
        } else {
            rows.extend(self.execute(&name, prepared, work_dir).await);
        }
        rows.sort_by_key(|(index, _)| *index);
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }

    fn prepare(&self, namespace: &str, delivery: &Delivery) -> Result<Ready, Vec<String>> {
        let mut workflow = arc_core::hydrate(&delivery.artifact_workflow);
        // An API server would have given one; it is what the evidence calls this run.
        let name = workflow.metadata.name.clone().unwrap_or_default();
        workflow.metadata.uid = Some(super::uid(&format!("{namespace}/{name}")));
        let objects = self.objects(namespace);
        arc_engine::prepare(&workflow, &self.library, &objects, &self.programs)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    /// Runs all that is ready, several at a time; an interruption ends the steps and is told by their status.
    async fn execute(
        &self,
        order: &str,
        prepared: Vec<Prepared>,
        work_dir: &Path,
    ) -> Vec<(usize, Row)> {
        let cancel = CancellationToken::new();
        let watcher = tokio::spawn({
            let cancel = cancel.clone();
            async move {
                crate::registry::interrupted().await;
                cancel.cancel();
            }
        });
        let runs =
            prepared.into_iter().map(|one| self.execute_one(order, one, work_dir, cancel.clone()));
        let rows: Vec<Vec<_>> =
            futures::stream::iter(runs).buffer_unordered(CONCURRENCY).collect().await;
        watcher.abort();
        rows.into_iter().flatten().collect()
    }

    async fn execute_one(
        &self,
        order: &str,
        Prepared { delivery, ready }: Prepared,
        work_dir: &Path,
        cancel: CancellationToken,
    ) -> Vec<(usize, Row)> {
        let workflow = delivery.artifact_workflow.metadata.name.clone().unwrap_or_default();
        let display = self.display.artifact(&delivery.artifact_name);
        let (sender, receiver) = mpsc::unbounded_channel();
        let options = RunOptions::new(work_dir);
        let (report, complaints) = tokio::join!(
            arc_engine::run(ready, &options, sender, cancel),
            show(receiver, &display)
        );
        let mut status = arc_core::derive_status(&report.status, None);
        // Argo reads outputs of successes only; what a refused delivery found is still in its work folder.
        status.result = status.result.or_else(|| left_result(&report.root));
        let rows = each(&delivery, |artifact| {
            Row::ran(order, artifact, &workflow, status.clone()).explained(&complaints)
        });
        if let Some((_, row)) = rows.first() {
            display.finish(&row.outcome);
        }
        rows
    }
}

/// A row for the delivery's artifact and for each that shares it, with its place in the order.
fn each(delivery: &Delivery, row: impl Fn(&str) -> Row) -> Vec<(usize, Row)> {
    let own = (delivery.artifact_index, delivery.artifact_name.as_str());
    let shared = delivery.shared_with.iter().map(|other| (other.index, other.name.as_str()));
    std::iter::once(own).chain(shared).map(|(index, name)| (index, row(name))).collect()
}

fn invalid(order: &str, validated: &ValidatedOrder) -> Vec<(usize, Row)> {
    let of_artifacts = validated.artifacts.iter().filter_map(|verdict| {
        let mut problems = verdict.outcome.as_ref().err().cloned().unwrap_or_default();
        // A problem of the order stops all its artifacts.
        problems.extend(validated.problems.iter().cloned());
        (!problems.is_empty())
            .then(|| (verdict.index, Row::refused(order, &verdict.name, &problems)))
    });
    let mut rows: Vec<_> = of_artifacts.collect();
    if rows.is_empty() && !validated.problems.is_empty() {
        rows.push((0, Row::refused(order, "", &validated.problems)));
    }
    rows
}

/// Shows what happens and returns what the last failing step complained about: its `error:` and `hint:` lines.
async fn show(
    mut events: mpsc::UnboundedReceiver<Event>,
    display: &ArtifactDisplay,
) -> Vec<String> {
    let mut complaints = Vec::new();
    while let Some(event) = events.recv().await {
        display.show(&event);
        let Event::Log { line, .. } = event else { continue };
        if line.starts_with("error: ") {
            complaints = vec![line];
        } else if line.starts_with("hint: ") && complaints.len() < MAX_COMPLAINTS {
            complaints.push(line);
        }
    }
    complaints
}

/// The newest `result.json` that a pod of the run left in its work folder.
fn left_result(root: &Path) -> Option<DeliveryResult> {
    let pods = std::fs::read_dir(root.join("pods")).ok()?;
    let files = pods.flatten().map(|pod| pod.path().join("root/work/result.json"));
    let newest: Option<(SystemTime, PathBuf)> =
        files.filter_map(|file| Some((file.metadata().ok()?.modified().ok()?, file))).max();
    let text = std::fs::read(newest?.1).ok()?;
    serde_json::from_slice(&text).ok()
}
