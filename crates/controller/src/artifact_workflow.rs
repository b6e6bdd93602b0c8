//! The reconciler of artifact workflows: one delivery, and the Argo workflows that are its attempts.

mod observe;

use std::time::Duration;

use arc_api::{ArtifactWorkflow, argo::Workflow};
use arc_core::attempt::{Actions, Defaults, Note, act};
use jiff::Timestamp;
use kube::Resource;

use self::observe::Seen;
use crate::{context::Context, error::Error, log, wait::until, world::Key};

/// How long a table may lag behind what the API server says.
const LAG: Duration = Duration::from_secs(1);
/// Answers that a decision may ask for: a log, and whether a workflow exists.
const MAX_QUESTIONS: usize = 2;
/// How often to ask again where ARC may not act: who adds a tenant starts the controller anew, and then it looks at once.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// One pass over one delivery.
pub(crate) async fn reconcile(context: &Context, key: &Key) -> Result<Option<Duration>, Error> {
    let now = context.now();
    let Some(mut seen) = dereference(context, key) else { return Ok(None) };
    let Some(actions) = decide(context, &mut seen, now).await? else { return Ok(Some(LAG)) };
    let is_first = match apply(context, &seen, &actions).await {
        Err(error) if is_no_tenants(context, &error) => return hold(context, seen, now).await,
        applied => applied?,
    };
    if is_first {
        // That it is at work can be written down once everybody's work is begun.
        return Ok(Some(Duration::ZERO));
    }
    update_status(context, &seen, &actions).await?;
    Ok(actions.look_again.map(|at| until(at, now)))
}

/// Whether nothing could be made because ARC has no right to act in the namespace.
fn is_no_tenants(context: &Context, error: &Error) -> bool {
    let tenants = context.options.secret_namespaces.as_ref();
    error.is_forbidden_to_make()
        && tenants.is_some_and(|tenants| !tenants.contains(&error.namespace))
}

/// Writes down that nothing may begin here.
async fn hold(
    context: &Context,
    mut seen: Seen,
    now: Timestamp,
) -> Result<Option<Duration>, Error> {
    seen.is_forbidden = true;
    let Some(actions) = decide(context, &mut seen, now).await? else { return Ok(Some(LAG)) };
    update_status(context, &seen, &actions).await?;
    Ok(Some(PATIENCE))
}

/// Reads what is around the delivery, from the tables.
fn dereference(context: &Context, key: &Key) -> Option<Seen> {
    Seen::read(&context.world.read(), key)
        .filter(|seen| seen.artifact_workflow.meta().deletion_timestamp.is_none())
}

/// Asks the rules, and fetches the little they may want to know beyond the tables; `None` when a table lags behind.
async fn decide(
    context: &Context,
    seen: &mut Seen,
    now: Timestamp,
) -> Result<Option<Actions>, Error> {
    let defaults = Defaults {
        keep_finished: context.options.keep_finished,
        keep_failed: context.options.keep_failed,
    };
    let mut actions = seen.with(|observed| act(observed, &defaults, now));
    for _ in 0..MAX_QUESTIONS {
        if let Some(of) = &actions.wants_log {
            seen.log = Some(log::fetch(context, &seen.key.namespace, of).await);
        } else if let Some(name) = &actions.confirm_gone {
            if context.exists::<Workflow>(&seen.key.beside(name)).await? {
                return Ok(None);
            }
            seen.gone = Some(name.clone());
        } else {
            break;
        }
        actions = seen.with(|observed| act(observed, &defaults, now));
    }
    Ok(Some(actions))
}

/// Carries the actions out; tells whether the delivery's first attempt was made.
async fn apply(context: &Context, seen: &Seen, actions: &Actions) -> Result<bool, Error> {
    let Actions { create, cron_workflow, stop, delete, .. } = actions;
    if let Some(workflow) = create {
        context.create(workflow).await?;
    }
    if let Some(cron_workflow) = cron_workflow {
        context.apply(cron_workflow).await?;
    }
    for name in stop {
        context.terminate(&seen.key.beside(name)).await?;
    }
    for workflow in delete.iter().filter_map(|name| seen.workflow(name)) {
        context.delete(workflow).await?;
    }
    Ok(create.is_some() && seen.artifact_workflow.status.is_none())
}

/// Writes the status if it is another one, and tells what changed.
async fn update_status(context: &Context, seen: &Seen, actions: &Actions) -> Result<(), Error> {
    let stored = &seen.artifact_workflow;
    if stored.status.as_ref() != Some(&actions.status) {
        context.apply_status::<ArtifactWorkflow>(stored, &actions.status).await?;
        measure(context, seen, actions);
    }
    let about = stored.object_ref(&());
    for Note { reason, message, is_warning } in &actions.notes {
        context.report(&about, reason.as_str(), message, *is_warning).await;
    }
    // What Argo says of an attempt is large, and everything needed of it is on record now.
    for workflow in seen.recorded(&actions.status) {
        context.world.recorded(workflow);
    }
    Ok(())
}

/// Counts an end that was just written down.
fn measure(context: &Context, seen: &Seen, actions: &Actions) {
    let before = seen.artifact_workflow.status.as_ref();
    let after = &actions.status;
    let has_ended = |phase: Option<arc_api::Phase>| phase.filter(|phase| phase.is_terminal());
    let (Some(phase), None) = (has_ended(after.phase), before.and_then(|one| has_ended(one.phase)))
    else {
        return;
    };
    let times = after.started_at.as_ref().zip(after.completed_at.as_ref());
    let took = times.map(|(start, end)| until(end.0, start.0)).unwrap_or_default();
    let bytes = after.result.as_ref().map(|result| result.bytes_moved).unwrap_or_default();
    context.metrics.delivered(phase, took, bytes);
}
