//! The objects in the documents: what kind they are, and what they are called.

use arc_engine::yaml::{Node, Position, Value};

use crate::finding::{Findings, say};
use crate::place::{Prefer, place};
use crate::rules;
use crate::source::{Origin, Parsed};

/// Namespace of objects that name none, as in kubectl.
const DEFAULT_NAMESPACE: &str = "default";

/// The kinds that mean something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Order,
    Endpoint,
    ArtifactType,
    ClusterArtifactType,
    ArtifactWorkflow,
    WorkflowTemplate,
    ClusterWorkflowTemplate,
    Secret,
    Policy,
}

/// The kinds of ARC's own group.
const OURS: [(&str, Kind); 5] = [
    ("ArtifactType", Kind::ArtifactType),
    ("ArtifactWorkflow", Kind::ArtifactWorkflow),
    ("ClusterArtifactType", Kind::ClusterArtifactType),
    ("Endpoint", Kind::Endpoint),
    ("Order", Kind::Order),
];

impl Kind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "Order",
            Self::Endpoint => "Endpoint",
            Self::ArtifactType => "ArtifactType",
            Self::ClusterArtifactType => "ClusterArtifactType",
            Self::ArtifactWorkflow => "ArtifactWorkflow",
            Self::WorkflowTemplate => "WorkflowTemplate",
            Self::ClusterWorkflowTemplate => "ClusterWorkflowTemplate",
            Self::Secret => "Secret",
            Self::Policy => "policy",
        }
    }

    const fn is_of_cluster(self) -> bool {
        matches!(self, Self::ClusterArtifactType | Self::ClusterWorkflowTemplate)
    }
}

/// One object of a document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object<'a> {
    pub(crate) source: &'a Parsed<'a>,
    pub(crate) node: &'a Node,
    pub(crate) kind: Kind,
    /// Empty for the objects of the cluster.
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

impl Object<'_> {
    /// Where a field of the object is named.
    pub(crate) fn key(&self, path: &str) -> Position {
        place(self.node, path, Prefer::Key)
    }

    /// Where the value of a field stands.
    pub(crate) fn value(&self, path: &str) -> Position {
        place(self.node, path, Prefer::Value)
    }
}

/// Finds the objects of a source, and says what is none.
pub(crate) fn objects<'a>(source: &'a Parsed<'a>, findings: &mut Findings) -> Vec<Object<'a>> {
    if let Some((at, message)) = &source.problem {
        let hint = "correct the text; nothing else in this file was looked at".to_owned();
        findings.add(source, rules::YAML, *at, (message.clone(), Some(hint)));
    }
    let mut objects = Vec::new();
    for document in &source.documents {
        let is_list = document.get("kind").and_then(Node::text) == Some("List");
        match document.get("items").map(|items| &items.value) {
            Some(Value::List(items)) if is_list => {
                objects.extend(items.iter().filter_map(|item| object(source, item, findings)));
            }
            _ => objects.extend(object(source, document, findings)),
        }
    }
    let is_empty = source.documents.iter().all(|node| matches!(node.value, Value::Null));
    if is_empty && source.problem.is_none() && source.source.origin == Origin::Named {
        let text =
            say("there is nothing in it", "give a manifest, or a policy, which has `parameters`");
        findings.add(source, rules::UNKNOWN_KIND, Position::default(), text);
    }
    objects
}

fn object<'a>(
    source: &'a Parsed<'a>,
    node: &'a Node,
    findings: &mut Findings,
) -> Option<Object<'a>> {
    let text = |name: &str| node.get(name).and_then(Node::text);
    let kind = match (text("apiVersion"), text("kind")) {
        _ if matches!(node.value, Value::Null) => return None,
        (None, None) if node.get("parameters").is_some() => Kind::Policy,
        (api_version, kind) => {
            match known_kind(api_version.unwrap_or_default(), kind.unwrap_or_default()) {
                Ok(kind) => kind?,
                Err((_, _)) if source.source.origin == Origin::Folder && kind.is_none() => {
                    return None;
                }
                Err((field, text)) => {
                    findings.add(
                        source,
                        rules::UNKNOWN_KIND,
                        place(node, field, Prefer::Value),
                        text,
                    );
                    return None;
                }
            }
        }
    };
    let metadata = node.get("metadata");
    let of_metadata = |name: &str| metadata.and_then(|node| node.get(name)).and_then(Node::text);
    let name = of_metadata("name").unwrap_or_default();
    let is_named = matches!(kind, Kind::Policy | Kind::WorkflowTemplate);
    if name.is_empty() && !is_named && kind != Kind::ClusterWorkflowTemplate {
        let at = place(node, "metadata", Prefer::Key);
        let text = say(
            format!("`metadata.name` of this {} is missing", kind.as_str()),
            "add `metadata: {name: …}`",
        );
        findings.add(source, rules::INVALID_FIELD, at, text);
    }
    let own = of_metadata("namespace").unwrap_or(DEFAULT_NAMESPACE);
    let namespace = if kind.is_of_cluster() { "" } else { own };
    Some(Object { source, node, kind, namespace, name })
}

type Unknown = (&'static str, (String, Option<String>));

/// The kind; nothing for objects that are somebody else's; or the field that is wrong and what is wrong with it.
fn known_kind(api_version: &str, kind: &str) -> Result<Option<Kind>, Unknown> {
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
    let expected = format!("{}/{}", arc_api::GROUP, arc_api::VERSION);
    if kind.is_empty() {
        let text = say(
            "this is no manifest: `kind` is missing",
            format!(
                "a manifest begins with `apiVersion: {expected}` and `kind`, a policy has `parameters`"
            ),
        );
        return Err(("kind", text));
    }
    let ours = OURS.iter().find(|(name, _)| *name == kind);
    match (group, kind) {
        (arc_api::GROUP, _) if version != arc_api::VERSION => Err((
            "apiVersion",
            say(format!("{api_version:?} does not exist"), format!("write {expected}")),
        )),
        (arc_api::GROUP, _) => {
            let names = OURS.iter().map(|(name, _)| *name);
            let hint = match arc_core::nearest(kind, names.clone()) {
                Some(near) => format!("did you mean {near:?}?"),
                None => format!("the kinds are {}", names.collect::<Vec<_>>().join(", ")),
            };
            let message = format!("{kind:?} is not a kind of {}", arc_api::GROUP);
            ours.map(|(_, kind)| Some(*kind)).ok_or_else(|| ("kind", say(message, hint)))
        }
        ("argoproj.io", "WorkflowTemplate") => Ok(Some(Kind::WorkflowTemplate)),
        ("argoproj.io", "ClusterWorkflowTemplate") => Ok(Some(Kind::ClusterWorkflowTemplate)),
        ("", "Secret") => Ok(Some(Kind::Secret)),
        // A misspelt group; other groups have kinds of these names, but not such similar groups.
        _ if ours.is_some() && (group.is_empty() || group.contains("arc")) => Err((
            "apiVersion",
            say(
                format!("{api_version:?} is not the API of {kind}"),
                format!("write `apiVersion: {expected}`"),
            ),
        )),
        _ => Ok(None),
    }
}
