//! Who owns which field: `metadata.managedFields`, kept by updates and by server-side apply.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    fields::{Comparison, Set, compare, ensure_named, merge, remove, to_set},
    schema::Schema,
};

/// Fields of the metadata that nobody owns.
const UNOWNED_METADATA: [&str; 9] = [
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
];

/// What a manager did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    /// Server-side apply.
    Apply,
    /// Everything else.
    Update,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

/// Who writes, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) manager: String,
    pub(crate) operation: Operation,
    pub(crate) api_version: String,
    pub(crate) subresource: String,
}

impl Identity {
    /// An apply goes on with its entry whatever the version was.
    fn same(&self, other: &Self) -> bool {
        self.manager == other.manager
            && self.operation == other.operation
            && self.subresource == other.subresource
            && (self.operation == Operation::Apply || self.api_version == other.api_version)
    }

    /// As conflict messages show it.
    fn shown(&self, time: Option<&str>) -> String {
        let mut shown = format!("{:?}", self.manager);
        if !self.subresource.is_empty() {
            shown = format!("{shown} with subresource {:?}", self.subresource);
        }
        if self.operation == Operation::Update {
            shown = format!("{shown} using {}", self.api_version);
            if let Some(time) = time {
                shown = format!("{shown} at {time}");
            }
        }
        shown
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    identity: Identity,
    time: Option<String>,
    set: Set,
}

/// All managers of one object.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Managers(Vec<Entry>);

/// What an apply comes to.
#[derive(Debug)]
pub(crate) enum Applied {
    /// The object with the configuration in it.
    Done(Value),
    /// Others own fields that the configuration changes: who, and the path.
    Conflicts(Vec<(String, String)>),
}

impl Managers {
    /// Reads `metadata.managedFields`; what cannot be read is left out.
    pub(crate) fn decode(list: Option<&Value>) -> Self {
        let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        let entries = list.and_then(Value::as_array).into_iter().flatten().filter_map(|entry| {
            let operation = match entry["operation"].as_str()? {
                "Apply" => Operation::Apply,
                "Update" => Operation::Update,
                _ => return None,
            };
            let identity = Identity {
                manager: text(entry, "manager"),
                operation,
                api_version: text(entry, "apiVersion"),
                subresource: text(entry, "subresource"),
            };
            let time = entry["time"].as_str().map(str::to_owned);
            Some(Entry { identity, time, set: Set::decode(&entry["fieldsV1"]) })
        });
        Self(entries.collect())
    }

