//! The reconciler of endpoints: whether they are well formed, who uses them, and what a probe found.
//!
//! Nothing here opens a connection to an endpoint: a probe is a workflow in the endpoint's namespace, made on request,
//! read once, and deleted when what it found is on record.

mod users;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use arc_api::{Endpoint, EndpointStatus, argo::Workflow, conditions};
use arc_core::endpoint::{derive_status, probe_wanted, probe_workflow};
use jiff::Timestamp;
use kube::{Resource, ResourceExt};

use self::users::Users;
use crate::{
    context::Context,
    error::Error,
    wait::until,
    world::{Key, Kind, Subject},
};

/// What is around an endpoint, as the tables show it.
#[derive(Debug)]
struct Seen {
    endpoint: Arc<Endpoint>,
    users: Users,
    secret_exists: bool,
    /// Its workflows by name: the probe that is asked for, and those of earlier wishes.
    probes: BTreeMap<String, Arc<Workflow>>,
}

/// What should be.
#[derive(Debug)]
struct Plan {
    status: EndpointStatus,
    /// The probe to begin with.
    create: Option<Workflow>,
    /// Probes that are on record, or that nobody asks for any more.
    delete: Vec<Arc<Workflow>>,
    look_again: Option<Timestamp>,
}

/// One pass over one endpoint.
pub(crate) async fn reconcile(context: &Context, key: &Key) -> Result<Option<Duration>, Error> {
    let now = context.now();
    let Some(seen) = dereference(context, key) else { return Ok(None) };
    let plan = plan(&seen, now);
    if let Some(probe) = &plan.create {
        context.create(probe).await?;
    }
    update_status(context, &seen, &plan).await?;
    // Only now is what they found on record.
    for probe in &plan.delete {
        context.delete(&**probe).await?;
    }
    Ok(plan.look_again.map(|at| until(at, now)))
}

/// Reads what is around the endpoint, from the tables.
fn dereference(context: &Context, key: &Key) -> Option<Seen> {
    let state = context.world.read();
    let endpoint = state.endpoints.get(key);
    let endpoint = endpoint.filter(|endpoint| endpoint.meta().deletion_timestamp.is_none())?;
    let subject = Subject::new(Kind::Endpoint, key.clone());
    let secret = endpoint.spec.secret_ref.as_ref().map(|secret| key.beside(&secret.name));
    Some(Seen {
        users: Users::of(&subject, &state),
        secret_exists: secret.is_none_or(|secret| state.secrets.has(&secret)),
        probes: state.owned::<Workflow>(&subject, &*endpoint),
        endpoint,
    })
}

/// Asks the rules.
fn plan(seen: &Seen, now: Timestamp) -> Plan {
    let Seen { endpoint, users, secret_exists, probes } = seen;
    let derive = |probe| derive_status(endpoint, &users.sides(), *secret_exists, probe, now);
    let mut kept = None;
    let (mut create, mut look_again) = (None, None);
    match probe_wanted(endpoint) {
        Some(at) if at > now => look_again = Some(at),
        Some(at) => {
            let wanted = probe_workflow(endpoint, at);
            kept = probes.get(&wanted.name_any());
            // One that lacks its Secret would wait for it until its deadline.
            create = Some(wanted).filter(|_| kept.is_none() && is_valid(&derive(None)));
        }
        None => {}
    }
    let status = derive(kept.map(|probe| &**probe).or(create.as_ref()));
    let is_recorded = was_probed(endpoint, &status);
    let is_over = |probe: &&Arc<Workflow>| is_recorded || kept != Some(*probe);
    Plan { delete: probes.values().filter(is_over).cloned().collect(), status, create, look_again }
}

/// Writes the status if it is another one, and tells what a probe found.
async fn update_status(context: &Context, seen: &Seen, plan: &Plan) -> Result<(), Error> {
    let (endpoint, status) = (&*seen.endpoint, &plan.status);
    if endpoint.status.as_ref() == Some(status) {
        return Ok(());
    }
    context.apply_status::<Endpoint>(endpoint, status).await?;
    if was_probed(endpoint, status)
        && let Some((reason, message, is_warning)) = verdict(status)
    {
        context.report(&endpoint.object_ref(&()), reason, message, is_warning).await;
    }
    Ok(())
}

/// Tells whether a probe answered that is not on record yet.
fn was_probed(endpoint: &Endpoint, status: &EndpointStatus) -> bool {
    let before = endpoint.status.as_ref().and_then(|status| status.probed_at.as_ref());
    status.probed_at.as_ref() != before
}

fn is_valid(status: &EndpointStatus) -> bool {
    let mut conditions = status.conditions.iter();
    conditions.any(|one| one.type_ == conditions::VALIDATED && one.status == "True")
}

/// What a probe found, in reason and message; the first condition that is not well, else that all is.
fn verdict(status: &EndpointStatus) -> Option<(&str, &str, bool)> {
    let of = |type_: &str| status.conditions.iter().find(|one| one.type_ == type_);
    let (reachable, authenticated) = (of(conditions::REACHABLE), of(conditions::AUTHENTICATED));
    let found = [reachable, authenticated];
    let wrong = found.into_iter().flatten().find(|one| one.status != "True");
    let shown = wrong.or(authenticated).or(reachable)?;
    let is_warning = found.into_iter().flatten().any(|one| one.status == "False")
        || reachable.is_some_and(|one| one.status != "True");
    Some((&shown.reason, &shown.message, is_warning))
}

#[cfg(test)]
mod tests;
