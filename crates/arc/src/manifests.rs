//! Reads manifests from files and folders: the one place where YAML becomes objects.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use arc_api::{ArtifactType, ClusterArtifactType, Endpoint, Order};
use arc_engine::TemplateSource;
use arc_lint::Source;
use base64::Engine as _;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Largest manifest file; an order of 1,000 artifacts takes a fraction of it.
const MAX_FILE: u64 = 16 * 1024 * 1024;
/// Namespace of objects that name none, as in kubectl.
const DEFAULT_NAMESPACE: &str = "default";
/// The pipelines that come with the binary; a template of the same name in a file wins.
const PIPELINES: [(&str, &str); 2] = [
    ("oci-image-pipeline", include_str!("../../../workflow-templates/oci-image-pipeline.yaml")),
    (
        "oci-image-pipeline-isolated",
        include_str!("../../../workflow-templates/oci-image-pipeline-isolated.yaml"),
    ),
];

/// Why manifests could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A file or folder could not be read.
    #[error("failed to read {path:?}")]
    Read { path: PathBuf, source: std::io::Error },
    /// A file is larger than any manifest.
    #[error("{path:?} is larger than {MAX_FILE} bytes, which no manifest is")]
    TooLarge { path: PathBuf },
    /// Nothing to read.
    #[error("{path:?} holds no .yaml, .yml or .json file")]
    Empty { path: PathBuf },
    /// Not YAML; the message has line and column.
    #[error("{file}: {message}")]
    Parse { file: String, message: String },
    /// Not the kind of object it says it is.
    #[error("{file}: {kind} {name:?}: {message}")]
    Object { file: String, kind: String, name: String, message: String },
    /// Two objects of one kind and name.
    #[error("{file}: {kind} {name:?} is already defined in {first}")]
    Duplicate { file: String, kind: String, name: String, first: String },
}

/// Data of a Secret or `ConfigMap`: key to bytes.
pub(crate) type Data = BTreeMap<String, Vec<u8>>;
/// Namespace and name.
pub(crate) type Key = (String, String);

/// Every object found, by namespace and name.
#[derive(Debug, Default)]
pub(crate) struct Manifests {
    pub(crate) orders: BTreeMap<Key, Order>,
    pub(crate) endpoints: BTreeMap<Key, Endpoint>,
    pub(crate) artifact_types: BTreeMap<Key, ArtifactType>,
    pub(crate) cluster_artifact_types: BTreeMap<Key, ClusterArtifactType>,
    pub(crate) secrets: BTreeMap<Key, Data>,
    pub(crate) config_maps: BTreeMap<Key, Data>,
    /// Files that hold workflow templates, the built-in ones included.
    pub(crate) templates: Vec<TemplateSource>,
    /// Kinds that were found and mean nothing here, with their file.
    pub(crate) ignored: Vec<(String, String)>,
    defined: BTreeMap<(String, Key), String>,
}

/// Reads all `paths` as texts, with the built-in pipelines as what is known besides.
pub(crate) fn sources(paths: &[PathBuf]) -> Result<Vec<Source>, Error> {
    let mut sources = Vec::new();
    for path in paths {
        if path == Path::new("-") {
            let text = standard_input(path)?;
            let name = "standard input".to_owned();
            sources.push(Source { name, text, origin: arc_lint::Origin::Named });
            continue;
        }
        let origin = if path.is_dir() { arc_lint::Origin::Folder } else { arc_lint::Origin::Named };
        for file in files(path)? {
            let name = file.strip_prefix("./").unwrap_or(&file).display().to_string();
            sources.push(Source { name, text: read_file(&file)?, origin });
        }
    }
    sources.extend(PIPELINES.into_iter().map(|(name, text)| Source {
        name: format!("{name}.yaml (built in)"),
        text: text.to_owned(),
        origin: arc_lint::Origin::Context,
    }));
    Ok(sources)
}

impl Manifests {
    /// Reads all `paths`: files, folders (not recursive, in name order), or `-` for standard input.
    pub(crate) fn read(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut manifests = Self::default();
        for path in paths {
            if path == Path::new("-") {
                manifests.add("standard input", &standard_input(path)?)?;
            } else {
                for file in files(path)? {
                    let text = read_file(&file)?;
                    manifests.add(&file.display().to_string(), &text)?;
                }
            }
        }
        manifests.add_pipelines();
        Ok(manifests)
    }

    /// Adds the built-in pipelines that no file replaces.
    fn add_pipelines(&mut self) {
        for (name, text) in PIPELINES {
            if !self.defined.contains_key(&(
                "ClusterWorkflowTemplate".to_owned(),
                (String::new(), name.to_owned()),
            )) {
                self.templates.push(TemplateSource {
                    file: format!("{name}.yaml (built in)"),
                    text: text.to_owned(),
                });
            }
        }
    }

    fn add(&mut self, file: &str, text: &str) -> Result<(), Error> {
        let mut has_templates = false;
        for document in crate::yaml::documents(text)
            .map_err(|message| Error::Parse { file: file.to_owned(), message })?
        {
            for object in items(document) {
                has_templates |= self.add_object(file, object)?;
            }
        }
        if has_templates {
            self.templates.push(TemplateSource { file: file.to_owned(), text: text.to_owned() });
        }
        Ok(())
    }

