//! Starts the watches, hands out passes, and ends both.

use std::{any::Any, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use arc_api::conditions;
use futures::FutureExt;
use kube::Client;
use tokio::{sync::mpsc, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::{
    Metrics, Options, artifact_workflow,
    context::Context,
    endpoint,
    error::{self, chain},
    metrics::Census,
    order,
    queue::{Queue, Wake},
    world::{Kind, Subject, World, feed},
};

/// Why the operator ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Of several replicas none, or not this one, could be made the leader.
    #[error(transparent)]
    Elect(#[from] crate::lease::Error),
}

/// Runs the reconcilers until `shutdown`, without asking whether another replica does.
///
/// Passes under way then come to their end, for [`Options::shutdown_grace`] at most.
///
/// # Errors
///
/// None so far: whatever goes wrong is tried again.
pub async fn run(
    client: Client,
    options: Options,
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let (wakes, wishes) = mpsc::unbounded_channel();
    let context = Arc::new(Context::new(client, options, Arc::clone(&metrics), wakes));
    let watches = feed(&context);
    let is_synced = tokio::select! {
        () = context.world.wait_until_synced() => true,
        () = shutdown.cancelled() => false,
    };
    if is_synced {
        metrics.synced(true);
        let counted = Arc::downgrade(&context);
        metrics.count_with(move || {
            counted.upgrade().map(|context| census(&context.world)).unwrap_or_default()
        });
        context.world.wake_all();
        let dispatching = dispatch(&context, wishes, &shutdown);
        let passes = metrics.health().watch_over("passes", dispatching).await;
        finish(passes, context.options.shutdown_grace).await;
    }
    metrics.synced(false);
    drop(watches);
    Ok(())
}

/// Waits for the passes under way; what is not done in time is as if the process had been killed.
async fn finish(mut passes: JoinSet<Ended>, grace: Duration) {
    let all = async { while passes.join_next().await.is_some() {} };
    if tokio::time::timeout(grace, all).await.is_err() {
        tracing::warn!(?grace, "passes under way are cut off by the end of the process");
    }
}

/// A pass that came to its end.
struct Ended {
    subject: Subject,
    queued: Duration,
    took: Duration,
    outcome: Outcome,
}

/// When the object wants to be looked at again, the error of the pass, or what a defect of ours said.
type Outcome = Result<Result<Option<Duration>, error::Error>, Box<dyn Any + Send>>;

/// Hands out passes until `shutdown`, and returns those under way then.
async fn dispatch(
    context: &Arc<Context>,
    mut wishes: mpsc::UnboundedReceiver<Wake>,
    shutdown: &CancellationToken,
) -> JoinSet<Ended> {
    let mut queue = Queue::default();
    let mut passes: JoinSet<Ended> = JoinSet::new();
    loop {
        while let Ok(wish) = wishes.try_recv() {
            queue.push(wish, Instant::now());
        }
        while passes.len() < context.options.concurrency.max(1)
            && let Some((subject, queued)) = queue.pop(Instant::now())
        {
            passes.spawn(pass(Arc::clone(context), subject, queued));
        }
        let due = queue.next_due();
        let next = async {
            match due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return passes,
            Some(ended) = passes.join_next() => {
                if let Ok(ended) = ended {
                    note(context, &mut queue, ended);
                }
            }
            Some(wish) = wishes.recv() => queue.push(wish, Instant::now()),
            () = next, if passes.len() < context.options.concurrency.max(1) => {}
        }
    }
}

/// One pass over one object; a defect in it ends nothing else.
async fn pass(context: Arc<Context>, subject: Subject, queued: Duration) -> Ended {
    let start = Instant::now();
    let Subject { kind, key } = &subject;
    let work = async {
        match kind {
            Kind::Order => order::reconcile(&context, key).await,
            Kind::ArtifactWorkflow => artifact_workflow::reconcile(&context, key).await,
            Kind::Endpoint => endpoint::reconcile(&context, key).await,
            _ => Ok(None),
        }
    };
    // Below what is logged: whoever exports traces asks for it.
    let span = tracing::debug_span!(
        target: "arc_controller::pass",
        "pass",
        kind = kind.as_str(),
        namespace = %key.namespace,
        name = %key.name,
        outcome = tracing::field::Empty,
        otel.status_code = tracing::field::Empty,
    );
    let outcome = AssertUnwindSafe(work.instrument(span.clone())).catch_unwind().await;
    let (is_failed, said) = match &outcome {
        Ok(Ok(_)) => (false, "Done"),
        Ok(Err(error)) => (true, error.reason()),
        Err(_) => (true, "Defect"),
    };
    span.record("outcome", said);
    if is_failed {
        span.record("otel.status_code", "ERROR");
    }
    drop(span);
    Ended { queued, took: start.elapsed(), outcome, subject }
}

/// Counts a pass, and tells the queue when the next one is due.
fn note(context: &Context, queue: &mut Queue, ended: Ended) {
    let Ended { subject, queued, took, outcome } = ended;
    let (kind, metrics) = (subject.kind.as_str(), &context.metrics);
    let Subject { key, .. } = &subject;
    let now = Instant::now();
    metrics.pass(kind, false, queued, took);
    let failure = match outcome {
        Ok(Ok(again)) => return queue.succeeded(&subject, again, now),
        Ok(Err(error)) => {
            metrics.failed(kind, error.reason());
            chain(&error)
        }
        Err(defect) => {
            metrics.failed(kind, "Defect");
            let text = defect.downcast_ref::<String>().cloned();
            let text =
                text.or_else(|| defect.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            format!("a defect of the controller: {}", text.unwrap_or_default())
        }
    };
    let after = queue.failed(&subject, context.options.backoff_cap, now);
    tracing::warn!(kind, namespace = %key.namespace, name = %key.name, ?after, error = failure, "a pass failed");
}

/// How many objects there are.
fn census(world: &World) -> Census {
    let mut census = Census::default();
    let state = world.read();
    for order in state.orders.all() {
        let Some(status) = &order.status else {
            census.add_order(arc_api::Phase::Pending);
            continue;
        };
        census.add_order(status.phase.unwrap_or_default());
        for row in &status.artifacts {
            census.add_artifact(row.phase, row.reason.as_deref().unwrap_or_default());
        }
    }
    for endpoint in state.endpoints.all() {
        let conditions = endpoint.status.as_ref().map(|status| status.conditions.as_slice());
        let ready =
            conditions.unwrap_or_default().iter().find(|one| one.type_ == conditions::READY);
        census.add_endpoint(ready.map_or("Unknown", |one| &one.status));
    }
    census
}
