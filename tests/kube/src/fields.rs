//! Sets of fields as `managedFields` keeps them, and what server-side apply computes with them.
//!
//! A path element is kept in its written form: `f:<field>`, `k:<key JSON>` for an item of a list map, `v:<value JSON>`
//! for an item of a list set.
//! The rules are those of structured-merge-diff, the library the real server uses.

mod compare;
mod managers;
mod merge;
mod remove;
mod walk;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

pub(crate) use self::{
    compare::{Comparison, compare},
    managers::{Applied, Identity, Managers, Operation},
    merge::merge,
    remove::remove,
    walk::{element, ensure_named, to_set},
};

/// A set of field paths, as a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Set {
    members: BTreeSet<String>,
    children: BTreeMap<String, Self>,
}

impl Set {
    /// Adds a path of one element.
    pub(crate) fn insert(&mut self, element: impl Into<String>) {
        self.members.insert(element.into());
    }

    /// Adds paths below an element.
    pub(crate) fn put(&mut self, element: impl Into<String>, below: Self) {
        if !below.is_empty() {
            let element = element.into();
            match self.children.remove(&element) {
                Some(old) => self.children.insert(element, old.union(&below)),
                None => self.children.insert(element, below),
            };
        }
    }

    /// Tells whether the element itself is in the set.
    pub(crate) fn has(&self, element: &str) -> bool {
        self.members.contains(element)
    }

    /// What is below an element.
    pub(crate) fn below(&self, element: &str) -> Option<&Self> {
        self.children.get(element)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.children.values().all(Self::is_empty)
    }

    /// Takes one element and everything below it out.
    pub(crate) fn forget(&mut self, element: &str) {
        self.members.remove(element);
        self.children.remove(element);
    }

    pub(crate) fn union(&self, other: &Self) -> Self {
        let mut out = self.clone();
        out.members.extend(other.members.iter().cloned());
        for (element, below) in &other.children {
            out.put(element.clone(), below.clone());
        }
        out
    }

    pub(crate) fn intersection(&self, other: &Self) -> Self {
        let mut out = Self {
            members: self.members.intersection(&other.members).cloned().collect(),
            children: BTreeMap::new(),
        };
        for (element, below) in &self.children {
            if let Some(theirs) = other.children.get(element) {
                out.put(element.clone(), below.intersection(theirs));
            }
        }
        out
    }

    /// Paths of this set that are not in the other one; what is below a removed path stays.
    pub(crate) fn difference(&self, other: &Self) -> Self {
        let mut out = Self {
            members: self.members.difference(&other.members).cloned().collect(),
            children: BTreeMap::new(),
        };
        for (element, below) in &self.children {
            match other.children.get(element) {
                Some(theirs) => out.put(element.clone(), below.difference(theirs)),
                None => out.put(element.clone(), below.clone()),
            }
        }
        out
    }

    /// Paths of this set that are not in the other one and not below a path of it.
    pub(crate) fn without(&self, other: &Self) -> Self {
        let mut out = self.difference(other);
        for element in &other.members {
            out.children.remove(element);
        }
        for (element, theirs) in &other.children {
            if let Some(below) = out.children.remove(element) {
                out.put(element.clone(), below.without(theirs));
            }
        }
        out
    }

    /// As `fieldsV1`.
    pub(crate) fn encode(&self) -> Value {
        let mut out = Map::new();
        for element in &self.members {
            out.insert(element.clone(), json!({}));
        }
        for (element, below) in &self.children {
            let mut encoded = below.encode();
            if self.members.contains(element) {
                encoded["."] = json!({});
            }
            out.insert(element.clone(), encoded);
        }
        Value::Object(out)
    }

    /// From `fieldsV1`; what is not a set is empty.
    pub(crate) fn decode(value: &Value) -> Self {
        let mut set = Self::default();
        let Some(map) = value.as_object() else { return set };
        for (element, below) in map {
            if element == "." {
                continue;
            }
            if below.get(".").is_some() || below.as_object().is_some_and(Map::is_empty) {
                set.insert(element.clone());
            }
            set.put(element.clone(), Self::decode(below));
        }
        set
    }

    /// Every path as messages show it, such as `.spec.items[name="x"].value`.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut out = Vec::new();
        let mut elements: BTreeSet<&String> = self.members.iter().collect();
        elements.extend(self.children.keys());
        for element in elements {
            let shown = shown(element);
            if self.members.contains(element) {
                out.push(shown.clone());
            }
            for below in self.children.get(element).map(Self::paths).unwrap_or_default() {
                out.push(format!("{shown}{below}"));
            }
        }
        out
    }
}

fn shown(element: &str) -> String {
    match element.split_once(':') {
        Some(("f", field)) => format!(".{field}"),
        Some(("k", key)) => {
            let key: Map<String, Value> = serde_json::from_str(key).unwrap_or_default();
            let parts: Vec<String> = key.iter().map(|(k, v)| format!("{k}={v}")).collect();
            format!("[{}]", parts.join(","))
        }
        Some(("v", value)) => format!("[={value}]"),
        _ => format!("[{element}]"),
    }
}
