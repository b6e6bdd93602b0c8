//! Creating and replacing objects; patches end here too.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    builtin,
    cluster::{Cluster, Reply, key_of},
    definition,
    draft::{Draft, SYSTEM, decode, identity, ignored, set_managers},
    failure::{Cause, Failure, Outcome},
    fields::{Managers, Operation},
    gc::Job,
    judge,
    kind::Kind,
    names,
    request::Request,
    store::{Key, Object},
    update::check_is_new,
    verb::Verb,
};

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
            Err(_) if kind.create_on_update => {
                check_is_new(kind, &key_of(request), &draft.value)?;
                self.insert(request, kind, draft)
            }
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
        if request.verb != Verb::Create {
            // Who creates by `PUT` or by apply needs the right to create as well.
            let creation = Request { verb: Verb::Create, ..request.clone() };
            self.access.check(&creation, kind)?;
        }
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

    /// Serves what a definition defines, and says so in its status.
    fn define(&mut self, key: &Key, object: &Object) {
        let established = definition::established(&object.value, &self.clock.now());
        self.store.put("customresourcedefinitions.apiextensions.k8s.io", key, established);
        self.store.register(Arc::new(definition::kind(&object.value)));
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
