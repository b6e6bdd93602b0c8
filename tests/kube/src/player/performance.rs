//! The play of one Workflow, from its first status to its end.

use std::time::Duration;

use jiff::SignedDuration;
use kube::{
    Api, Client, ResourceExt,
    api::{DynamicObject, PostParams},
};
use serde_json::Value;
use tokio::{sync::watch, time::Instant};

use crate::api_server::ApiServer;

use super::{
    Play, cron, pods,
    recording::{Event, Recording},
    resource,
    rewrite::{Rewrite, scaled},
};

/// How long to wait after an answer that is nobody's wish.
const PAUSE: Duration = Duration::from_secs(1);

/// One Workflow and what happens to it.
pub(super) struct Performance {
    pub(super) client: Client,
    pub(super) server: Option<ApiServer>,
    pub(super) speed: f64,
    pub(super) play: Play,
    pub(super) workflow: DynamicObject,
    pub(super) shutdown: watch::Receiver<bool>,
}

/// The Workflow is no longer there.
struct Gone;

impl Performance {
    /// Plays to the end, or until the Workflow is gone.
    pub(super) async fn run(mut self) {
        if self.perform().await.is_ok() {
            cron::prune(&self.client, &self.workflow).await;
        }
    }

    async fn perform(&mut self) -> Result<(), Gone> {
        let start = Instant::now();
        let recording = self.play.recording;
        let events = recording.events();
        let last = events.len().saturating_sub(1);
        let most = self.play.until.unwrap_or(usize::MAX);
        let brief = self.play.brief;
        let played = events.iter().enumerate();
        let played = played.filter(|(index, _)| !brief || *index == 0 || *index == last);
        for (_, event) in played.take(most) {
            let at = Duration::try_from(scaled(event.at, self.speed)).unwrap_or_default();
            tokio::select! {
                biased;
                () = told(&mut self.shutdown) => return self.stop(start).await,
                () = tokio::time::sleep_until(start + at) => {}
            }
            self.write(event, recording, SignedDuration::ZERO).await?;
        }
        if self.play.until.is_some() {
            told(&mut self.shutdown).await;
            return self.stop(start).await;
        }
        Ok(())
    }

    async fn stop(&mut self, start: Instant) -> Result<(), Gone> {
        let events = Recording::events_after_shutdown();
        let Some(first) = events.first() else { return Ok(()) };
        let asked = Instant::now();
        let passed = SignedDuration::try_from(asked - start).unwrap_or_default();
        let delay = passed - scaled(first.at, self.speed);
        for event in events {
            let at = Duration::try_from(scaled(event.at - first.at, self.speed));
            tokio::time::sleep_until(asked + at.unwrap_or_default()).await;
            self.write(event, Recording::Stopped, delay).await?;
        }
        Ok(())
    }

    async fn write(
        &mut self,
        event: &Event,
        recording: Recording,
        delay: SignedDuration,
    ) -> Result<(), Gone> {
        let (name, namespace) = (self.workflow.name_any(), self.workflow.namespace());
        let namespace = namespace.unwrap_or_default();
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), &namespace, &resource("Workflow"));
        loop {
            let workflow = serde_json::to_value(&self.workflow).unwrap_or_default();
            let result = self.play.result.as_deref();
            let rewrite =
                Rewrite { recording, workflow: &workflow, speed: self.speed, result, delay };
            let next = rewrite.apply(event);
            let Ok(object) = serde_json::from_value::<DynamicObject>(next) else {
                return Err(Gone);
            };
            match api.replace(&name, &PostParams::default(), &object).await {
                Ok(written) => {
                    self.workflow = written;
                    self.pods().await;
                    return Ok(());
                }
                Err(error) if status(&error) == Some(404) => return Err(Gone),
                Err(error) if status(&error) == Some(409) => {
                    let Ok(Some(live)) = api.get_opt(&name).await else { return Err(Gone) };
                    if live.uid() != self.workflow.uid() {
                        return Err(Gone);
                    }
                    self.workflow = live;
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    async fn pods(&self) {
        if self.play.logs.is_empty() {
            return;
        }
        let workflow = serde_json::to_value(&self.workflow).unwrap_or_default();
        for pod in pods::of(&workflow) {
            pods::create(&self.client, &workflow, &pod).await;
            let names = (workflow["metadata"]["namespace"].as_str(), pod.name.as_str());
            if let (Some(server), (Some(namespace), name)) = (&self.server, names) {
                for (container, text) in &self.play.logs {
                    server.set_log(namespace, name, container, text);
                }
            }
        }
        if workflow["status"]["phase"] == "Succeeded" && !workflow["spec"]["podGC"].is_null() {
            pods::delete(&self.client, &workflow).await;
        }
    }
}

/// Waits until the Workflow shall stop; for ever when nobody can say so any more.
async fn told(shutdown: &mut watch::Receiver<bool>) {
    if shutdown.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn status(error: &kube::Error) -> Option<u16> {
    match error {
        kube::Error::Api(status) => Some(status.code),
        _ => None,
    }
}

/// A list of texts in a value, empty where there is none.
pub(super) fn texts<'a>(value: &'a Value, field: &str) -> Vec<&'a str> {
    value.as_array().into_iter().flatten().filter_map(|item| item[field].as_str()).collect()
}
