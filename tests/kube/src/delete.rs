//! `DELETE`, of one object and of many.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    cluster::{Cluster, Reply},
    failure::{Failure, Outcome, details},
    gc::Job,
    kind::{Kind, group_resource},
    list,
    request::Request,
    selector::Selector,
    store::{Key, Object},
};

/// The finalizer of a deletion that waits for the dependents.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";
/// The finalizer of a deletion that lets the dependents live.
pub(crate) const ORPHAN: &str = "orphan";

impl Cluster {
    /// `DELETE` of one object.
    pub(crate) fn delete(&mut self, request: &Request, kind: &Kind) -> Outcome<Reply> {
        let options = request.delete_options()?;
        let (key, live) = self.live(request, kind)?;
        check_preconditions(kind, &key, &live, &options)?;
        let policy = options["propagationPolicy"].as_str().or(request.option("propagationPolicy"));
        let dry = request.is_dry_run() || options["dryRun"] == json!(["All"]);
        let left = self.mark_deleted(kind, (&key, &live), policy.unwrap_or_default(), dry);
        if let Some(object) = left {
            return Ok(Reply::json(200, &object));
        }
        let mut details = details(&kind.plural, &kind.group, &key.1);
        details["uid"] = live.uid().into();
        let status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": details,
        });
        Ok(Reply::json(200, &status))
    }

    /// `DELETE` of many objects; the answer lists them as they were.
    pub(crate) fn delete_collection(&mut self, request: &Request, kind: &Kind) -> Outcome<Reply> {
        let options = request.delete_options()?;
        let selector = Selector::of(request, kind)?;
        let objects = self.selected(kind, &selector);
        let version = self.store.version();
        let policy = options["propagationPolicy"].as_str().or(request.option("propagationPolicy"));
        for (key, object) in &objects {
            let dry = request.is_dry_run();
            self.mark_deleted(kind, (key, object), policy.unwrap_or_default(), dry);
        }
        let items = objects.iter().map(|(_, object)| object.json());
        let metadata = json!({ "continue": "", "resourceVersion": version.to_string() });
        Ok(Reply::bytes(200, list::written(kind, items, &metadata)))
    }

    /// Deletes, or waits for the finalizers: then the object as it is now comes back.
    pub(crate) fn mark_deleted(
        &mut self,
        kind: &Kind,
        (key, live): (&Key, &Arc<Object>),
        policy: &str,
        dry_run: bool,
    ) -> Option<Value> {
        let mut value = live.value.clone();
        let finalizer = match policy {
            "Foreground" => Some(FOREGROUND),
            "Orphan" => Some(ORPHAN),
            _ => None,
        };
        let list = value["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
        let mut finalizers: Vec<Value> = list
            .into_iter()
            .filter(|name| policy.is_empty() || (name != FOREGROUND && name != ORPHAN))
            .collect();
        finalizers.extend(finalizer.map(Value::from));
        let table = kind.group_resource();
        let space = kind.is("namespaces");
        if finalizers.is_empty() && !space {
            if !dry_run {
                self.remove(&table, key);
            }
            return None;
        }
        if !finalizers.is_empty() {
            value["metadata"]["finalizers"] = finalizers.into();
        }
        if !live.is_deleting() {
            value["metadata"]["deletionTimestamp"] = self.clock.now().into();
            value["metadata"]["deletionGracePeriodSeconds"] = 0.into();
            if let Some(generation) = value["metadata"]["generation"].as_i64() {
                value["metadata"]["generation"] = (generation + 1).into();
            }
        }
        if space {
            value["status"]["phase"] = "Terminating".into();
        }
        if value == live.value || dry_run {
            return Some(value);
        }
        let object = self.store.put(&table, key, value);
        let job =
            if space { Job::Namespace(key.1.clone()) } else { Job::Finalize(table, key.clone()) };
        self.jobs.push_back(job);
        Some(object.value.clone())
    }

    /// Takes an object out of the store and tells the garbage collector.
    pub(crate) fn remove(&mut self, table: &str, key: &Key) {
        let Some(gone) = self.store.delete(table, key) else { return };
        self.jobs.push_back(Job::OwnerGone(gone.uid().to_owned()));
        for owner in gone.owners() {
            if let Some((table, key)) = self.store.find(owner).cloned() {
                self.jobs.push_back(Job::Finalize(table, key));
            }
        }
        if !key.0.is_empty() {
            self.jobs.push_back(Job::Namespace(key.0.clone()));
        }
        if table == "customresourcedefinitions.apiextensions.k8s.io" {
            let spec = &gone.value["spec"];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let table = group_resource(&text(&spec["group"]), &text(&spec["names"]["plural"]));
            self.store.tables.remove(&table);
        }
    }
}

fn check_preconditions(kind: &Kind, key: &Key, live: &Object, options: &Value) -> Outcome<()> {
    let stated = |field: &str| options["preconditions"][field].as_str();
    let version = live.version.to_string();
    let why = if let Some(uid) = stated("uid").filter(|uid| *uid != live.uid()) {
        format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted and then recreated",
            live.uid()
        )
    } else if let Some(wanted) = stated("resourceVersion").filter(|wanted| *wanted != version) {
        format!(
            "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record ({version}). The object might have been modified"
        )
    } else {
        return Ok(());
    };
    let who = group_resource(&kind.group, &kind.kind);
    let message = format!("Operation cannot be fulfilled on {who} {:?}: {why}", key.1);
    let details = details(&kind.kind, &kind.group, &key.1);
    Err(Failure::new(409, "Conflict", message).with_details(details))
}
