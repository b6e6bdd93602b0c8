//! Creating and replacing objects; patches end here too.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::{
    builtin,
    cluster::{Cluster, Reply},
    definition,
    failure::{Cause, Failure, Outcome},
    fields::{Identity, Managers, Operation, Set},
    gc::Job,
    judge,
    kind::Kind,
    names,
    request::Request,
    schema,
    store::{Key, Object},
};

/// Metadata that only the server writes.
const SYSTEM: [&str; 5] =
    ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"];

/// An object that is to be written.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) value: Value,
    /// Set when server-side apply has found them out already.
    pub(crate) managers: Option<Managers>,
    pub(crate) warnings: Vec<String>,
}

impl Cluster {
    /// `POST`.
    pub(crate) fn create(&mut self, request: &Request, kind: &Arc<Kind>) -> Outcome<Reply> {
        let (value, warnings) = decode(request, kind, request.json()?)?;
        self.insert(request, kind, Draft { value, managers: None, warnings })
    }

    /// `PUT`.
    pub(crate) fn replace(&mut self, request: &Request, kind: &Arc<Kind>) -> Outcome<Reply> {
        let (value, warnings) = decode(request, kind, request.json()?)?;
        let draft = Draft { value, managers: None, warnings };
        match self.live(request, kind) {
            Ok((key, live)) => {
                let named = draft.value["metadata"]["name"].as_str().unwrap_or_default();
                if named != key.1 {
                    return Err(Failure::bad_request(format!(
                        "the name of the object ({named}) does not match the name on the URL ({})",
                        key.1
                    )));
                }
                let unversioned =
                    draft.value["metadata"]["resourceVersion"].as_str().is_none_or(str::is_empty);
                if unversioned && !kind.unconditional_update {
                    let field = "metadata.resourceVersion";
                    let cause = Cause::invalid(field, "0: must be specified for an update");
                    return Err(Failure::invalid(&kind.plural, &kind.group, &key.1, &[cause]));
                }
                self.update(request, kind, (&key, &live), draft)
            }
            Err(_) if kind.create_on_update => self.insert(request, kind, draft),
            Err(failure) => Err(failure),
        }
    }

    /// Stores an object that is not there yet.
    pub(crate) fn insert(
        &mut self,
        request: &Request,
        kind: &Arc<Kind>,
        draft: Draft,
    ) -> Outcome<Reply> {
        let Draft { mut value, managers, warnings } = draft;
        let key = self.prepare(request, kind, &mut value)?;
        let who = identity(request, kind, Operation::Update);
        let managers = managers.unwrap_or_else(|| {
            let mut managers = Managers::default();
            let now = self.clock.now();
            managers.update(&who, (&kind.blank, &value), &kind.schema, (&ignored(kind, ""), &now));
            managers
        });
        set_managers(&mut value, &managers);
        let mut causes = names::check(kind, &value["metadata"]);
        causes.extend(judge::causes(&self.validator, kind, &value, None));
        if !causes.is_empty() {
            return Err(Failure::invalid(&kind.kind, &kind.group, &key.1, &causes));
        }
        let table = kind.group_resource();
        if self.store.get(&table, &key).is_some() {
            return Err(Failure::already_exists(kind, &key.1));
        }
        if request.is_dry_run() {
            return Ok(Reply::json(201, &value).with_warnings(warnings));
        }
        let object = self.store.put(&table, &key, value);
        if object.owners().next().is_some() {
            self.jobs.push_back(Job::Check(table, key.clone()));
        }
        if kind.is("customresourcedefinitions.apiextensions.k8s.io") {
            self.define(&key, &object);
        }
        Ok(Reply::bytes(201, object.json()).with_warnings(warnings))
    }

    /// Fills in what the server knows about a new object.
    fn prepare(&self, request: &Request, kind: &Kind, value: &mut Value) -> Outcome<Key> {
        let namespace = request.target.as_ref().and_then(|target| target.namespace.clone());
        if let Some(namespace) = &namespace {
            let key = (String::new(), namespace.clone());
            let home = self.store.get("namespaces", &key);
            let home = home.ok_or_else(|| match self.store.tables.get("namespaces") {
                Some(table) => Failure::not_found(&table.kind, namespace),
                None => Failure::no_such_path(),
            })?;
            let metadata = &mut value["metadata"];
            if metadata["namespace"].as_str().is_some_and(|stated| stated != namespace) {
                return Err(Failure::bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request",
                ));
            }
            if home.is_deleting() {
                return Err(terminating(
                    kind,
                    metadata["name"].as_str().unwrap_or_default(),
                    namespace,
                ));
            }
            metadata["namespace"] = namespace.as_str().into();
        }
        let metadata = &mut value["metadata"];
        if metadata["name"].as_str().is_none_or(str::is_empty)
            && let Some(prefix) =
                metadata["generateName"].as_str().filter(|prefix| !prefix.is_empty())
        {
            metadata["name"] = names::generated(prefix).into();
        }
        let name = metadata["name"].as_str().unwrap_or_default().to_owned();
        if let Some(map) = metadata.as_object_mut() {
            map.retain(|field, _| {
                !SYSTEM.contains(&field.as_str())
                    && field != "managedFields"
                    && field != "resourceVersion"
            });
        }
        metadata["uid"] = crate::random::uid().into();
        metadata["creationTimestamp"] = self.clock.now().into();
        if kind.generation {
            metadata["generation"] = 1.into();
        }
        if let (true, Some(map)) = (kind.status, value.as_object_mut()) {
            map.remove("status");
        }
        if !kind.is_custom() {
            builtin::complete(kind, value);
        }
        Ok((namespace.unwrap_or_default(), name))
    }

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
            self.store.register(definition::kind(&object.value));
        }
        Reply::bytes(200, object.json())
    }

    /// Serves what a definition defines, and says so in its status.
    fn define(&mut self, key: &Key, object: &Object) {
        let established = definition::established(&object.value, &self.clock.now());
        self.store.put("customresourcedefinitions.apiextensions.k8s.io", key, established);
        self.store.register(definition::kind(&object.value));
    }
}

