//! What every pass has at hand.

use std::{collections::HashMap, sync::Arc, sync::Mutex};

use arc_core::Limits;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Client,
    runtime::events::{Event, EventType, Recorder, Reporter},
};
use tokio::sync::mpsc::UnboundedSender;

use crate::{Metrics, Options, clock::Clock, order::Memory, queue::Wake, world::Key, world::World};

/// The field manager of everything that is applied.
pub(crate) const MANAGER: &str = "arc-controller";
/// Bytes of the note of an event, as the API server allows.
const MAX_NOTE: usize = 1024;

/// What every pass has at hand.
pub(crate) struct Context {
    pub(crate) client: Client,
    pub(crate) options: Options,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) world: World,
    /// What is remembered of orders that are not finished.
    pub(crate) orders: Mutex<HashMap<Key, Memory>>,
    recorder: Recorder,
    clock: Clock,
}

impl Context {
    pub(crate) fn new(
        client: Client,
        options: Options,
        metrics: Arc<Metrics>,
        wakes: UnboundedSender<Wake>,
    ) -> Self {
        let reporter = Reporter {
            controller: format!("{}/{MANAGER}", arc_api::GROUP),
            instance: Some(options.identity.clone()),
        };
        Self {
            recorder: Recorder::new(client.clone(), reporter),
            clock: Clock::new(options.starts_at),
            world: World::new(Limits { minimum_interval: options.minimum_interval }, wakes),
            orders: Mutex::default(),
            client,
            options,
            metrics,
        }
    }

    /// What time it is; asked once per pass.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Publishes an event. That it could not be is no reason to fail a pass.
    pub(crate) async fn report(
        &self,
        about: &ObjectReference,
        reason: &str,
        note: &str,
        is_warning: bool,
    ) {
        let event = Event {
            type_: if is_warning { EventType::Warning } else { EventType::Normal },
            reason: reason.to_owned(),
            note: Some(cut(note).to_owned()),
            action: "Reconcile".to_owned(),
            secondary: None,
        };
        if let Err(error) = self.recorder.publish(&event, about).await {
            let name = about.name.as_deref().unwrap_or_default();
            tracing::warn!(reason, name, error = %crate::error::chain(&error), "an event is not published");
        }
    }

    /// Reports an object that cannot be read.
    pub(crate) async fn report_malformed(&self, about: ObjectReference, why: &str) {
        let note = format!("the object cannot be read and is left alone: {why}");
        self.report(&about, "Malformed", &note, true).await;
    }
}

/// As much of a note as the API server takes.
fn cut(note: &str) -> &str {
    let mut end = note.len().min(MAX_NOTE);
    while !note.is_char_boundary(end) {
        end -= 1;
    }
    &note[..end]
}
