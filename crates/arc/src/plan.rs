//! `arc plan`: exactly what would be created for the orders of some files, and where each parameter comes from.
//!
//! The core decides, as it does in a cluster; nothing is created here and no registry is asked.

mod print;

use std::collections::BTreeMap;

use arc_api::argo::{CronWorkflow, Workflow};
use arc_api::{Order, labels};
use arc_core::attempt::{self, Defaults, Observed};
use arc_core::{Delivery, Fetched, PlannedParameter, Problem};
use arc_steps::Exit;
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::{Plan, PlanOutput};
use crate::manifests::{Key, Manifests};
use crate::report::Failure;
use crate::run::{Workshop, chosen};

/// What would happen to one order.
struct Planned {
    /// `namespace/name`.
    order: String,
    wishes: Vec<Wish>,
    held: Vec<Held>,
}

/// One delivery that would be made.
struct Wish {
    artifact: String,
    /// Other artifacts that wish for exactly the same.
    also_for: Vec<String>,
    object: Object,
    /// Why it would not begin at once.
    note: Option<String>,
    parameters: Vec<PlannedParameter>,
    /// Parameters of the template that nobody sets, with their defaults.
    defaults: BTreeMap<String, String>,
}

/// What would be created.
#[derive(Serialize)]
#[serde(untagged)]
enum Object {
    Once(Box<Workflow>),
    Scheduled(Box<CronWorkflow>),
}

/// An artifact that is held, or the order itself where no artifact is named.
struct Held {
    artifact: Option<String>,
    problems: Vec<Problem>,
}

/// Runs the command.
pub(crate) fn run(args: &Plan) -> Result<Exit, Failure> {
    let manifests = Manifests::read(&args.files).map_err(|error| Failure::input(&error))?;
    let workshop = Workshop::new(&manifests)?;
    let mut plans = Vec::new();
    for (key, order) in chosen(&manifests, args.order.as_deref())? {
        plans.push(planned(&workshop, key, order));
    }
    match args.output {
        PlanOutput::Text => print::text(&plans),
        PlanOutput::Yaml => print::yaml(&plans)?,
        PlanOutput::Json => print::json(&plans),
    }
    let is_held = plans.iter().any(|plan| !plan.held.is_empty());
    Ok(if is_held { Exit::WrongInput } else { Exit::Done })
}

fn planned(workshop: &Workshop<'_>, (namespace, name): &Key, order: &Order) -> Planned {
    let mut order = order.clone();
    order.metadata.namespace = Some(namespace.clone());
    let mut fetched = workshop.fetched(namespace);
    assume_secrets(&mut fetched);
    let validated = arc_core::validate(&order, &fetched);
    let mut held = Vec::new();
    if !validated.problems.is_empty() {
        held.push(Held { artifact: None, problems: validated.problems.clone() });
    }
    held.extend(validated.artifacts.iter().filter_map(|verdict| {
        let problems = verdict.outcome.as_ref().err()?.clone();
        Some(Held { artifact: Some(verdict.name.clone()), problems })
    }));
    let deliveries = arc_core::plan(&order, &validated).deliveries;
    let wishes =
        deliveries.into_iter().map(|delivery| wish(workshop, &order, &fetched, delivery)).collect();
    Planned { order: format!("{namespace}/{name}"), wishes, held }
}

/// Secrets rarely stand beside orders: where the files hold none, they are taken to exist.
fn assume_secrets(fetched: &mut Fetched) {
    if fetched.secrets.is_empty() {
        let named = fetched.endpoints.values().filter_map(|one| one.spec.secret_ref.as_ref());
        fetched.secrets = named.map(|reference| reference.name.clone()).collect();
    }
}

fn wish(workshop: &Workshop<'_>, order: &Order, fetched: &Fetched, delivery: Delivery) -> Wish {
    let of = &delivery.artifact_workflow;
    let secrets = fetched.secrets.iter().map(|name| (name.clone(), String::new())).collect();
    let observed = Observed {
        artifact_workflow: of,
        order: Some(order),
        workflows: &[],
        cron_workflow: None,
        secrets: &secrets,
        rival: None,
        log: None,
        gone: None,
        is_forbidden: false,
    };
    let actions = attempt::act(&observed, &Defaults::default(), Timestamp::now());
    let object = match (actions.create, actions.cron_workflow) {
        (Some(workflow), _) => Object::Once(Box::new(workflow)),
        (None, Some(cron_workflow)) => Object::Scheduled(Box::new(cron_workflow)),
        (None, None) => Object::Once(Box::new(arc_core::hydrate(of))),
    };
    let begins = matches!(object, Object::Scheduled(_)) || actions.status.attempt > 0;
    let reason = actions.status.reason.clone();
    let note = actions.status.message.or(reason).filter(|_| !begins || order.spec.suspend);
    let reference = &of.spec.workflow_template_ref;
    let declared = workshop.parameters(&reference.name, reference.cluster_scope);
    let is_given = |name: &str| delivery.parameters.iter().any(|given| given.name == name);
    Wish {
        object: object.without_versions(),
        note,
        defaults: declared
            .into_iter()
            .filter_map(|(name, default)| Some((name, default?)))
            .filter(|(name, _)| !is_given(name))
            .collect(),
        also_for: delivery.shared_with.iter().map(|other| other.name.clone()).collect(),
        artifact: delivery.artifact_name,
        parameters: delivery.parameters,
    }
}

impl Object {
    /// Leaves out what only the cluster knows: the versions of the credentials, and when it begins.
    fn without_versions(mut self) -> Self {
        let annotations = match &mut self {
            Self::Once(workflow) => workflow.metadata.annotations.as_mut(),
            Self::Scheduled(cron) => {
                cron.spec.workflow_metadata.as_mut().map(|metadata| &mut metadata.annotations)
            }
        };
        if let Some(annotations) = annotations {
            annotations.remove(labels::CREDENTIALS);
            annotations.remove(labels::SUBMITTED_AT);
        }
        self
    }

    /// Kind and name.
    fn called(&self) -> (&'static str, &str) {
        let (kind, metadata) = match self {
            Self::Once(workflow) => ("Workflow", &workflow.metadata),
            Self::Scheduled(cron) => ("CronWorkflow", &cron.metadata),
        };
        (kind, metadata.name.as_deref().unwrap_or_default())
    }

    /// Scope and name of the template that does the work.
    fn template(&self) -> (&'static str, &str) {
        let spec = match self {
            Self::Once(workflow) => &workflow.spec,
            Self::Scheduled(cron) => &cron.spec.workflow_spec,
        };
        match &spec.workflow_template_ref {
            Some(found) if found.cluster_scope => ("ClusterWorkflowTemplate", &found.name),
            Some(found) => ("WorkflowTemplate", &found.name),
            None => ("WorkflowTemplate", ""),
        }
    }
}
