//! A delivery and what is around it, with the controller's and Argo's part played by the test.

use std::collections::BTreeMap;

use arc_api::argo::{self, CRON_WORKFLOW_LABEL, CronWorkflow, NodeStatus, NodeType, Workflow};
use arc_api::{
    ArtifactWorkflow, ArtifactWorkflowSpec, ArtifactWorkflowStatus, Cron, LocalObjectReference,
    Order, OrderSpec, Phase, labels,
};
use arc_core::attempt::{Actions, Defaults, Observed, act};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use kube::ResourceExt;
use serde::{Serialize, de::DeserializeOwned};

/// When every story begins.
pub(crate) const BEGIN: i64 = 1_800_000_000;
/// Name of the delivery.
pub(crate) const NAME: &str = "demo-0123456789abcdef";
/// What the failed step wrote.
const LOG: &str = "connecting\nerror: no answer from harbor.example; password=hunter2\n";

pub(crate) struct World {
    pub(crate) order: Option<Order>,
    pub(crate) delivery: ArtifactWorkflow,
    pub(crate) workflows: BTreeMap<String, Workflow>,
    pub(crate) cron_workflow: Option<CronWorkflow>,
    pub(crate) secrets: BTreeMap<String, String>,
    pub(crate) rival: Option<&'static str>,
    pub(crate) is_forbidden: bool,
    pub(crate) now: i64,
    /// Names of all workflows that were ever made.
    pub(crate) made: Vec<String>,
    /// Reasons of all notes.
    pub(crate) notes: Vec<&'static str>,
    /// How often a status was written.
    pub(crate) writes: usize,
    /// Logs that were fetched.
    pub(crate) logs: Vec<String>,
}

pub(crate) fn time(second: i64) -> Time {
    Time(Timestamp::from_second(second).unwrap())
}

/// What an API server gives back of an object.
fn stored<T: Serialize + DeserializeOwned>(object: &T) -> T {
    serde_json::from_value(serde_json::to_value(object).unwrap()).unwrap()
}

impl World {
    /// A delivery that was ordered just now.
    pub(crate) fn new() -> Self {
        let mut order = Order::new("demo", OrderSpec::default());
        order.metadata.uid = Some("order".to_owned());
        order.metadata.creation_timestamp = Some(time(BEGIN));
        let spec = ArtifactWorkflowSpec {
            src_secret_ref: Some(LocalObjectReference::new("quay")),
            ..ArtifactWorkflowSpec::default()
        };
        let mut delivery = ArtifactWorkflow::new(NAME, spec);
        delivery.metadata.uid = Some("delivery".to_owned());
        delivery.metadata.namespace = Some("team-a".to_owned());
        delivery.metadata.generation = Some(1);
        delivery.metadata.creation_timestamp = Some(time(BEGIN));
        let owner = OwnerReference {
            kind: "Order".to_owned(),
            name: "demo".to_owned(),
            uid: "order".to_owned(),
            controller: Some(true),
            ..OwnerReference::default()
        };
        delivery.metadata.owner_references = Some(vec![owner]);
        Self {
            order: Some(order),
            delivery,
            workflows: BTreeMap::new(),
            cron_workflow: None,
            secrets: [("quay".to_owned(), "1".to_owned())].into(),
            rival: None,
            is_forbidden: false,
            now: BEGIN,
            made: Vec::new(),
            notes: Vec::new(),
            writes: 0,
            logs: Vec::new(),
        }
    }

    /// A delivery with a schedule.
    pub(crate) fn scheduled() -> Self {
        let mut world = Self::new();
        world.delivery.spec.cron =
            Some(Cron { schedules: vec!["0 3 * * *".to_owned()], ..Cron::default() });
        world
    }

    pub(crate) fn order(&mut self) -> &mut Order {
        self.order.as_mut().unwrap()
    }

    pub(crate) fn annotate_order(&mut self, key: &str, second: i64) {
        self.order().annotations_mut().insert(key.to_owned(), second.to_string());
    }

    pub(crate) fn annotate(&mut self, key: &str, second: i64) {
        self.delivery.annotations_mut().insert(key.to_owned(), second.to_string());
    }

    pub(crate) fn status(&self) -> ArtifactWorkflowStatus {
        self.delivery.status.clone().unwrap_or_default()
    }

    /// Phase, reason and attempt.
    pub(crate) fn summary(&self) -> (Phase, String, u32) {
        let status = self.status();
        (status.phase.unwrap_or_default(), status.reason.unwrap_or_default(), status.attempt)
    }

    /// What the rules say now, as the store shows the world.
    pub(crate) fn ask(&self, log: Option<&str>, gone: Option<&str>) -> Actions {
        let workflows: Vec<&Workflow> = self.workflows.values().collect();
        let observed = Observed {
            artifact_workflow: &self.delivery,
            order: self.order.as_ref(),
            workflows: &workflows,
            cron_workflow: self.cron_workflow.as_ref(),
            secrets: &self.secrets,
            rival: self.rival,
            log,
            gone,
            is_forbidden: self.is_forbidden,
        };
        act(&observed, &Defaults::default(), time(self.now).0)
    }

    /// The same, with logs and missing workflows looked up as a controller does.
    pub(crate) fn decide(&mut self) -> Actions {
        let mut actions = self.ask(None, None);
        let mut gone = None;
        if let Some(name) = actions.confirm_gone.clone() {
            assert!(!self.workflows.contains_key(&name), "{name} is there");
            gone = Some(name);
            actions = self.ask(None, gone.as_deref());
        }
        if let Some(of) = actions.wants_log.clone() {
            self.logs.push(format!("{}/{}/{}", of.workflow, of.node_id, of.container));
            actions = self.ask(Some(LOG), gone.as_deref());
        }
        assert_eq!((&actions.wants_log, &actions.confirm_gone), (&None, &None));
        actions
    }

