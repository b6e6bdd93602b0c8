//! Which recorded uid, name, token or version stands for which of this run.

use std::collections::BTreeMap;

use serde_json::Value;

/// What is known so far.
#[derive(Debug, Default)]
pub(crate) struct Bindings {
    /// uids, generated names and continue tokens.
    texts: BTreeMap<String, String>,
    versions: BTreeMap<u64, u64>,
    disorder: Vec<String>,
}

impl Bindings {
    /// The text with everything recorded in it replaced by what it stands for.
    pub(crate) fn text(&self, recorded: &str) -> String {
        let mut text = recorded.to_owned();
        for (from, to) in &self.texts {
            text = text.replace(from, to);
        }
        text
    }

    /// Learns what a recorded text stands for, or checks it.
    pub(crate) fn bind(&mut self, recorded: &str, answered: &str) -> bool {
        let known = self.texts.entry(recorded.to_owned()).or_insert_with(|| answered.to_owned());
        known == answered
    }

    /// Learns what a recorded version stands for, or checks it. Later versions must stay later.
    pub(crate) fn bind_version(&mut self, recorded: &str, answered: &str) -> bool {
        let (Ok(recorded), Ok(answered)) = (recorded.parse::<u64>(), answered.parse::<u64>())
        else {
            return recorded == answered;
        };
        if let Some(known) = self.versions.get(&recorded) {
            return *known == answered;
        }
        let before = self.versions.range(..recorded).next_back().map(|(_, version)| *version);
        let after = self.versions.range(recorded..).next().map(|(_, version)| *version);
        if before.is_some_and(|before| before > answered)
            || after.is_some_and(|after| after < answered)
        {
            self.disorder
                .push(format!("version {recorded} became {answered}: {before:?}, {after:?}"));
        }
        self.versions.insert(recorded, answered);
        true
    }

    /// Versions that are out of order.
    pub(crate) fn disorder(&self) -> Vec<String> {
        self.disorder.clone()
    }

    /// A recorded path for this run.
    pub(crate) fn path(&self, recorded: &str) -> String {
        let path = self.text(recorded);
        let Some((path, query)) = path.split_once('?') else { return path };
        let query: Vec<String> = query
            .split('&')
            .map(|option| match option.split_once('=') {
                Some((name @ "resourceVersion", version)) => {
                    format!("{name}={}", self.version(version))
                }
                _ => option.to_owned(),
            })
            .collect();
        format!("{path}?{}", query.join("&"))
    }

    /// A recorded body for this run.
    pub(crate) fn body(&self, recorded: &Value) -> Value {
        match recorded {
            Value::Object(map) => map
                .iter()
                .map(|(name, value)| {
                    let value = match value.as_str().filter(|_| name == "resourceVersion") {
                        Some(version) => self.version(version).into(),
                        None => self.body(value),
                    };
                    (self.text(name), value)
                })
                .collect(),
            Value::Array(items) => items.iter().map(|item| self.body(item)).collect(),
            Value::String(text) => self.text(text).into(),
            other => other.clone(),
        }
    }

    fn version(&self, recorded: &str) -> String {
        let known = recorded.parse().ok().and_then(|version: u64| self.versions.get(&version));
        known.map_or_else(|| recorded.to_owned(), u64::to_string)
    }
}
