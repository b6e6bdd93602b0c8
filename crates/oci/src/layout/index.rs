//! `index.json`: which manifests of the layout have a name.
//!
//! Named entries carry `org.opencontainers.image.ref.name`. Entries without a name are manifests that nothing else
//! in the layout points to, such as referrers.

use std::{collections::BTreeMap, fs, io::Read as _, sync::PoisonError};

use serde_json::{Value, json};

use super::{INGEST, Layout};
use crate::{Descriptor, Error, RawManifest, descriptor::media_type};

/// The annotation that gives an entry its name.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// How large `index.json` may grow, in bytes; ours stay far below.
const MAX_INDEX_SIZE: u64 = 16 << 20;

impl Layout {
    /// Gives a manifest a name, such as a tag; the name moves when another manifest had it.
    pub fn set_ref(&self, name: &str, descriptor: &Descriptor) -> Result<(), Error> {
        let mut named = descriptor.clone();
        named.annotations.insert(REF_NAME.to_owned(), name.to_owned());
        self.update_index(|entries| {
            entries.retain(|entry| ref_name(entry) != Some(name));
            entries.push(json!(named));
        })
    }

    /// Lists a manifest without a name, so that it is found although nothing points to it.
    pub fn add_unnamed(&self, descriptor: &Descriptor) -> Result<(), Error> {
        let digest = descriptor.digest.to_string();
        self.update_index(|entries| {
            let is_listed =
                |entry: &Value| entry.get("digest").and_then(Value::as_str) == Some(&digest);
            if !entries.iter().any(is_listed) {
                entries.push(json!(descriptor));
            }
        })
    }

    /// Lists a manifest under a name, or without one.
    pub(crate) fn name(&self, manifest: &RawManifest, name: Option<&str>) -> Result<(), Error> {
        match name {
            Some(name) => self.set_ref(name, &manifest.descriptor()),
            None => self.add_unnamed(&manifest.descriptor()),
        }
    }

    /// Returns the named manifests, by name.
    pub fn refs(&self) -> Result<BTreeMap<String, Descriptor>, Error> {
        let named =
            |mut entry: Descriptor| entry.annotations.remove(REF_NAME).map(|name| (name, entry));
        Ok(self.entries()?.into_iter().filter_map(named).collect())
    }

    /// Returns all entries, named or not.
    pub(crate) fn entries(&self) -> Result<Vec<Descriptor>, Error> {
        let parse = |entry| {
            serde_json::from_value(entry).map_err(|error| self.index_problem(error.to_string()))
        };
        self.read_index()?.into_iter().map(parse).collect()
    }

    pub(crate) fn update_index(&self, change: impl FnOnce(&mut Vec<Value>)) -> Result<(), Error> {
        let _one_task = self.inner.index.lock().unwrap_or_else(PoisonError::into_inner);
        let lock_path = self.dir().join(INGEST).join("index.lock");
        let failed = |source| Error::WriteLayout { path: lock_path.clone(), source };
        fs::create_dir_all(self.dir().join(INGEST)).map_err(failed)?;
        let lock = fs::File::create(&lock_path).map_err(failed)?;
        // Steps of one order are processes of their own and share the layout.
        lock.lock().map_err(failed)?;
        let path = self.dir().join("index.json");
        let mut entries = if path.exists() { self.read_index()? } else { Vec::new() };
        let before = entries.clone();
        change(&mut entries);
        if path.exists() && entries == before {
            return Ok(());
        }
        let index =
            json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": entries});
        self.write_file(&path, index.to_string().as_bytes())
    }

    fn read_index(&self) -> Result<Vec<Value>, Error> {
        let path = self.dir().join("index.json");
        let failed = |source| Error::ReadLayout { path: path.clone(), source };
        let mut text = Vec::new();
        fs::File::open(&path)
            .map_err(failed)?
            .take(MAX_INDEX_SIZE)
            .read_to_end(&mut text)
            .map_err(failed)?;
        let index: Value =
            serde_json::from_slice(&text).map_err(|error| self.index_problem(error.to_string()))?;
        match index.get("manifests") {
            Some(Value::Array(entries)) => Ok(entries.clone()),
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(_) => Err(self.index_problem("\"manifests\" is not a list".to_owned())),
        }
    }

    fn index_problem(&self, problem: String) -> Error {
        Error::ParseLayout { path: self.dir().join("index.json"), problem }
    }
}

fn ref_name(entry: &Value) -> Option<&str> {
    entry.get("annotations")?.get(REF_NAME)?.as_str()
}
