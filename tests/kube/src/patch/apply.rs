//! Server-side apply.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    cluster::{Cluster, Reply, key_of},
    draft::{Draft, identity, ignored, typed},
    failure::{Cause, Failure, Outcome},
    fields::{Applied, Managers, Operation},
    kind::Kind,
    request::Request,
    schema,
    store::Key,
};

impl Cluster {
    /// `PATCH` with `application/apply-patch+yaml`; the body is read as JSON.
    pub(crate) fn apply(&mut self, request: &Request, kind: &Arc<Kind>) -> Outcome<Reply> {
        if request.option("fieldManager").is_none() {
            let cause = Cause::required("fieldManager", "is required for apply patch");
            return Err(Failure::invalid("PatchOptions", "meta.k8s.io", "", &[cause]));
        }
        let key = key_of(request);
        let sent = request.json()?;
        if sent["metadata"].get("managedFields").is_some_and(|managed| !managed.is_null()) {
            return Err(Failure::bad_request("metadata.managedFields must be nil"));
        }
        let config = configuration(kind, &key, sent)?;
        match self.store.get(&kind.group_resource(), &key) {
            Some(live) => {
                let (value, managers) = self.laid_over(request, kind, &live.value, &config)?;
                let draft = draft(kind, value, managers);
                self.update(request, kind, (&key, &live), draft)
            }
            None => self.apply_new(request, kind, &key, &config),
        }
    }

    fn apply_new(
        &mut self,
        request: &Request,
        kind: &Arc<Kind>,
        key: &Key,
        config: &Value,
    ) -> Outcome<Reply> {
        if !request.subresource().is_empty() {
            return Err(Failure::not_found(kind, &key.1));
        }
        if let Some(uid) = config["metadata"]["uid"].as_str() {
            let why = format!(
                "uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            );
            return Err(Failure::conflict(kind, &key.1, &why));
        }
        let mut blank = kind.blank.clone();
        blank["metadata"] = json!({ "name": key.1 });
        let (value, managers) = self.laid_over(request, kind, &blank, config)?;
        let draft = draft(kind, value, managers);
        self.insert(request, kind, draft)
    }

    fn laid_over(
        &self,
        request: &Request,
        kind: &Kind,
        live: &Value,
        config: &Value,
    ) -> Outcome<(Value, Managers)> {
        let mut managers = Managers::decode(live["metadata"].get("managedFields"));
        let who = identity(request, kind, Operation::Apply);
        let ignored = ignored(kind, request.subresource());
        let now = self.clock.now();
        let how = (&ignored, request.flag("force"), now.as_str());
        match managers.apply(&who, (live, config), &kind.schema, how) {
            Applied::Done(value) => Ok((value, managers)),
            Applied::Conflicts(conflicts) => Err(conflict(&conflicts)),
        }
    }
}

/// The applied configuration; refuses fields that the kind does not have.
fn configuration(kind: &Kind, key: &Key, sent: Value) -> Outcome<Value> {
    let mut config = typed(kind, sent)?;
    let named = config["metadata"]["name"].as_str().unwrap_or_default();
    if !named.is_empty() && named != key.1 {
        return Err(Failure::bad_request(format!(
            "the name of the object ({named}) does not match the name on the URL ({})",
            key.1
        )));
    }
    let unknown = schema::prune(&mut config, &kind.schema);
    if let [first, ..] = unknown.as_slice() {
        return Err(Failure::new(
            500,
            "",
            format!(
                "failed to create typed patch object ({}/{}; {}, Kind={}): .{first}: field not declared in schema",
                key.0,
                key.1,
                kind.api_version(),
                kind.kind
            ),
        ));
    }
    Ok(config)
}

fn draft(kind: &Kind, mut value: Value, managers: Managers) -> Draft {
    schema::fill_defaults(&mut value, &kind.schema);
    Draft { value, managers: Some(managers), warnings: Vec::new() }
}

fn conflict(conflicts: &[(String, String)]) -> Failure {
    let message = match conflicts {
        [(who, path)] => format!("Apply failed with 1 conflict: conflict with {who}: {path}"),
        many => {
            let mut lines: Vec<String> = Vec::new();
            let mut last = "";
            for (who, path) in many {
                if who != last {
                    lines.push(format!("conflicts with {who}:"));
                    last = who;
                }
                lines.push(format!("- {path}"));
            }
            format!("Apply failed with {} conflicts: {}", many.len(), lines.join("\n"))
        }
    };
    let causes: Value = conflicts
        .iter()
        .map(|(who, path)| {
            json!({
                "reason": "FieldManagerConflict",
                "message": format!("conflict with {who}"),
                "field": path,
            })
        })
        .collect();
    Failure::new(409, "Conflict", message).with_details(json!({ "causes": causes }))
}