    /// One pass of the controller.
    pub(crate) fn pass(&mut self) -> Actions {
        let actions = self.decide();
        self.carry_out(&actions, usize::MAX);
        actions
    }

    /// Carries out the first writes of a pass: the controller may be killed between any two.
    pub(crate) fn carry_out(&mut self, actions: &Actions, mut writes: usize) {
        let mut may = || {
            let may = writes > 0;
            writes = writes.saturating_sub(1);
            may
        };
        if let Some(workflow) = &actions.create
            && may()
        {
            self.make(stored(workflow));
        }
        if let Some(cron_workflow) = &actions.cron_workflow
            && may()
        {
            let mut cron_workflow = stored(cron_workflow);
            cron_workflow.metadata.uid = Some("schedule".to_owned());
            self.cron_workflow = Some(cron_workflow);
        }
        for name in &actions.stop {
            if may() {
                self.workflows.get_mut(name).unwrap().spec.shutdown = Some("Terminate".to_owned());
            }
        }
        for name in &actions.delete {
            if may() {
                assert!(self.workflows.remove(name).is_some(), "{name} is there");
            }
        }
        if self.status() != actions.status && may() {
            self.delivery.status = Some(stored(&actions.status));
            self.writes += 1;
            self.notes.extend(actions.notes.iter().map(|note| note.reason.as_str()));
        }
    }

    fn make(&mut self, mut workflow: Workflow) {
        let name = workflow.name_any();
        if self.workflows.contains_key(&name) {
            return;
        }
        let under_way = self.workflows.values().filter(|one| !has_ended(one)).count();
        assert_eq!(under_way, 0, "{name} is a second unfinished attempt");
        workflow.metadata.creation_timestamp = Some(time(self.now));
        self.made.push(name.clone());
        self.workflows.insert(name, workflow);
    }

    /// Argo's schedule begins a run.
    pub(crate) fn begin_run(&mut self) {
        let cron_workflow = self.cron_workflow.as_ref().expect("the schedule was applied");
        let metadata = cron_workflow.spec.workflow_metadata.clone().unwrap_or_default();
        let mut workflow = Workflow::default();
        let name = format!("{NAME}-{}", self.now);
        workflow.metadata.name = Some(name.clone());
        workflow.metadata.creation_timestamp = Some(time(self.now));
        workflow.metadata.annotations = Some(metadata.annotations);
        workflow.labels_mut().insert(CRON_WORKFLOW_LABEL.to_owned(), NAME.to_owned());
        let owner = OwnerReference {
            kind: "CronWorkflow".to_owned(),
            uid: "schedule".to_owned(),
            controller: Some(true),
            ..OwnerReference::default()
        };
        workflow.metadata.owner_references = Some(vec![owner]);
        self.workflows.insert(name, workflow);
    }

    /// Argo takes over what is under way and brings it to this end, a second later.
    pub(crate) fn end(&mut self, phase: argo::Phase) {
        let (began, now) = (self.now, self.now + 1);
        self.now = now;
        for workflow in self.workflows.values_mut().filter(|one| !has_ended(one)) {
            let name = workflow.name_any();
            let is_stopped = workflow.spec.shutdown.is_some();
            let phase = if is_stopped { argo::Phase::Failed } else { phase };
            let node = |message: &str| NodeStatus {
                id: format!("{name}-1"),
                name: format!("{name}.scan"),
                display_name: "scan".to_owned(),
                type_: NodeType::Container,
                boundary_id: name.clone(),
                phase,
                message: message.to_owned(),
                ..NodeStatus::default()
            };
            let (message, node) = match phase {
                argo::Phase::Succeeded => ("", node("")),
                _ if is_stopped => ("Stopped with strategy 'Terminate'", node("workflow shutdown")),
                _ => ("main: Error (exit code 64)", node("scan: Error (exit code 1): ")),
            };
            workflow.status = Some(argo::WorkflowStatus {
                phase,
                message: message.to_owned(),
                started_at: Some(time(began)),
                finished_at: Some(time(now)),
                nodes: [(node.id.clone(), node)].into(),
                ..argo::WorkflowStatus::default()
            });
        }
    }

    /// A pass, an end, and another pass, ten seconds apart.
    pub(crate) fn run_to(phase: argo::Phase) -> Self {
        let mut world = Self::new();
        world.pass();
        world.now += 10;
        world.end(phase);
        world.pass();
        world.now += 10;
        world
    }

    /// Asserts that a second pass at the same time asks for nothing.
    #[track_caller]
    pub(crate) fn assert_quiet(&self, context: &str) {
        let again = self.ask(None, None);
        let expected =
            Actions { status: self.status(), look_again: again.look_again, ..Actions::default() };
        assert_eq!(again, expected, "{context}");
    }

    pub(crate) fn under_way(&self) -> Vec<&str> {
        let under_way = self.workflows.iter().filter(|(_, one)| !has_ended(one));
        under_way.map(|(name, _)| name.as_str()).collect()
    }

    /// The stopped delivery of a running one.
    pub(crate) fn stopped() -> Self {
        let mut world = Self::new();
        world.pass();
        world.now += 10;
        world.annotate(labels::STOP_AT, world.now);
        world.pass();
        world.end(argo::Phase::Failed);
        world.pass();
        world.delivery.annotations_mut().remove(labels::STOP_AT);
        world.now += 10;
        world
    }
}

pub(crate) fn has_ended(workflow: &Workflow) -> bool {
    workflow.status.as_ref().is_some_and(|status| status.phase.is_terminal())
}
