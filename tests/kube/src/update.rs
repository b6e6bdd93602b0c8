//! Storing a new state of an object that is there.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{
    builtin,
    cluster::{Cluster, Reply},
    definition,
    draft::{Draft, identity, ignored, isolate, set_managers},
    failure::{Cause, Failure, Outcome},
    fields::{Managers, Operation},
    gc::Job,
    judge,
    kind::Kind,
    names,
    request::Request,
    store::{Key, Object},
};

impl Cluster {
    /// Stores a new state of an object that is there.
    pub(crate) fn update(
        &mut self,
        request: &Request,
        kind: &Arc<Kind>,
        (key, live): (&Key, &Arc<Object>),
        draft: Draft,
    ) -> Outcome<Reply> {
        let Draft { mut value, managers, warnings } = draft;
        check_preconditions(kind, key, live, &value)?;
        let stated = value["metadata"].get("managedFields").cloned();
        isolate(request.subresource(), kind, &live.value, &mut value);
        if kind.is("secrets") {
            builtin::complete_secret(&mut value);
        }
        let stored = Managers::decode(live.value["metadata"].get("managedFields"));
        let managers = managers.unwrap_or_else(|| {
            let who = identity(request, kind, Operation::Update);
            let mut managers = stated_managers(request, stated.as_ref(), &stored);
            let change = (&live.value, &value);
            let ignored = ignored(kind, request.subresource());
            managers.update(&who, change, &kind.schema, (&ignored, &self.clock.now()));
            managers
        });
        set_managers(&mut value, &managers);
        if kind.generation && generation_moves(kind, &live.value, &value) {
            let generation = live.value["metadata"]["generation"].as_i64().unwrap_or_default();
            value["metadata"]["generation"] = (generation + 1).into();
        }
        let mut causes = names::labels(&value["metadata"]);
        causes.extend(new_finalizers(kind, &live.value, &value));
        causes.extend(judge::causes(&self.validator, kind, &value, Some(&live.value)));
        if !causes.is_empty() {
            return Err(Failure::invalid(&kind.kind, &kind.group, &key.1, &causes));
        }
        if same_but_managers(&live.value, &value) && managers.same_but_times(&stored) {
            return Ok(Reply::bytes(200, live.json()).with_warnings(warnings));
        }
        if request.is_dry_run() {
            return Ok(Reply::json(200, &value).with_warnings(warnings));
        }
        let reply = self.commit(kind, (key, live), value);
        Ok(reply.with_warnings(warnings))
    }

    /// Writes the new state, or deletes the object when its last finalizer went.
    fn commit(&mut self, kind: &Kind, (key, live): (&Key, &Arc<Object>), value: Value) -> Reply {
        let table = kind.group_resource();
        if live.is_deleting() && finalizers(&value).is_empty() {
            self.remove(&table, key);
            return Reply::json(200, &value);
        }
        let object = self.store.put(&table, key, value);
        self.jobs.push_back(Job::Check(table, key.clone()));
        if kind.is("customresourcedefinitions.apiextensions.k8s.io") {
            self.store.register(Arc::new(definition::kind(&object.value)));
        }
        Reply::bytes(200, object.json())
    }
}

/// The managers to go on from: those the client sent, unless it sent none or may not change them.
fn stated_managers(request: &Request, stated: Option<&Value>, stored: &Managers) -> Managers {
    let sent = Managers::decode(stated);
    if request.subresource().is_empty() && !sent.is_empty() { sent } else { stored.clone() }
}

/// What is said against the client that means another object than the one of this uid.
fn other_uid(uid: &str, new: &Value) -> Option<String> {
    let meant =
        new["metadata"]["uid"].as_str().filter(|meant| !meant.is_empty() && *meant != uid)?;
    Some(format!("Precondition failed: UID in precondition: {meant}, UID in object meta: {uid}"))
}

/// Who names a uid means an object that was there, and does not want another one.
pub(crate) fn check_is_new(kind: &Kind, (namespace, name): &Key, new: &Value) -> Outcome<()> {
    let Some(why) = other_uid("", new) else { return Ok(()) };
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: /registry/{}/{namespace}/{name}, ResourceVersion: 0, \
         AdditionalErrorMsg: {why}",
        kind.plural
    );
    Err(Failure::conflict(kind, name, &why))
}

fn check_preconditions(kind: &Kind, key: &Key, live: &Object, new: &Value) -> Outcome<()> {
    if let Some(why) = other_uid(live.uid(), new) {
        return Err(Failure::conflict(kind, &key.1, &why));
    }
    let text = |field: &str| new["metadata"][field].as_str().filter(|value| !value.is_empty());
    match text("resourceVersion") {
        Some(version) if version != live.version.to_string() => {
            Err(Failure::modified(kind, &key.1))
        }
        _ => Ok(()),
    }
}

/// Everything but metadata, and status where it is a subresource, makes a new generation.
fn generation_moves(kind: &Kind, live: &Value, new: &Value) -> bool {
    let counts = |field: &str| field != "metadata" && !(kind.status && field == "status");
    let fields = |value: &Value| -> Map<String, Value> {
        let mut map = value.as_object().cloned().unwrap_or_default();
        map.retain(|field, _| counts(field));
        map
    };
    fields(live) != fields(new)
}

fn finalizers(value: &Value) -> Vec<&str> {
    let list = value["metadata"]["finalizers"].as_array().into_iter().flatten();
    list.filter_map(Value::as_str).collect()
}

fn new_finalizers(kind: &Kind, live: &Value, new: &Value) -> Vec<Cause> {
    if !live["metadata"]["deletionTimestamp"].is_string() {
        return Vec::new();
    }
    let old = finalizers(live);
    let added: Vec<String> = finalizers(new)
        .into_iter()
        .filter(|name| !old.contains(name))
        .map(|name| format!("{name:?}"))
        .collect();
    if added.is_empty() {
        return Vec::new();
    }
    let detail = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        added.join(", ")
    );
    let cause = Cause::forbidden("metadata.finalizers", detail);
    // The real server checks the metadata of custom resources twice.
    if kind.is_custom() { vec![cause.clone(), cause] } else { vec![cause] }
}

fn same_but_managers(live: &Value, new: &Value) -> bool {
    let (Some(live), Some(new)) = (live.as_object(), new.as_object()) else { return false };
    let metadata = |map: &Map<String, Value>| {
        let mut metadata =
            map.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default();
        metadata.remove("managedFields");
        metadata
    };
    live.len() == new.len()
        && live.iter().all(|(field, value)| field == "metadata" || new.get(field) == Some(value))
        && metadata(live) == metadata(new)
}
