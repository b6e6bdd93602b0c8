//! The chart as files, and what it renders to.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use gotmpl::{MissingKey, Template, TemplateError, Value as Data};
use serde_json::{Map, Value, json};

use crate::functions::{argument, data, functions, text};
use crate::yaml;

/// The chart as files.
pub struct Chart {
    folder: PathBuf,
    metadata: Value,
    values: Value,
    templates: BTreeMap<String, String>,
    files: Arc<BTreeMap<String, String>>,
}

/// What a chart renders to: the objects of each template, by its path below `templates/`.
pub type Rendered = BTreeMap<String, Vec<Value>>;

impl Chart {
    /// Reads the chart of this repository.
    pub fn open() -> Self {
        let folder = crate::repository().join("charts/arc");
        let read = |name: &str| {
            yaml::documents(&fs::read_to_string(folder.join(name)).unwrap()).unwrap().remove(0)
        };
        Self {
            metadata: read("Chart.yaml"),
            values: read("values.yaml"),
            templates: texts(&folder.join("templates"), ""),
            files: Arc::new(texts(&folder.join("files"), "files/")),
            folder,
        }
    }

    /// Folder of the chart.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// `Chart.yaml`.
    pub fn metadata(&self) -> &Value {
        &self.metadata
    }

    /// `values.yaml`.
    pub fn values(&self) -> &Value {
        &self.values
    }

    /// `values.yaml` with other values laid over it as helm does.
    pub fn values_with(&self, overlay: &Value) -> Value {
        let mut values = self.values.clone();
        merge(&mut values, overlay);
        values
    }

    /// Texts of the templates, by their path below `templates/`.
    pub fn templates(&self) -> &BTreeMap<String, String> {
        &self.templates
    }

    /// The objects of a release `arc` in namespace `arc-system`.
    pub fn render(&self, overlay: &Value) -> Rendered {
        let texts = self.render_texts(overlay);
        let objects = texts.into_iter().filter(|(path, _)| path != "NOTES.txt");
        objects.map(|(path, text)| (path.clone(), objects_of(&path, &text))).collect()
    }

    /// The texts of a release, notes included.
    pub fn render_texts(&self, overlay: &Value) -> BTreeMap<String, String> {
        let root = data(&json!({
            "Values": self.values_with(overlay),
            "Chart": capitalised(&self.metadata),
            "Release": {"Name": "arc", "Namespace": "arc-system", "Service": "Helm"},
            "Files": {},
        }));
        let helpers: String = self.helpers().collect();
        let names = self.templates.keys().filter(|name| !is_helper(name));
        names.map(|name| (name.clone(), self.render_one(name, &helpers, &root))).collect()
    }

    fn helpers(&self) -> impl Iterator<Item = &str> {
        self.templates.iter().filter(|(name, _)| is_helper(name)).map(|(_, text)| text.as_str())
    }

    fn render_one(&self, name: &str, helpers: &str, root: &Data) -> String {
        // `include` renders with a template of its own, which in turn needs `include`.
        let library = Arc::new(OnceLock::<Template>::new());
        let parsed = self.template(name, &library).parse(helpers).unwrap();
        assert!(library.set(parsed).is_ok());
        let template = self.template(name, &library);
        let source = go_files(&self.templates[name]);
        let template = template.parse(&source).unwrap_or_else(|error| panic!("{name}: {error}"));
        template.execute_to_string(root).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn template(&self, name: &str, library: &Arc<OnceLock<Template>>) -> Template {
        let library = Arc::clone(library);
        let (get, glob) = (Arc::clone(&self.files), Arc::clone(&self.files));
        let missing = |name: &str| TemplateError::Exec(format!("no file {name:?}"));
        Template::new(name)
            .missing_key(MissingKey::Error)
            .funcs(functions())
            .func("include", move |args| {
                let library = library.get().unwrap();
                Ok(library
                    .execute_template_to_string(&text(args, 0)?, argument(args, 1)?)?
                    .as_str()
                    .into())
            })
            .func("filesGet", move |args| {
                let name = text(args, 0)?;
                Ok(get.get(&name).ok_or_else(|| missing(&name))?.as_str().into())
            })
            .func("filesGlob", move |args| {
                let pattern = text(args, 0)?;
                let (start, end) = pattern.split_once('*').unwrap();
                let found = glob.iter().filter(|(name, _)| {
                    name.starts_with(start)
                        && name.ends_with(end)
                        && !name[start.len()..].contains('/')
                });
                Ok(data(&found.map(|(name, text)| (name.clone(), json!(text))).collect()))
            })
    }
}

fn is_helper(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|ending| ending == "tpl")
}

/// Methods of helm's `.Files` become functions; our templates know no methods.
fn go_files(source: &str) -> String {
    let source = source.replace("$.Files.", ".Files.");
    source.replace(".Files.Get ", "filesGet ").replace(".Files.Glob ", "filesGlob ")
}

/// Helm shows the chart's metadata under names with a capital.
fn capitalised(chart: &Value) -> Value {
    let mut result = Map::new();
    for (key, value) in chart.as_object().unwrap() {
        let (first, rest) = key.split_at(1);
        result.insert(format!("{}{rest}", first.to_uppercase()), value.clone());
    }
    result.into()
}

/// Lays values over the defaults as helm does: maps merge, `null` removes, all else replaces.
fn merge(below: &mut Value, above: &Value) {
    let (Some(target), Some(source)) = (below.as_object_mut(), above.as_object()) else {
        *below = above.clone();
        return;
    };
    for (key, value) in source {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key).or_insert(Value::Null), value);
        }
    }
}

fn objects_of(path: &str, text: &str) -> Vec<Value> {
    let objects = yaml::documents(text).unwrap_or_else(|error| panic!("{path}: {error}\n{text}"));
    for object in &objects {
        for field in ["/apiVersion", "/kind", "/metadata/name"] {
            let is_text = object.pointer(field).is_some_and(Value::is_string);
            assert!(is_text, "{path}: an object without {field}: {object}");
        }
    }
    objects
}

/// All files below a folder, by their path.
fn texts(folder: &Path, prefix: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            found.extend(texts(&entry.path(), &format!("{name}/")));
        } else {
            found.insert(name, fs::read_to_string(entry.path()).unwrap());
        }
    }
    found
}
