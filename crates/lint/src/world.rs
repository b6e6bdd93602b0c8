//! Everything that exists around an object: what the files hold, and what is known besides.

use std::collections::{BTreeMap, BTreeSet};

use arc_api::{ArtifactType, ArtifactTypeSpec, ClusterArtifactType, Endpoint};
use arc_core::{Fetched, TemplateParameters};
use arc_engine::Library;
use arc_engine::yaml::{Node, Value};
use serde::de::DeserializeOwned;

use crate::object::{Kind, Object};
use crate::schema;

/// Namespace and name; no namespace for the objects of the cluster.
type Key = (String, String);

/// A workflow template, as far as types and orders are concerned.
#[derive(Debug, Default)]
pub(crate) struct Template {
    /// What it declares, with defaults.
    pub(crate) parameters: BTreeMap<String, Option<String>>,
    /// What its texts mention as `{{workflow.parameters.…}}`, declared or not.
    mentioned: BTreeSet<String>,
}

impl Template {
    /// Whether anybody reads a parameter of this name.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.parameters.contains_key(name) || self.mentioned.contains(name)
    }

    /// The names that it declares.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.parameters.keys().map(String::as_str)
    }
}

/// Everything that exists.
#[derive(Debug, Default)]
pub(crate) struct World<'a> {
    endpoints: BTreeMap<Key, Endpoint>,
    artifact_types: BTreeMap<Key, ArtifactType>,
    cluster_artifact_types: BTreeMap<String, ClusterArtifactType>,
    templates: BTreeMap<Key, Template>,
    secrets: BTreeSet<Key>,
    /// Kinds and namespaces of which the files hold at least one object.
    given: BTreeSet<(Kind, &'a str)>,
    /// The objects of the files, which are judged where they stand.
    judged: BTreeSet<(Kind, &'a str, &'a str)>,
    /// Names of objects that exist and cannot be read; what refers to them is not reported as missing.
    unreadable: BTreeSet<String>,
    /// Whether what is not here does not exist.
    pub(crate) is_complete: bool,
}

