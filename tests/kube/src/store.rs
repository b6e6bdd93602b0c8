//! The objects of all kinds with the history of their changes.
//!
//! Stands for etcd and the watch cache: one counter of versions for everything, and per kind a log that watches read
//! at their own pace, so a change costs the same with no watch and with a thousand.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::kind::Kind;

/// Changes that one kind remembers before it forgets the oldest: memory must end somewhere in long benches.
const HISTORY: usize = 200_000;

/// Namespace (empty for cluster-wide kinds) and name; sorts as the real server lists.
pub(crate) type Key = (String, String);

/// One state of one object.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) value: Value,
    pub(crate) version: u64,
    json: OnceLock<Bytes>,
    partial: OnceLock<Bytes>,
}

impl Object {
    pub(crate) fn new(value: Value, version: u64) -> Self {
        Self { value, version, json: OnceLock::new(), partial: OnceLock::new() }
    }

    /// Written out once for all readers.
    pub(crate) fn json(&self) -> Bytes {
        self.json.get_or_init(|| self.value.to_string().into()).clone()
    }

    /// As `PartialObjectMetadata`.
    pub(crate) fn partial_json(&self) -> Bytes {
        self.partial.get_or_init(|| self.partial().to_string().into()).clone()
    }

    /// As `PartialObjectMetadata`.
    pub(crate) fn partial(&self) -> Value {
        json!({
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": self.value["metadata"],
        })
    }

    pub(crate) fn uid(&self) -> &str {
        self.value["metadata"]["uid"].as_str().unwrap_or_default()
    }

    pub(crate) fn is_deleting(&self) -> bool {
        self.value["metadata"]["deletionTimestamp"].is_string()
    }

    /// The same state with another version, as watches show what is gone.
    pub(crate) fn at_version(&self, version: u64) -> Self {
        let mut value = self.value.clone();
        value["metadata"]["resourceVersion"] = version.to_string().into();
        Self::new(value, version)
    }

    /// The uids of the owners.
    pub(crate) fn owners(&self) -> impl Iterator<Item = &str> {
        let list = self.value["metadata"]["ownerReferences"].as_array().into_iter().flatten();
        list.filter_map(|owner| owner["uid"].as_str())
    }
}

/// One entry of the log.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) version: u64,
    pub(crate) key: Key,
    pub(crate) before: Option<Arc<Object>>,
    /// `None` when it was deleted.
    pub(crate) after: Option<Arc<Object>>,
    /// Of a deletion: the last state with the version of the deletion.
    pub(crate) gone: Option<Arc<Object>>,
}

/// All objects of one kind.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) kind: Arc<Kind>,
    pub(crate) objects: BTreeMap<Key, Arc<Object>>,
    log: VecDeque<Arc<Change>>,
    /// Changes that the log no longer has.
    forgotten: usize,
    /// The newest version of which the log no longer knows what came after.
    pub(crate) horizon: u64,
    changed: watch::Sender<u64>,
}

impl Table {
    /// Where in the log the first change after this version is.
    pub(crate) fn position_after(&self, version: u64) -> usize {
        self.forgotten + self.log.partition_point(|change| change.version <= version)
    }

    /// The changes from a position on; `None` when some of them are forgotten.
    pub(crate) fn changes_from(
        &self,
        position: usize,
    ) -> Option<impl Iterator<Item = &Arc<Change>>> {
        let skip = position.checked_sub(self.forgotten)?;
        Some(self.log.iter().skip(skip))
    }

    /// Wakes up at every change.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The objects as they were at a version, by undoing what came later; `None` when that is forgotten.
    pub(crate) fn at_version(&self, version: u64) -> Option<BTreeMap<Key, Arc<Object>>> {
        if version < self.horizon {
            return None;
        }
        let mut objects = self.objects.clone();
        for change in self.log.iter().rev().take_while(|change| change.version > version) {
            match &change.before {
                Some(before) => objects.insert(change.key.clone(), Arc::clone(before)),
                None => objects.remove(&change.key),
            };
        }
        Some(objects)
    }

