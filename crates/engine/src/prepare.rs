//! Decides whether a workflow can run here, before anything runs.
//!
//! [`prepare`] reports every problem at once; what it returns runs without further questions about the template.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use arc_api::argo::Workflow;

use crate::library::{Document, Library};
use crate::problem::{Position, Problem, tidy};
use crate::template::{Kind, Spec, Template, Volume, from_kubernetes};
use crate::text::{Scope, Text, results_read};

mod arguments;
mod calls;
mod order;
mod pods;
mod scope;

pub(crate) use calls::MAX_NODES;
pub(crate) use order::task_of;
pub(crate) use pods::{MOUNT_ROOT, is_arc};

/// A name becomes a folder and part of every node's name; this is Kubernetes' limit.
const MAX_NAME_BYTES: usize = 253;

/// Secrets and config maps by name, each with its keys.
#[derive(Clone, Default)]
pub struct Objects {
    /// The secrets; they are written to files during a run and printed nowhere.
    pub secrets: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    /// The config maps.
    pub config_maps: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
}

impl fmt::Debug for Objects {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Objects")
            .field("secrets", &"[redacted]")
            .field("config_maps", &self.config_maps.keys())
            .finish()
    }
}

/// The programs that run containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    /// The `arc` binary, by absolute path; it runs the containers of its own image.
    pub arc: PathBuf,
    /// podman or docker, by absolute path, for all other images; without it they are refused.
    pub container_runtime: Option<PathBuf>,
}

/// A workflow that can run.
#[derive(Clone, Debug)]
pub struct Ready {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) uid: String,
    pub(crate) created: Option<String>,
    pub(crate) document: Arc<Document>,
    pub(crate) parameters: BTreeMap<String, String>,
    /// The volumes of the workflow and of its template; the workflow's win.
    pub(crate) volumes: BTreeMap<String, Volume>,
    pub(crate) objects: Arc<Objects>,
    pub(crate) programs: Programs,
    pub(crate) deadline: Option<std::time::Duration>,
    /// Steps and tasks of which somebody reads `outputs.result`.
    pub(crate) results_read: BTreeSet<String>,
}

impl Ready {
    pub(crate) fn spec(&self) -> &Spec {
        &self.document.spec
    }

    /// Returns what `{{workflow.…}}` stands for.
    pub(crate) fn workflow_scope(&self, created: &str, status: &str) -> Scope {
        let parameters = self
            .parameters
            .iter()
            .map(|(name, value)| (format!("workflow.parameters.{name}"), value.as_str()));
        [
            ("workflow.name", self.name.as_str()),
            ("workflow.namespace", self.namespace.as_str()),
            ("workflow.uid", self.uid.as_str()),
            ("workflow.creationTimestamp", created),
            ("workflow.status", status),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .chain(parameters)
        .map(|(name, value)| (name, Arc::from(value)))
        .collect()
    }
}

/// Checks that a workflow can run with these templates, objects and programs.
///
/// # Errors
///
/// Every problem, sorted by place: templates and parameters that are missing, everything the engine does not support,
/// placeholders that nothing fills in, calls without end, secrets and config maps that do not exist, and images that
/// no program here can run.
pub fn prepare(
    workflow: &Workflow,
    library: &Library,
    objects: &Objects,
    programs: &Programs,
) -> Result<Ready, Vec<Problem>> {
    let name = workflow.metadata.name.clone().unwrap_or_default();
    let mut checks = Checks { workflow: format!("Workflow {name:?}"), problems: Vec::new() };
    checks.name(&name);
    checks.state(workflow);
    let document = checks.document(workflow, library);
    let Some(document) = document else { return Err(tidy(checks.problems)) };
    checks.problems.extend(document.problems.iter().cloned());
    let parameters = checks.arguments(workflow, &document.spec);
    let volumes = checks.volumes(workflow, &document.spec);
    let ready = Ready {
        name,
        namespace: workflow.metadata.namespace.clone().unwrap_or_default(),
        uid: workflow.metadata.uid.clone().unwrap_or_default(),
        created: workflow.metadata.creation_timestamp.as_ref().map(|time| time.0.to_string()),
        parameters,
        volumes,
        objects: Arc::new(objects.clone()),
        programs: programs.clone(),
        deadline: deadline(workflow, &document.spec),
        results_read: results(&document.spec),
        document,
    };
    let file = ready.document.file.clone();
    let mut of_template = InFile { file: &file, problems: Vec::new() };
    let known = ready.workflow_scope("", "");
    calls::check(&ready, &mut of_template);
    scope::check(&ready, &known, &mut of_template);
    pods::check(&ready, &known, &mut of_template);
    checks.problems.extend(of_template.problems);
    if checks.problems.is_empty() { Ok(ready) } else { Err(tidy(checks.problems)) }
}

/// Collects problems of one template file.
pub(crate) struct InFile<'file> {
    file: &'file str,
    problems: Vec<Problem>,
}

