//! Argo's part in a story: what a real Argo Workflows 4.1 wrote, replayed onto Workflows that a controller created.
//!
//! Names, ids, uids, parameters and times are rewritten; phases, messages, node types and the order of events are as
//! recorded. It talks to the API server through a client, so it plays on a real one too.
//!
//! *Left out.* Artifacts, memoization, synchronization, and templates: which recording is played is up to the test.

mod cron;
mod performance;
mod pods;
mod recording;
mod rewrite;

use std::{collections::HashMap, fmt, sync::Arc};

use futures::StreamExt;
use kube::{
    Api, Client, ResourceExt,
    api::{ApiResource, DynamicObject, GroupVersionKind},
    runtime::{WatchStreamExt, watcher},
};
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::{access::Rule, api_server::ApiServer};

pub use cron::{CRON_WORKFLOW, fire};
pub use recording::Recording;

use performance::Performance;

/// What happens to one Workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Play {
    recording: Recording,
    until: Option<usize>,
    brief: bool,
    result: Option<String>,
    logs: Vec<(String, String)>,
}

impl Play {
    /// All of a recording.
    pub fn all(recording: Recording) -> Self {
        Self { recording, until: None, brief: false, result: None, logs: Vec::new() }
    }

    /// Only the first event and the last, for stories in which many Workflows run.
    pub fn brief(recording: Recording) -> Self {
        Self { brief: true, ..Self::all(recording) }
    }

    /// Nothing comes after this many events; 0 is a Workflow that Argo has not seen yet.
    #[must_use]
    pub fn until(mut self, events: usize) -> Self {
        self.until = Some(events);
        self
    }

    /// The text of the output parameter `result` where the recording has one.
    #[must_use]
    pub fn result(mut self, text: &str) -> Self {
        self.result = Some(text.to_owned());
        self
    }

    /// There is a pod, and this container in it wrote this text.
    #[must_use]
    pub fn log(mut self, container: &str, text: &str) -> Self {
        self.logs.push((container.to_owned(), text.to_owned()));
        self
    }
}

type Script = dyn Fn(&DynamicObject) -> Play + Send + Sync;

/// Somebody who plays Argo's part.
pub struct Argo {
    client: Client,
    server: Option<ApiServer>,
    script: Arc<Script>,
    speed: f64,
}

impl fmt::Debug for Argo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Argo").field("speed", &self.speed).finish_non_exhaustive()
    }
}

/// The player at work; dropping it stops it.
#[derive(Debug)]
pub struct Playing(JoinHandle<()>);

impl Drop for Playing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Argo {
    /// A player on any API server; every Workflow succeeds, as fast as in the recording.
    pub fn new(client: Client) -> Self {
        let script = Arc::new(|_: &DynamicObject| Play::all(Recording::Succeeded));
        Self { client, server: None, script, speed: 1.0 }
    }

    /// A player on a server in memory, as the user `argo`; what its containers write can be read from `pods/log`.
    pub fn on(server: &ApiServer) -> Self {
        let everything = Rule::new("*", &["*"], &["*"]);
        server.grant("argo", vec![everything]);
        Self { server: Some(server.clone()), ..Self::new(server.client_as("argo")) }
    }

    /// Which Workflow gets which play; asked once for each.
    #[must_use]
    pub fn playing(
        mut self,
        script: impl Fn(&DynamicObject) -> Play + Send + Sync + 'static,
    ) -> Self {
        self.script = Arc::new(script);
        self
    }

    /// How many times as fast as recorded.
    #[must_use]
    pub fn at_speed(mut self, speed: f64) -> Self {
        self.speed = speed;
        self
    }

    /// Begins to play. Needs a tokio runtime.
    pub fn start(self) -> Playing {
        Playing(tokio::spawn(self.run()))
    }

    /// Plays for ever.
    pub async fn run(self) {
        let api: Api<DynamicObject> = Api::all_with(self.client.clone(), &resource("Workflow"));
        let mut events = watcher(api, watcher::Config::default()).default_backoff().boxed();
        let mut stage = Stage { argo: self, running: HashMap::new(), plays: JoinSet::new() };
        while let Some(event) = events.next().await {
            match event {
                Ok(watcher::Event::Apply(workflow) | watcher::Event::InitApply(workflow)) => {
                    stage.see(workflow);
                }
                Ok(watcher::Event::Delete(workflow)) => {
                    stage.running.remove(&workflow.uid().unwrap_or_default());
                }
                Ok(watcher::Event::Init | watcher::Event::InitDone) | Err(_) => {}
            }
            while stage.plays.try_join_next().is_some() {}
        }
    }
}

/// Everything that is being played.
struct Stage {
    argo: Argo,
    /// By uid: tells a play that its Workflow shall stop.
    running: HashMap<String, watch::Sender<bool>>,
    plays: JoinSet<()>,
}

impl Stage {
    fn see(&mut self, workflow: DynamicObject) {
        let uid = workflow.uid().unwrap_or_default();
        let stop = workflow.data["spec"]["shutdown"].is_string();
        if let Some(running) = self.running.get(&uid) {
            running.send_if_modified(|told| stop && !std::mem::replace(told, stop));
            return;
        }
        let phase = workflow.data["status"]["phase"].as_str();
        if matches!(phase, Some("Succeeded" | "Failed" | "Error")) {
            return;
        }
        let (sender, receiver) = watch::channel(stop);
        self.running.insert(uid, sender);
        let play = (self.argo.script)(&workflow);
        let performance = Performance {
            client: self.argo.client.clone(),
            server: self.argo.server.clone(),
            speed: self.argo.speed,
            play,
            workflow,
            shutdown: receiver,
        };
        self.plays.spawn(performance.run());
    }
}

/// One of Argo's kinds.
fn resource(kind: &str) -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("argoproj.io", "v1alpha1", kind))
}