    fn record(&mut self, change: Change) {
        let version = change.version;
        self.log.push_back(Arc::new(change));
        if self.log.len() > HISTORY
            && let Some(oldest) = self.log.pop_front()
        {
            self.forgotten += 1;
            self.horizon = oldest.version;
        }
        self.changed.send_replace(version);
    }
}

/// Everything that is stored.
#[derive(Debug, Default)]
pub(crate) struct Store {
    version: u64,
    pub(crate) tables: BTreeMap<String, Table>,
    /// Where the object with a uid is.
    uids: HashMap<String, (String, Key)>,
    /// Who names a uid as an owner.
    dependents: HashMap<String, BTreeSet<(String, Key)>>,
}

impl Store {
    /// The newest version.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Starts to store a kind; an existing kind gets the new definition.
    pub(crate) fn register(&mut self, kind: Arc<Kind>) {
        let name = kind.group_resource();
        if let Some(table) = self.tables.get_mut(&name) {
            table.kind = kind;
            return;
        }
        let table = Table {
            kind,
            objects: BTreeMap::new(),
            log: VecDeque::new(),
            forgotten: 0,
            horizon: self.version,
            changed: watch::Sender::new(self.version),
        };
        self.tables.insert(name, table);
    }

    pub(crate) fn get(&self, table: &str, key: &Key) -> Option<Arc<Object>> {
        self.tables.get(table)?.objects.get(key).cloned()
    }

    /// Where the object with this uid is.
    pub(crate) fn find(&self, uid: &str) -> Option<&(String, Key)> {
        self.uids.get(uid)
    }

    /// Who names this uid as an owner.
    pub(crate) fn dependents(&self, uid: &str) -> Vec<(String, Key)> {
        self.dependents.get(uid).into_iter().flatten().cloned().collect()
    }

    /// Stores a new state and gives it the next version.
    pub(crate) fn put(&mut self, table: &str, key: &Key, mut value: Value) -> Arc<Object> {
        self.version += 1;
        value["metadata"]["resourceVersion"] = self.version.to_string().into();
        let object = Arc::new(Object::new(value, self.version));
        let Some(entry) = self.tables.get_mut(table) else { return object };
        let before = entry.objects.insert(key.clone(), Arc::clone(&object));
        let place = (table.to_owned(), key.clone());
        if let Some(before) = &before {
            unlink(&mut self.dependents, before, &place);
        }
        for owner in object.owners() {
            self.dependents.entry(owner.to_owned()).or_default().insert(place.clone());
        }
        self.uids.insert(object.uid().to_owned(), place);
        let after = Some(Arc::clone(&object));
        entry.record(Change { version: self.version, key: key.clone(), before, after, gone: None });
        object
    }

    /// Deletes an object.
    pub(crate) fn delete(&mut self, table: &str, key: &Key) -> Option<Arc<Object>> {
        let entry = self.tables.get_mut(table)?;
        let before = entry.objects.remove(key)?;
        self.version += 1;
        unlink(&mut self.dependents, &before, &(table.to_owned(), key.clone()));
        self.uids.remove(before.uid());
        let gone = Some(Arc::new(before.at_version(self.version)));
        let change = Change {
            version: self.version,
            key: key.clone(),
            before: Some(Arc::clone(&before)),
            after: None,
            gone,
        };
        entry.record(change);
        Some(before)
    }

    /// Forgets all history, as a compaction of etcd does.
    pub(crate) fn compact(&mut self) {
        for table in self.tables.values_mut() {
            table.forgotten += table.log.len();
            table.log.clear();
            table.horizon = self.version;
        }
    }
}

fn unlink(
    dependents: &mut HashMap<String, BTreeSet<(String, Key)>>,
    object: &Object,
    place: &(String, Key),
) {
    for owner in object.owners() {
        if let Some(set) = dependents.get_mut(owner) {
            set.remove(place);
            if set.is_empty() {
                dependents.remove(owner);
            }
        }
    }
}