impl InFile<'_> {
    pub(crate) fn refuse(&mut self, at: Position, message: String) {
        self.problems.push(Problem::new(self.file, at, message));
    }

    pub(crate) fn refuse_with_hint(&mut self, at: Position, message: String, hint: &str) {
        self.problems.push(Problem::new(self.file, at, message).with_hint(hint));
    }
}

/// Collects problems of the workflow itself.
struct Checks {
    workflow: String,
    problems: Vec<Problem>,
}

impl Checks {
    fn refuse(&mut self, message: impl Into<String>, hint: &str) {
        let problem = Problem::new(&self.workflow, Position::default(), message);
        self.problems.push(problem.with_hint(hint));
    }

    fn name(&mut self, name: &str) {
        let valid = (1..=MAX_NAME_BYTES).contains(&name.len())
            && name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
        if !valid {
            self.refuse(
                format!("metadata.name: {name:?} is not a name"),
                "use letters, digits, `-` and `.`",
            );
        }
    }

    fn state(&mut self, workflow: &Workflow) {
        let hint = "remove it, or run this workflow on a cluster";
        if workflow.spec.suspend == Some(true) {
            self.refuse("spec.suspend: a suspended workflow does not run", hint);
        }
        if workflow.spec.shutdown.is_some() {
            self.refuse("spec.shutdown: a stopped workflow does not run", hint);
        }
    }

    fn document(&mut self, workflow: &Workflow, library: &Library) -> Option<Arc<Document>> {
        let Some(reference) = &workflow.spec.workflow_template_ref else {
            self.refuse("spec.workflowTemplateRef is missing", "name the template to run");
            return None;
        };
        let document = library.document(&reference.name, reference.cluster_scope);
        if document.is_none() {
            let plural = if reference.cluster_scope {
                "clusterworkflowtemplates"
            } else {
                "workflowtemplates"
            };
            self.refuse(
                format!("{plural}.argoproj.io {:?} not found", reference.name),
                "give the file that holds it",
            );
        }
        document.cloned()
    }

    fn arguments(&mut self, workflow: &Workflow, spec: &Spec) -> BTreeMap<String, String> {
        let (parameters, problems) = arguments::merge(workflow, spec);
        for (message, hint) in problems {
            self.refuse(message, hint);
        }
        parameters
    }

    fn volumes(&mut self, workflow: &Workflow, spec: &Spec) -> BTreeMap<String, Volume> {
        let mut volumes: BTreeMap<String, Volume> =
            spec.volumes.iter().map(|volume| (volume.name.clone(), volume.clone())).collect();
        for volume in &workflow.spec.volumes {
            match from_kubernetes(volume) {
                Ok(volume) => {
                    volumes.insert(volume.name.clone(), volume);
                }
                Err(message) => {
                    self.refuse(message, "use emptyDir, secret or configMap");
                }
            }
        }
        volumes
    }
}

fn deadline(workflow: &Workflow, spec: &Spec) -> Option<std::time::Duration> {
    let own = workflow.spec.active_deadline_seconds;
    match own.and_then(|seconds| u64::try_from(seconds).ok()) {
        Some(seconds) => Some(std::time::Duration::from_secs(seconds)),
        None => spec.deadline,
    }
}

fn results(spec: &Spec) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for template in spec.templates.values() {
        results_read(scope::texts(template).into_iter(), &mut names);
    }
    names
}

/// Returns the steps or tasks of a template, with their group.
pub(crate) fn steps_of(template: &Template) -> Vec<(usize, &crate::template::Step)> {
    match &template.kind {
        Kind::Steps(groups) => groups
            .iter()
            .enumerate()
            .flat_map(|(group, steps)| steps.iter().map(move |step| (group, step)))
            .collect(),
        Kind::Dag { tasks, .. } => tasks.iter().map(|task| (0, task)).collect(),
        Kind::Pod(_) => Vec::new(),
    }
}

/// Fills in a text whose values are known before anything runs; the names of nodes are not.
pub(crate) fn known_before_run(text: &Text, scope: &Scope) -> Option<String> {
    text.render(scope).ok()
}