fn terminating(kind: &Kind, name: &str, namespace: &str) -> Failure {
    let message = format!(
        "{} {name:?} is forbidden: unable to create new content in namespace {namespace} because it is being terminated",
        kind.group_resource()
    );
    let mut details = crate::failure::details(&kind.plural, &kind.group, name);
    details["causes"] = json!([{
        "reason": "NamespaceTerminating",
        "message": format!("namespace {namespace} is being terminated"),
        "field": "metadata.namespace",
    }]);
    Failure::new(403, "Forbidden", message).with_details(details)
}

/// Reads an object of the kind: unknown fields go, defaults come.
pub(crate) fn decode(
    request: &Request,
    kind: &Kind,
    value: Value,
) -> Outcome<(Value, Vec<String>)> {
    let mut value = typed(kind, value)?;
    let unknown = schema::prune(&mut value, &kind.schema);
    let lines: Vec<String> = unknown.iter().map(|path| format!("unknown field {path:?}")).collect();
    let warnings = match request.option("fieldValidation") {
        Some("Strict") if !lines.is_empty() => {
            return Err(Failure::bad_request(format!(
                "{} in version {:?} cannot be handled as a {}: strict decoding error: {}",
                kind.kind,
                kind.version,
                kind.kind,
                lines.join(", ")
            )));
        }
        Some("Strict" | "Ignore") => Vec::new(),
        _ => lines,
    };
    schema::fill_defaults(&mut value, &kind.schema);
    Ok((value, warnings))
}

/// The value with type and metadata of its kind; refuses another kind.
pub(crate) fn typed(kind: &Kind, mut value: Value) -> Outcome<Value> {
    let Some(map) = value.as_object_mut() else {
        return Err(Failure::bad_request("the body of the request is not an object"));
    };
    for (field, wanted) in [("apiVersion", kind.api_version()), ("kind", kind.kind.clone())] {
        let stated = map.entry(field).or_insert_with(|| wanted.as_str().into());
        if *stated != wanted.as_str() {
            return Err(Failure::bad_request(format!(
                "the {field} in the data ({}) does not match the expected {field} ({wanted})",
                stated.as_str().unwrap_or_default()
            )));
        }
    }
    let metadata = map.entry("metadata").or_insert_with(|| json!({}));
    if !metadata.is_object() {
        *metadata = json!({});
    }
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.retain(|_, value| !value.is_null() && !is_empty(value));
    }
    Ok(value)
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

/// Who writes with this request.
pub(crate) fn identity(request: &Request, kind: &Kind, operation: Operation) -> Identity {
    Identity {
        manager: request.manager(),
        operation,
        api_version: kind.api_version(),
        subresource: request.subresource().to_owned(),
    }
}

/// Fields that nobody comes to own through this endpoint.
pub(crate) fn ignored(kind: &Kind, subresource: &str) -> Set {
    let mut ignored = Set::default();
    if subresource == "status" {
        for field in kind.schema.properties.keys().filter(|field| *field != "status") {
            ignored.insert(format!("f:{field}"));
        }
    } else if kind.status {
        ignored.insert("f:status");
    }
    ignored
}

fn set_managers(value: &mut Value, managers: &Managers) {
    if managers.is_empty() {
        if let Some(metadata) = value["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
    } else {
        value["metadata"]["managedFields"] = managers.encode();
    }
}

/// The managers to go on from: those the client sent, unless it sent none or may not change them.
fn stated_managers(request: &Request, stated: Option<&Value>, stored: &Managers) -> Managers {
    let sent = Managers::decode(stated);
    if request.subresource().is_empty() && !sent.is_empty() { sent } else { stored.clone() }
}

fn check_preconditions(kind: &Kind, key: &Key, live: &Object, new: &Value) -> Outcome<()> {
    let text = |field: &str| new["metadata"][field].as_str().filter(|value| !value.is_empty());
    if let Some(uid) = text("uid").filter(|uid| *uid != live.uid()) {
        let why = format!(
            "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            live.uid()
        );
        return Err(Failure::conflict(kind, &key.1, &why));
    }
    match text("resourceVersion") {
        Some(version) if version != live.version.to_string() => {
            Err(Failure::modified(kind, &key.1))
        }
        _ => Ok(()),
    }
}

/// Keeps spec and status apart, and the server's metadata as it was.
fn isolate(subresource: &str, kind: &Kind, live: &Value, value: &mut Value) {
    if subresource == "status" {
        let status = value.get("status").cloned();
        *value = live.clone();
        set_or_remove(value, "status", status);
    } else if kind.status {
        set_or_remove(value, "status", live.get("status").cloned());
    }
    for field in SYSTEM.into_iter().chain(["namespace", "resourceVersion"]) {
        let old = live["metadata"].get(field).cloned();
        set_or_remove(&mut value["metadata"], field, old);
    }
}

fn set_or_remove(value: &mut Value, field: &str, content: Option<Value>) {
    let Some(map) = value.as_object_mut() else { return };
    match content {
        Some(content) => map.insert(field.to_owned(), content),
        None => map.remove(field),
    };
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
