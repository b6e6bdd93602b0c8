//! The state behind all requests, and the answer to one request.

use std::{collections::VecDeque, fmt, sync::Arc};

use bytes::Bytes;
use kube::core::cel::Validator;
use serde_json::{Value, json};

use crate::{
    access::Access,
    builtin,
    clock::Clock,
    failure::{Failure, Outcome},
    gc::Job,
    kind::{Kind, group_resource},
    list::Form,
    log::Logs,
    options::GarbageCollection,
    request::Request,
    store::{Key, Object, Store},
    verb::Verb,
    watch::Plan,
};

/// An answer before it is written to the wire.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    pub(crate) content: Content,
    pub(crate) warnings: Vec<String>,
}

/// What an answer carries.
#[derive(Debug)]
pub(crate) enum Content {
    Json(Bytes),
    /// What a container wrote.
    Text(Bytes),
    Watch(Box<Plan>),
}

impl Reply {
    pub(crate) fn json(code: u16, value: &Value) -> Self {
        Self::bytes(code, value.to_string().into())
    }

    pub(crate) fn bytes(code: u16, bytes: Bytes) -> Self {
        Self { code, content: Content::Json(bytes), warnings: Vec::new() }
    }

    pub(crate) fn with_warnings(mut self, warnings: Vec<String>) -> Self {
        self.warnings = warnings;
        self
    }
}

/// Where a definition is, the definition, and what it comes to.
pub(crate) type Defined = (Key, Value, Arc<Kind>);

/// The table of definitions.
const DEFINITIONS: &str = "customresourcedefinitions.apiextensions.k8s.io";

/// Everything that the server knows.
pub(crate) struct Cluster {
    pub(crate) store: Store,
    pub(crate) validator: Validator,
    pub(crate) clock: Clock,
    pub(crate) jobs: VecDeque<Job>,
    pub(crate) collection: GarbageCollection,
    pub(crate) access: Access,
    pub(crate) logs: Logs,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Cluster")
            .field("version", &self.store.version())
            .finish_non_exhaustive()
    }
}

impl Cluster {
    /// A cluster with the built-in kinds and the usual namespaces.
    pub(crate) fn new(clock: Clock, collection: GarbageCollection) -> Self {
        let mut cluster = Self {
            store: Store::default(),
            validator: Validator::new(),
            clock,
            jobs: VecDeque::new(),
            collection,
            access: Access::default(),
            logs: Logs::default(),
        };
        for kind in builtin::kinds() {
            cluster.store.register(Arc::new(kind));
        }
        for name in builtin::NAMESPACES {
            cluster.add_namespace(name);
        }
        cluster
    }

    /// The kinds that definitions have added, with the definitions.
    pub(crate) fn defined(&self) -> Vec<Defined> {
        let custom = self.store.tables.values().filter(|table| table.kind.is_custom());
        custom
            .filter_map(|table| {
                let key = (String::new(), table.kind.group_resource());
                let definition = self.store.get(DEFINITIONS, &key)?;
                Some((key, definition.value.clone(), Arc::clone(&table.kind)))
            })
            .collect()
    }

    /// Adds kinds that another cluster has worked out.
    pub(crate) fn adopt(&mut self, kinds: &[Defined]) {
        for (key, definition, kind) in kinds {
            let mut definition = definition.clone();
            definition["metadata"]["uid"] = crate::random::uid().into();
            definition["metadata"]["creationTimestamp"] = self.clock.now().into();
            self.store.put(DEFINITIONS, key, definition);
            self.store.register(Arc::clone(kind));
        }
    }

    /// Adds a namespace; an existing one stays.
    pub(crate) fn add_namespace(&mut self, name: &str) {
        let key = (String::new(), name.to_owned());
        let Some(kind) = self.store.tables.get("namespaces").map(|table| Arc::clone(&table.kind))
        else {
            return;
        };
        if self.store.get("namespaces", &key).is_none() {
            let mut value = json!({
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {
                    "name": name,
                    "uid": crate::random::uid(),
                    "creationTimestamp": self.clock.now(),
                },
            });
            builtin::complete(&kind, &mut value);
            self.store.put("namespaces", &key, value);
        }
    }

    /// Answers one request.
    pub(crate) fn answer(&mut self, request: &Request) -> Outcome<Reply> {
        let Some(target) = &request.target else {
            return crate::discovery::answer(&self.store, &request.path);
        };
        let name = group_resource(&target.group, &target.plural);
        let table = self.store.tables.get(&name);
        let kind = table.map(|table| Arc::clone(&table.kind));
        let kind = kind.filter(|kind| kind.version == target.version);
        let kind = kind.ok_or_else(Failure::no_such_path)?;
        let nowhere = target.namespace.is_none() && kind.namespaced;
        let single = target.name.is_some() || request.verb == Verb::Create;
        let misplaced = target.namespace.is_some() && !kind.namespaced;
        if misplaced || (nowhere && single) || !serves(&kind, request.subresource()) {
            return Err(Failure::no_such_path());
        }
        self.access.check(request, &kind)?;
        let reply = match request.verb {
            Verb::Get if request.subresource() == "log" => self.log(request, &kind),
            Verb::Get => self.get(request, &kind),
            Verb::List => self.list(request, &kind),
            Verb::Watch => self.watch(request, &kind),
            Verb::Create => self.create(request, &kind),
            Verb::Update => self.replace(request, &kind),
            Verb::Patch => self.patch(request, &kind),
            Verb::Delete => self.delete(request, &kind),
            Verb::DeleteCollection => self.delete_collection(request, &kind),
        };
        if self.collection == GarbageCollection::Immediate {
            self.collect_garbage();
        }
        reply
    }

    fn get(&self, request: &Request, kind: &Kind) -> Outcome<Reply> {
        let key = key_of(request);
        let object = self.store.get(&kind.group_resource(), &key);
        let object = object.ok_or_else(|| Failure::not_found(kind, &key.1))?;
        let bytes = match Form::of(request) {
            Form::Whole => object.json(),
            Form::Metadata => object.partial_json(),
            Form::Table => return Ok(self.table_of(request, kind, &[object], &json!({}))),
        };
        Ok(Reply::bytes(200, bytes))
    }

    /// The object that a request names.
    pub(crate) fn live(&self, request: &Request, kind: &Kind) -> Outcome<(Key, Arc<Object>)> {
        let key = key_of(request);
        let object = self.store.get(&kind.group_resource(), &key);
        let object = object.ok_or_else(|| Failure::not_found(kind, &key.1))?;
        Ok((key, object))
    }
}

fn serves(kind: &Kind, subresource: &str) -> bool {
    subresource.is_empty()
        || (subresource == "status" && kind.status)
        || (subresource == "log" && kind.is("pods"))
}

/// Namespace and name of the path.
pub(crate) fn key_of(request: &Request) -> Key {
    let target = request.target.as_ref();
    let namespace = target.and_then(|target| target.namespace.clone());
    let name = target.and_then(|target| target.name.clone());
    (namespace.unwrap_or_default(), name.unwrap_or_default())
}
