//! The templates of some files, by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::fields::Reader;
use crate::problem::{Problem, tidy};
use crate::template::{self, Spec};
use crate::yaml::{self, Node};

/// A file with `WorkflowTemplate`s or `ClusterWorkflowTemplate`s, one or more documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateSource {
    /// The name to show in problems.
    pub file: String,
    /// The YAML text.
    pub text: String,
}

/// `WorkflowTemplate`s and `ClusterWorkflowTemplate`s by name.
#[derive(Clone, Debug, Default)]
pub struct Library {
    documents: BTreeMap<(bool, String), Arc<Document>>,
}

/// One template document.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) file: String,
    pub(crate) spec: Spec,
    /// What is not supported; reported when a workflow wants to use the document.
    pub(crate) problems: Vec<Problem>,
}

const GROUP: &str = "argoproj.io/";

impl Library {
    /// Reads files.
    ///
    /// Documents of other API groups are left alone, so a folder may hold orders and endpoints too.
    ///
    /// # Errors
    ///
    /// Text that is not YAML, Argo objects of other kinds, templates without a name, and two of one name.
    /// Unsupported features are no error here: [`prepare`](crate::prepare) refuses them for the template in use.
    pub fn parse(sources: &[TemplateSource]) -> Result<Self, Vec<Problem>> {
        let mut library = Self::default();
        let mut problems = Vec::new();
        for source in sources {
            match yaml::parse(source) {
                Ok(documents) => {
                    for document in &documents {
                        problems.extend(library.add(&source.file, document).err());
                    }
                }
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(library) } else { Err(tidy(problems)) }
    }

    /// Returns the parameters a template declares, with their defaults; `None` as default means "must be given".
    pub fn parameters(
        &self,
        name: &str,
        cluster_scope: bool,
    ) -> Option<BTreeMap<String, Option<String>>> {
        let document = self.document(name, cluster_scope)?;
        let parameters = document.spec.arguments.iter();
        Some(parameters.map(|one| (one.name.clone(), one.default.clone())).collect())
    }

    /// Returns the names of all templates, with whether each is a `ClusterWorkflowTemplate`.
    pub fn names(&self) -> impl Iterator<Item = (&str, bool)> {
        self.documents.keys().map(|(cluster_scope, name)| (name.as_str(), *cluster_scope))
    }

    pub(crate) fn document(&self, name: &str, cluster_scope: bool) -> Option<&Arc<Document>> {
        self.documents.get(&(cluster_scope, name.to_owned()))
    }

    /// Adds one document that was read already.
    ///
    /// # Errors
    ///
    /// As for [`Library::parse`], for this document; the library then stays as it was.
    pub fn add(&mut self, file: &str, node: &Node) -> Result<(), Problem> {
        let api_version = node.get("apiVersion").and_then(Node::text).unwrap_or_default();
        if !api_version.starts_with(GROUP) {
            return Ok(());
        }
        let kind = node.get("kind").and_then(Node::text).unwrap_or_default();
        let cluster_scope = match kind {
            "ClusterWorkflowTemplate" => true,
            "WorkflowTemplate" => false,
            other => {
                return Err(Problem::new(
                    file,
                    node.at,
                    format!("kind {other:?} is not a template"),
                )
                .with_hint("`arc run` reads WorkflowTemplates and ClusterWorkflowTemplates"));
            }
        };
        let name = node.get("metadata").and_then(|metadata| metadata.get("name"));
        let Some(name) = name.and_then(Node::text) else {
            return Err(Problem::new(file, node.at, format!("{kind}: `metadata.name` is missing")));
        };
        let key = (cluster_scope, name.to_owned());
        if let Some(other) = self.documents.get(&key) {
            let message = format!("{kind} {name:?} is also in {}", other.file);
            return Err(Problem::new(file, node.at, message).with_hint("keep one of the two"));
        }
        let mut reader = Reader::new(file);
        let spec = match node.get("spec") {
            Some(spec) => template::read(&mut reader, spec),
            None => {
                return Err(Problem::new(
                    file,
                    node.at,
                    format!("{kind} {name:?}: `spec` is missing"),
                ));
            }
        };
        let problems = tidy(reader.problems);
        self.documents.insert(key, Arc::new(Document { file: file.to_owned(), spec, problems }));
        Ok(())
    }
}