    /// As `metadata.managedFields`: applies first, then by time, then by name.
    pub(crate) fn encode(&self) -> Value {
        let mut entries: Vec<&Entry> = self.0.iter().collect();
        entries.sort_by_key(|entry| {
            let who = &entry.identity;
            (who.operation, &entry.time, &who.manager, &who.api_version, &who.subresource)
        });
        let encoded = entries.into_iter().map(|entry| {
            let who = &entry.identity;
            let mut encoded = json!({
                "manager": who.manager,
                "operation": who.operation.name(),
                "apiVersion": who.api_version,
                "fieldsType": "FieldsV1",
                "fieldsV1": entry.set.encode(),
            });
            if let Some(time) = &entry.time {
                encoded["time"] = time.as_str().into();
            }
            if !who.subresource.is_empty() {
                encoded["subresource"] = who.subresource.as_str().into();
            }
            encoded
        });
        encoded.collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same but for the times.
    pub(crate) fn same_but_times(&self, other: &Self) -> bool {
        let timeless = |managers: &Self| {
            let mut managers = managers.clone();
            for entry in &mut managers.0 {
                entry.time = None;
            }
            managers.encode()
        };
        self.0.len() == other.0.len() && timeless(self) == timeless(other)
    }

    /// Notes that somebody wrote `new` over `live`.
    pub(crate) fn update(
        &mut self,
        who: &Identity,
        (live, new): (&Value, &Value),
        schema: &Schema,
        (ignored, now): (&Set, &str),
    ) {
        let comparison = stripped(compare(live, new, schema)).without(ignored);
        let taken = comparison.taken();
        self.lose(&comparison);
        if !taken.is_empty() {
            match self.0.iter_mut().find(|entry| entry.identity.same(who)) {
                Some(entry) => {
                    entry.set = entry.set.union(&taken);
                    entry.time = Some(now.to_owned());
                }
                None => self.0.push(Entry {
                    identity: who.clone(),
                    time: Some(now.to_owned()),
                    set: taken,
                }),
            }
        }
        self.0.retain(|entry| !entry.set.is_empty());
    }

    /// Lays a configuration over the live object; `ignored` fields are not owned through this endpoint.
    pub(crate) fn apply(
        &mut self,
        who: &Identity,
        (live, config): (&Value, &Value),
        schema: &Schema,
        (ignored, force, now): (&Set, bool, &str),
    ) -> Applied {
        let own = self.0.iter().position(|entry| entry.identity.same(who));
        let last = own.map(|at| self.0.remove(at));
        let set = strip(to_set(config, schema)).without(ignored);
        let merged = merge(live, config, schema);
        let pruned = match &last {
            Some(last) if !last.set.is_empty() => self.prune(&merged, &set, &last.set, schema),
            _ => merged,
        };
        let comparison = stripped(compare(live, &pruned, schema)).without(ignored);
        let conflicts = self.conflicts(&comparison);
        if !force && !conflicts.is_empty() {
            return Applied::Conflicts(conflicts);
        }
        self.lose(&comparison);
        let old_time = last.and_then(|last| last.time);
        let time = if comparison.is_same() { old_time } else { None };
        let time = time.or_else(|| Some(now.to_owned()));
        self.0.push(Entry { identity: who.clone(), time, set });
        self.0.retain(|entry| !entry.set.is_empty());
        Applied::Done(pruned)
    }

    fn conflicts(&self, comparison: &Comparison) -> Vec<(String, String)> {
        let taken = comparison.taken();
        let mut by_manager: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for entry in &self.0 {
            let paths = entry.set.intersection(&taken).paths();
            if !paths.is_empty() {
                let shown = entry.identity.shown(entry.time.as_deref());
                by_manager.entry(shown).or_default().extend(paths);
            }
        }
        by_manager
            .into_iter()
            .flat_map(|(who, paths)| paths.into_iter().map(move |path| (who.clone(), path)))
            .collect()
    }

    /// Everybody loses what is gone and what somebody else now determines.
    fn lose(&mut self, comparison: &Comparison) {
        let lost = comparison.taken().union(&comparison.removed);
        for entry in &mut self.0 {
            entry.set = entry.set.difference(&lost);
        }
    }

    /// Takes out what this manager applied last time and now leaves out, unless somebody else owns it too.
    fn prune(&self, merged: &Value, set: &Set, last: &Set, schema: &Schema) -> Value {
        let last = ensure_named(last, schema);
        let pruned = remove(merged, &last, schema);
        let owned = self.0.iter().fold(set.clone(), |all, entry| all.union(&entry.set));
        let owned = ensure_named(&owned, schema);
        let merged_set = ensure_named(&to_set(merged, schema), schema);
        let pruned_set = ensure_named(&to_set(&pruned, schema), schema);
        let gone = merged_set.difference(&pruned_set.union(&owned));
        let pruned = remove(merged, &gone, schema);
        let pruned_set = ensure_named(&to_set(&pruned, schema), schema);
        let gone = merged_set.difference(&pruned_set).intersection(&last);
        remove(merged, &gone, schema)
    }
}

fn stripped(comparison: Comparison) -> Comparison {
    Comparison {
        added: strip(comparison.added),
        removed: strip(comparison.removed),
        modified: strip(comparison.modified),
    }
}

/// Without the fields that nobody owns.
fn strip(mut set: Set) -> Set {
    set.forget("f:apiVersion");
    set.forget("f:kind");
    set.members.remove("f:metadata");
    if let Some(mut metadata) = set.children.remove("f:metadata") {
        for name in UNOWNED_METADATA {
            metadata.forget(&format!("f:{name}"));
        }
        set.put("f:metadata", metadata);
    }
    set
}
