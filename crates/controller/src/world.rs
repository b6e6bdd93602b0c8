//! What is known of the cluster: one table per kind, filled by watches and by our own writes, and who refers to whom.
//!
//! Reconcilers read it without a request. Whatever changes here wakes those it concerns.

mod feed;
mod links;
mod raw;
mod secret;
mod state;
mod subject;
mod table;
mod template;
mod wakes;
mod watched;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use arc_api::{ArtifactWorkflow, Order, argo::Workflow};
use arc_core::{Fetched, Limits};
use tokio::sync::{mpsc::UnboundedSender, watch};

use self::table::Change;
pub(crate) use self::{
    feed::feed,
    raw::Raw,
    state::State,
    subject::{Key, Kind, Subject},
    watched::{Watched, controller, delivery, parent},
};
use crate::queue::{Urgency, Wake};

/// Stands for everything that orders of one namespace may refer to: equal epochs, equal [`Fetched`].
pub(crate) type Epoch = (u64, u64);

type FetchedByNamespace = HashMap<Arc<str>, (Epoch, Arc<Fetched>)>;

/// What is known of the cluster.
#[derive(Debug)]
pub(crate) struct World {
    state: RwLock<State>,
    fetched: Mutex<FetchedByNamespace>,
    limits: Limits,
    wakes: UnboundedSender<Wake>,
    synced: watch::Sender<bool>,
}

impl World {
    pub(crate) fn new(limits: Limits, wakes: UnboundedSender<Wake>) -> Self {
        Self {
            state: RwLock::default(),
            fetched: Mutex::default(),
            limits,
            wakes,
            synced: watch::Sender::new(false),
        }
    }

    /// Reads several tables at one moment.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// One object.
    pub(crate) fn get<K: Watched>(&self, key: &Key) -> Option<Arc<K>> {
        K::table(&self.read()).get(key)
    }

    /// Ends when every table was filled once.
    pub(crate) async fn wait_until_synced(&self) {
        // The sender lives as long as `self`.
        let _ = self.synced.subscribe().wait_for(|is_synced| *is_synced).await;
    }

    /// Whether every table was filled.
    pub(crate) fn is_synced(&self) -> bool {
        *self.synced.borrow()
    }

    /// Wakes every object that has a reconciler.
    pub(crate) fn wake_all(&self) {
        let state = self.read();
        for subject in state.reconciled() {
            self.wake(Wake::soon(subject, Urgency::Bookkeeping));
        }
    }

    /// Asks for a pass.
    pub(crate) fn wake(&self, wake: Wake) {
        // Nobody listens any more only when everything ends.
        let _ = self.wakes.send(wake);
    }

    /// Takes over what a write of ours was answered with.
    pub(crate) fn written<K: Watched>(&self, object: K) {
        self.change(object, |state, object| {
            K::table_mut(state).written(object).into_iter().collect()
        });
    }

    /// Takes over that a request of ours found an object missing.
    pub(crate) fn forgotten<K: Watched>(&self, object: &K) {
        self.changed(|state| K::table_mut(state).forgotten(object).into_iter().collect());
    }

    /// Everything that orders of a namespace may refer to.
    pub(crate) fn fetched(&self, namespace: &Arc<str>) -> (Epoch, Arc<Fetched>) {
        let state = self.read();
        let epoch = state.epoch(namespace);
        let mut cache = lock(&self.fetched);
        if let Some((of, fetched)) = cache.get(namespace).filter(|(of, _)| *of == epoch) {
            return (*of, Arc::clone(fetched));
        }
        let fetched = Arc::new(state.fetch(namespace, self.limits));
        cache.insert(Arc::clone(namespace), (epoch, Arc::clone(&fetched)));
        (epoch, fetched)
    }

    /// The artifact workflows that an order owns, by name.
    pub(crate) fn artifact_workflows(
        &self,
        order: &Order,
    ) -> BTreeMap<String, Arc<ArtifactWorkflow>> {
        self.read().owned::<ArtifactWorkflow>(&Subject::new(Kind::Order, Key::of(order)), order)
    }

    /// Drops what is not needed of a workflow whose end is on record.
    pub(crate) fn recorded(&self, workflow: &Workflow) {
        let mut state = self.write();
        state.slim(workflow);
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an object in, stripped of what nobody reads, and wakes those it concerns.
    fn change<K: Watched>(
        &self,
        mut object: K,
        put: impl FnOnce(&mut State, Arc<K>) -> Vec<Change<K>>,
    ) {
        watched::strip(&mut object);
        let object = Arc::new(object);
        self.changed(|state| put(state, object));
    }

    fn changed<K: Watched>(&self, work: impl FnOnce(&mut State) -> Vec<Change<K>>) {
        let mut state = self.write();
        let changes = work(&mut state);
        for change in &changes {
            state.relink(change);
        }
        if !self.is_synced() {
            return;
        }
        for change in &changes {
            for wake in K::wakes(change, &state) {
                self.wake(wake);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