impl<'a> World<'a> {
    pub(crate) fn new(objects: &[Object<'a>], is_complete: bool) -> Self {
        let mut world = Self { is_complete, ..Self::default() };
        for object in objects {
            if !object.source.is_context() {
                world.given.insert((object.kind, object.namespace));
                world.judged.insert((object.kind, object.namespace, object.name));
            }
            world.add(object);
        }
        world
    }

    fn add(&mut self, object: &Object<'a>) {
        let key = (object.namespace.to_owned(), object.name.to_owned());
        let is_read = match object.kind {
            Kind::Endpoint => insert(&mut self.endpoints, key, object),
            Kind::ArtifactType => insert(&mut self.artifact_types, key, object),
            Kind::ClusterArtifactType => insert(&mut self.cluster_artifact_types, key.1, object),
            Kind::WorkflowTemplate | Kind::ClusterWorkflowTemplate => {
                let template = template(object);
                template.map(|template| self.templates.insert(key, template)).is_some()
            }
            Kind::Secret => {
                self.secrets.insert(key);
                true
            }
            Kind::Order | Kind::ArtifactWorkflow | Kind::Policy => true,
        };
        if !is_read {
            self.unreadable.insert(format!("{:?}", object.name));
        }
    }

    /// What the core may know about a namespace.
    pub(crate) fn fetched(&self, namespace: &str) -> Fetched {
        let endpoints = within(&self.endpoints, namespace);
        let mut secrets: BTreeSet<String> = self
            .secrets
            .iter()
            .filter(|(own, _)| own == namespace)
            .map(|(_, name)| name.clone())
            .collect();
        if !self.is_complete && secrets.is_empty() {
            let named = endpoints.values().filter_map(|endpoint| endpoint.spec.secret_ref.as_ref());
            secrets.extend(named.map(|reference| reference.name.clone()));
        }
        let templates = |namespace: &str| {
            let own = self.templates.iter().filter(|((own, _), _)| own == namespace);
            own.map(|((_, name), template)| {
                let parameters = template.parameters.clone();
                (name.clone(), TemplateParameters { parameters })
            })
            .collect()
        };
        Fetched {
            endpoints,
            artifact_types: within(&self.artifact_types, namespace),
            cluster_artifact_types: self.cluster_artifact_types.clone(),
            secrets,
            workflow_templates: templates(namespace),
            cluster_workflow_templates: templates(""),
            ..Fetched::default()
        }
    }

    /// The type that an order of the namespace means.
    pub(crate) fn artifact_type(&self, namespace: &str, name: &str) -> Option<ArtifactTypeSpec> {
        let own = self.artifact_types.get(&(namespace.to_owned(), name.to_owned()));
        let cluster = self.cluster_artifact_types.get(name);
        own.map(|own| own.spec.clone()).or_else(|| cluster.map(|all| all.spec.clone().into()))
    }

    /// The template of a type.
    pub(crate) fn template(&self, namespace: &str, spec: &ArtifactTypeSpec) -> Option<&Template> {
        let reference = &spec.workflow_template_ref;
        let namespace = if reference.cluster_scope { "" } else { namespace };
        self.templates.get(&(namespace.to_owned(), reference.name.clone()))
    }

    /// The endpoints that a type of this namespace may meet; those of all namespaces for a type of the cluster.
    pub(crate) fn endpoints_for(&self, namespace: &str) -> impl Iterator<Item = &Endpoint> {
        let own = move |(own, _): &&Key| namespace.is_empty() || own == namespace;
        self.endpoints.iter().filter(move |(key, _)| own(key)).map(|(_, endpoint)| endpoint)
    }

    /// Whether the files hold objects of this kind, so that one more could have been among them.
    pub(crate) fn is_given(&self, kind: Kind, namespace: &str) -> bool {
        self.given.iter().any(|(own, place)| *own == kind && *place == namespace)
    }

    /// Whether an object that an order of the namespace refers to is judged where it stands.
    pub(crate) fn is_judged(&self, kind: Kind, namespace: &str, name: &str) -> bool {
        self.judged
            .iter()
            .any(|(own, place, called)| *own == kind && *place == namespace && *called == name)
    }

    /// Whether a message is about an object that is there and cannot be read.
    pub(crate) fn is_about_unreadable(&self, message: &str) -> bool {
        self.unreadable.iter().any(|name| message.contains(name.as_str()))
    }
}

fn insert<K: Ord, T: DeserializeOwned>(
    into: &mut BTreeMap<K, T>,
    key: K,
    object: &Object<'_>,
) -> bool {
    schema::read(object).map(|typed| into.insert(key, typed)).is_some()
}

fn within<T: Clone>(objects: &BTreeMap<Key, T>, namespace: &str) -> BTreeMap<String, T> {
    let own = objects.iter().filter(|((own, _), _)| own == namespace);
    own.map(|((_, name), object)| (name.clone(), object.clone())).collect()
}

fn template(object: &Object<'_>) -> Option<Template> {
    let mut library = Library::default();
    library.add(&object.source.source.name, object.node).ok()?;
    let is_cluster = object.kind == Kind::ClusterWorkflowTemplate;
    let parameters = library.parameters(object.name, is_cluster)?;
    let mut mentioned = BTreeSet::new();
    texts(object.node, &mut |text| {
        for (_, name) in placeholders(text) {
            mentioned.extend(name.strip_prefix("workflow.parameters.").map(str::to_owned));
        }
    });
    Some(Template { parameters, mentioned })
}

/// Calls back with every text below a node.
pub(crate) fn texts<'n>(node: &'n Node, with: &mut impl FnMut(&'n str)) {
    match &node.value {
        Value::Null => {}
        Value::Scalar(text) => with(text),
        Value::List(items) => items.iter().for_each(|item| texts(item, with)),
        Value::Map(entries) => entries.iter().for_each(|entry| texts(&entry.value, with)),
    }
}

/// Returns each `{{…}}` of a text, with the name in it.
pub(crate) fn placeholders(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find("{{")?;
        let end = rest[start..].find("}}")? + start + 2;
        let whole = &rest[start..end];
        rest = &rest[end..];
        Some((whole, whole[2..whole.len() - 2].trim()))
    })
}