    /// Adds one object; returns whether it is a workflow template, which the engine reads itself.
    fn add_object(&mut self, file: &str, object: Value) -> Result<bool, Error> {
        let kind = object["kind"].as_str().unwrap_or_default().to_owned();
        let api = object["apiVersion"].as_str().unwrap_or_default();
        let group = api.split_once('/').map_or("", |(group, _)| group).to_owned();
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let namespace =
            object["metadata"]["namespace"].as_str().unwrap_or(DEFAULT_NAMESPACE).to_owned();
        let cluster = matches!(kind.as_str(), "ClusterArtifactType" | "ClusterWorkflowTemplate");
        let key = (if cluster { String::new() } else { namespace }, name.clone());
        let origin = Origin { file, kind: &kind, name: &name };
        let mut is_template = false;
        match (group.as_str(), kind.as_str()) {
            ("arc.opendefense.cloud", "Order") => {
                drop(self.orders.insert(key.clone(), origin.typed(object)?));
            }
            ("arc.opendefense.cloud", "Endpoint") => {
                drop(self.endpoints.insert(key.clone(), origin.typed(object)?));
            }
            ("arc.opendefense.cloud", "ArtifactType") => {
                drop(self.artifact_types.insert(key.clone(), origin.typed(object)?));
            }
            ("arc.opendefense.cloud", "ClusterArtifactType") => {
                drop(self.cluster_artifact_types.insert(key.clone(), origin.typed(object)?));
            }
            ("", "Secret") => {
                drop(self.secrets.insert(key.clone(), origin.data(&object, "stringData")?));
            }
            ("", "ConfigMap") => {
                drop(self.config_maps.insert(key.clone(), origin.data(&object, "binaryData")?));
            }
            ("argoproj.io", "WorkflowTemplate" | "ClusterWorkflowTemplate") => is_template = true,
            _ => {
                let what =
                    if kind.is_empty() { "an object without a kind".to_owned() } else { kind };
                self.ignored.push((what, file.to_owned()));
                return Ok(false);
            }
        }
        if name.is_empty() {
            return Err(origin.error("metadata.name is missing"));
        }
        match self.defined.insert((kind.clone(), key), file.to_owned()) {
            None => Ok(is_template),
            Some(first) => Err(Error::Duplicate { file: file.to_owned(), kind, name, first }),
        }
    }
}

/// Where an object was found, for messages.
struct Origin<'a> {
    file: &'a str,
    kind: &'a str,
    name: &'a str,
}

impl Origin<'_> {
    fn error(&self, message: impl Into<String>) -> Error {
        Error::Object {
            file: self.file.to_owned(),
            kind: self.kind.to_owned(),
            name: self.name.to_owned(),
            message: message.into(),
        }
    }

    fn typed<T: DeserializeOwned>(&self, object: Value) -> Result<T, Error> {
        serde_json::from_value(object).map_err(|error| self.error(error.to_string()))
    }

    /// Reads `data` and its sibling. In a Secret `data` is base64 and `stringData` is text;
    /// in a `ConfigMap` `data` is text and `binaryData` is base64.
    fn data(&self, object: &Value, sibling: &str) -> Result<Data, Error> {
        let mut data = Data::new();
        for field in ["data", sibling] {
            let is_base64 = (field == "data") == (self.kind == "Secret");
            let Some(entries) = object[field].as_object() else { continue };
            for (key, value) in entries {
                let Some(text) = value.as_str() else {
                    return Err(self.error(format!("{field}.{key}: not a string; quote it")));
                };
                let bytes = if is_base64 {
                    let compact: String = text.split_whitespace().collect();
                    base64::engine::general_purpose::STANDARD.decode(compact).map_err(
                        |_ignored_position| {
                            self.error(format!(
                                "{field}.{key}: not base64; write plain text under stringData"
                            ))
                        },
                    )?
                } else {
                    text.as_bytes().to_vec()
                };
                data.insert(key.clone(), bytes);
            }
        }
        Ok(data)
    }
}

/// A `List` is its items; anything else is itself; an empty document is nothing.
fn items(document: Value) -> Vec<Value> {
    match document {
        Value::Null => Vec::new(),
        Value::Object(mut object) if object.get("kind").and_then(Value::as_str) == Some("List") => {
            match object.remove("items") {
                Some(Value::Array(items)) => items,
                _ => Vec::new(),
            }
        }
        other => vec![other],
    }
}

fn files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        let is_manifest = file
            .extension()
            .is_some_and(|ending| ending == "yaml" || ending == "yml" || ending == "json");
        if is_manifest && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() { Err(Error::Empty { path: path.to_owned() }) } else { Ok(files) }
}

fn standard_input(path: &Path) -> Result<String, Error> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(MAX_FILE).read_to_string(&mut text);
    read.map_err(|source| Error::Read { path: path.to_owned(), source })?;
    Ok(text)
}

fn read_file(path: &Path) -> Result<String, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > MAX_FILE {
        return Err(Error::TooLarge { path: path.to_owned() });
    }
    std::fs::read_to_string(path).map_err(failed)
}
