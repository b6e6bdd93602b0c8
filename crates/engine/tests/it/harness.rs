//! A workflow from a few lines of YAML, with fake programs that stand at the process boundary.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use arc_api::argo::{Parameter, Workflow, WorkflowTemplateRef};
use arc_engine::{
    Event, Library, Objects, Problem, Programs, RunOptions, RunReport, TemplateSource, prepare, run,
};
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

/// A case: one `ClusterWorkflowTemplate` called `t`, and a workflow that runs it.
pub(crate) struct Case {
    pub(crate) sources: Vec<TemplateSource>,
    pub(crate) workflow: Workflow,
    pub(crate) objects: Objects,
    pub(crate) programs: Programs,
    pub(crate) cancel: CancellationToken,
    pub(crate) cancel_on: Option<&'static str>,
}

/// What came out.
pub(crate) struct Outcome {
    pub(crate) report: RunReport,
    pub(crate) events: Vec<Event>,
}

/// A spec whose entrypoint `main` is one container `arc step <script>`.
pub(crate) fn step(script: &str) -> String {
    format!(
        "entrypoint: main\ntemplates:\n- name: main\n  container:\n    image: registry.example/arc:v1\n    command: [arc, step, {}]\n",
        serde_json::to_string(script).unwrap()
    )
}

/// Wraps the text of a `spec` into a `ClusterWorkflowTemplate` called `t`; the spec begins on line 6.
pub(crate) fn document(spec: &str) -> String {
    let spec: String = spec.lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: ClusterWorkflowTemplate\nmetadata:\n  name: t\nspec:\n{spec}"
    )
}

impl Case {
    pub(crate) fn new(spec: &str) -> Self {
        let mut workflow = Workflow::default();
        workflow.metadata.name = Some("w".to_owned());
        workflow.metadata.namespace = Some("default".to_owned());
        workflow.metadata.uid = Some("uid-1".to_owned());
        workflow.spec.workflow_template_ref =
            Some(WorkflowTemplateRef { name: "t".to_owned(), cluster_scope: true });
        let fake = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake");
        Self {
            sources: vec![TemplateSource { file: "t.yaml".to_owned(), text: document(spec) }],
            workflow,
            objects: Objects::default(),
            programs: Programs {
                arc: fake.join("arc"),
                container_runtime: Some(fake.join("podman")),
            },
            cancel: CancellationToken::new(),
            cancel_on: None,
        }
    }

    pub(crate) fn parameter(mut self, name: &str, value: &str) -> Self {
        self.workflow.spec.arguments.parameters.push(Parameter::new(name, value));
        self
    }

    pub(crate) fn secret(mut self, name: &str, key: &str, value: &str) -> Self {
        let keys = BTreeMap::from([(key.to_owned(), value.as_bytes().to_vec())]);
        self.objects.secrets.insert(name.to_owned(), keys);
        self
    }

    /// Cancels the run when a line says this.
    pub(crate) fn cancel_on(mut self, line: &'static str) -> Self {
        self.cancel_on = Some(line);
        self
    }

    pub(crate) fn problems(&self) -> Vec<Problem> {
        let library = match Library::parse(&self.sources) {
            Ok(library) => library,
            Err(problems) => return problems,
        };
        match prepare(&self.workflow, &library, &self.objects, &self.programs) {
            Ok(_) => Vec::new(),
            Err(problems) => problems,
        }
    }

    pub(crate) async fn run(&self, work_dir: &Path) -> Outcome {
        let library = Library::parse(&self.sources).unwrap();
        let ready = prepare(&self.workflow, &library, &self.objects, &self.programs).unwrap();
        let options = RunOptions { grace: Duration::from_millis(200), ..RunOptions::new(work_dir) };
        let (sender, mut receiver) = unbounded_channel();
        let watch = async {
            let mut events = Vec::new();
            while let Some(event) = receiver.recv().await {
                if let (Event::Log { line, .. }, Some(wanted)) = (&event, self.cancel_on)
                    && line == wanted
                {
                    self.cancel.cancel();
                }
                events.push(event);
            }
            events
        };
        let (report, events) =
            tokio::join!(run(ready, &options, sender, self.cancel.clone()), watch);
        Outcome { report, events }
    }
}

impl Outcome {
    /// Returns phase and message of the workflow, and `type phase name: message` of each node, sorted by name.
    pub(crate) fn lines(&self) -> Vec<String> {
        let status = &self.report.status;
        let mut lines = vec![entry(&format!("{} w", status.phase), &status.message)];
        let mut nodes: Vec<_> = status.nodes.values().collect();
        nodes.sort_by(|one, other| one.name.cmp(&other.name));
        lines.extend(nodes.into_iter().map(|node| {
            entry(&format!("{:?} {} {}", node.type_, node.phase, node.name), &node.message)
        }));
        lines
    }

    /// Returns what containers wrote.
    pub(crate) fn logs(&self) -> Vec<&str> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::Log { line, .. } => Some(line.as_str()),
                Event::Node(_) | Event::Progress { .. } => None,
            })
            .collect()
    }

    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.report.file("w", path)
    }
}

fn entry(what: &str, message: &str) -> String {
    if message.is_empty() { what.to_owned() } else { format!("{what}: {message}") }
}
