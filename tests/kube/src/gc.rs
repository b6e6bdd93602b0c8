//! Garbage collection by owner references, foreground and orphaning deletion, and the end of namespaces.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    cluster::Cluster,
    delete::{FOREGROUND, ORPHAN},
    kind::group_resource,
    store::{Key, Object},
};

/// Something that the garbage collector has to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Job {
    /// The dependents of this uid.
    OwnerGone(String),
    /// An object that has owners.
    Check(String, Key),
    /// An object that may be waiting for its dependents.
    Finalize(String, Key),
    /// A namespace that may be ending.
    Namespace(String),
}

/// What an owner reference points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// An object that lives, or one that nobody can judge.
    Solid,
    /// An object that waits for its dependents to go.
    Waiting,
    /// Nothing.
    Dangling,
}

impl Cluster {
    /// Does everything that is due.
    pub(crate) fn collect_garbage(&mut self) {
        while let Some(job) = self.jobs.pop_front() {
            match job {
                Job::OwnerGone(uid) => {
                    for (table, key) in self.store.dependents(&uid) {
                        self.jobs.push_back(Job::Check(table, key));
                    }
                }
                Job::Check(table, key) => self.check(&table, &key),
                Job::Finalize(table, key) => self.finalize(&table, &key),
                Job::Namespace(name) => self.end_namespace(&name),
            }
        }
    }

    /// Deletes an object whose owners are gone, and drops references to owners that are gone.
    fn check(&mut self, table: &str, key: &Key) {
        let Some(object) = self.store.get(table, key) else { return };
        self.jobs.push_back(Job::Finalize(table.to_owned(), key.clone()));
        let references = object.value["metadata"]["ownerReferences"].as_array();
        let Some(references) = references.filter(|list| !list.is_empty()) else { return };
        let states: Vec<Owner> = references.iter().map(|owner| self.owner(owner, &key.0)).collect();
        if states.contains(&Owner::Solid) {
            if states.iter().any(|state| *state != Owner::Solid) {
                let kept: Vec<Value> = references
                    .iter()
                    .zip(&states)
                    .filter(|(_, state)| **state == Owner::Solid)
                    .map(|(owner, _)| owner.clone())
                    .collect();
                let mut value = object.value.clone();
                value["metadata"]["ownerReferences"] = kept.into();
                self.store.put(table, key, value);
            }
            return;
        }
        if object.is_deleting() {
            return;
        }
        let has_dependents = !self.store.dependents(object.uid()).is_empty();
        let policy =
            if states.contains(&Owner::Waiting) && has_dependents { "Foreground" } else { "" };
        self.delete_quietly(table, (key, &object), policy);
    }

    fn owner(&self, reference: &Value, namespace: &str) -> Owner {
        let text = |field: &str| reference[field].as_str().unwrap_or_default();
        let group = text("apiVersion").rsplit_once('/').map_or("", |(group, _)| group);
        let mut kinds = self.store.tables.values().map(|table| &table.kind);
        let Some(kind) = kinds.find(|kind| kind.group == group && kind.kind == text("kind")) else {
            return Owner::Solid;
        };
        let home = if kind.namespaced { namespace } else { "" };
        let key = (home.to_owned(), text("name").to_owned());
        match self.store.get(&kind.group_resource(), &key) {
            Some(owner) if owner.uid() == text("uid") => {
                if owner.is_deleting() && has_finalizer(&owner, FOREGROUND) {
                    Owner::Waiting
                } else {
                    Owner::Solid
                }
            }
            _ => Owner::Dangling,
        }
    }

    fn delete_quietly(&mut self, table: &str, object: (&Key, &Arc<Object>), policy: &str) {
        if let Some(kind) = self.store.tables.get(table).map(|table| Arc::clone(&table.kind)) {
            self.mark_deleted(&kind, object, policy, false);
        }
    }

    /// Goes on with a foreground or orphaning deletion.
    fn finalize(&mut self, table: &str, key: &Key) {
        let Some(object) = self.store.get(table, key).filter(|object| object.is_deleting()) else {
            return;
        };
        let dependents = self.store.dependents(object.uid());
        if has_finalizer(&object, ORPHAN) {
            for (table, key) in dependents {
                self.disown(&table, &key, object.uid());
            }
            self.drop_finalizer(table, key, &object, ORPHAN);
        } else if has_finalizer(&object, FOREGROUND) {
            let mut blocked = false;
            for (table, key) in dependents {
                let Some(dependent) = self.store.get(&table, &key) else { continue };
                blocked |= blocks(&dependent, object.uid());
                if !dependent.is_deleting() {
                    self.jobs.push_back(Job::Check(table, key));
                }
            }
            if !blocked {
                self.drop_finalizer(table, key, &object, FOREGROUND);
            }
        }
    }

    fn disown(&mut self, table: &str, key: &Key, uid: &str) {
        let Some(object) = self.store.get(table, key) else { return };
        let mut value = object.value.clone();
        if let Some(owners) = value["metadata"]["ownerReferences"].as_array_mut() {
            owners.retain(|owner| owner["uid"] != uid);
        }
        self.store.put(table, key, value);
    }

    fn drop_finalizer(&mut self, table: &str, key: &Key, object: &Object, name: &str) {
        let mut value = object.value.clone();
        let left = value["metadata"]["finalizers"].as_array_mut().map(|finalizers| {
            finalizers.retain(|finalizer| finalizer != name);
            finalizers.len()
        });
        if left.unwrap_or_default() == 0 {
            self.remove(table, key);
        } else {
            self.store.put(table, key, value);
        }
    }

    /// Deletes what is in a namespace that is being deleted, and then the namespace.
    fn end_namespace(&mut self, name: &str) {
        let key = (String::new(), name.to_owned());
        let Some(namespace) = self.store.get("namespaces", &key) else { return };
        if !namespace.is_deleting() {
            return;
        }
        let inside: Vec<(String, Key, Arc<Object>)> = self
            .store
            .tables
            .iter()
            .flat_map(|(table, entry)| {
                let range = entry.objects.range((name.to_owned(), String::new())..);
                range
                    .take_while(|(key, _)| key.0 == name)
                    .map(|(key, object)| (table.clone(), key.clone(), Arc::clone(object)))
            })
            .collect();
        for (table, key, object) in &inside {
            if !object.is_deleting() {
                self.delete_quietly(table, (key, object), "");
            }
        }
        let finalizers = namespace.value["metadata"]["finalizers"].as_array();
        if inside.is_empty() && finalizers.is_none_or(Vec::is_empty) {
            self.remove(&group_resource("", "namespaces"), &key);
        }
    }
}

fn has_finalizer(object: &Object, name: &str) -> bool {
    let list = object.value["metadata"]["finalizers"].as_array();
    list.is_some_and(|list| list.iter().any(|finalizer| finalizer == name))
}

fn blocks(dependent: &Object, uid: &str) -> bool {
    let list = dependent.value["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    list.into_iter().any(|owner| owner["uid"] == uid && owner["blockOwnerDeletion"] == true)
}
