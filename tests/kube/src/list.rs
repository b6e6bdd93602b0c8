//! `GET` of many objects: pages, versions, forms.

use std::{collections::BTreeMap, sync::Arc};

use base64::{
    Engine, alphabet,
    engine::{GeneralPurpose, general_purpose::NO_PAD},
};
use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};

use crate::{
    cluster::{Cluster, Reply},
    failure::{Failure, Outcome},
    kind::Kind,
    request::Request,
    selector::Selector,
    store::{Key, Object},
};

/// Base64 as Go reads it: without padding, and left-over bits do not matter.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

/// The form in which the client wants objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Whole,
    Metadata,
    Table,
}

impl Form {
    /// From the `Accept` header: the first form that the server knows.
    pub(crate) fn of(request: &Request) -> Self {
        for choice in request.accept.split(',') {
            for parameter in choice.split(';') {
                match parameter.trim() {
                    "as=PartialObjectMetadata" | "as=PartialObjectMetadataList" => {
                        return Self::Metadata;
                    }
                    "as=Table" => return Self::Table,
                    _ => {}
                }
            }
            if choice.trim() == "application/json" {
                return Self::Whole;
            }
        }
        Self::Whole
    }
}

/// One page of a list.
#[derive(Debug)]
struct Page {
    objects: Vec<Arc<Object>>,
    metadata: Value,
}

/// Where a continued list goes on.
#[derive(Debug)]
struct Position {
    version: u64,
    after: Option<Key>,
}

impl Cluster {
    /// `GET` of many objects.
    pub(crate) fn list(&mut self, request: &Request, kind: &Kind) -> Outcome<Reply> {
        let selector = Selector::of(request, kind)?;
        let page = self.page(request, kind, &selector)?;
        let bytes = match Form::of(request) {
            Form::Whole => {
                let mut metadata = page.metadata;
                if kind.is_custom() && metadata.get("continue").is_none() {
                    metadata["continue"] = "".into();
                }
                written(kind, page.objects.iter().map(|object| object.json()), &metadata)
            }
            Form::Metadata => {
                let items: Vec<Value> =
                    page.objects.iter().map(|object| object.partial()).collect();
                let items = if items.is_empty() { Value::Null } else { items.into() };
                let list = json!({
                    "kind": "PartialObjectMetadataList",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": page.metadata,
                    "items": items,
                });
                list.to_string().into()
            }
            Form::Table => return Ok(self.table_of(request, kind, &page.objects, &page.metadata)),
        };
        Ok(Reply::bytes(200, bytes))
    }

    /// All objects that a selector selects.
    pub(crate) fn selected(&self, kind: &Kind, selector: &Selector) -> Vec<(Key, Arc<Object>)> {
        let Some(table) = self.store.tables.get(&kind.group_resource()) else { return Vec::new() };
        selected(&table.objects, selector, None)
            .map(|(key, object)| (key.clone(), Arc::clone(object)))
            .collect()
    }

    fn page(&self, request: &Request, kind: &Kind, selector: &Selector) -> Outcome<Page> {
        let Some(table) = self.store.tables.get(&kind.group_resource()) else {
            return Err(Failure::no_such_path());
        };
        let position = self.position(request)?;
        let current = self.store.version();
        let past = if position.version == current {
            None
        } else {
            let objects = table.at_version(position.version);
            Some(objects.ok_or_else(|| expired(request, &position))?)
        };
        let objects = past.as_ref().unwrap_or(&table.objects);
        // A list from the cache has no pages.
        let cached = request.option("resourceVersion") == Some("0");
        let limit = request.option("limit").and_then(|limit| limit.parse::<usize>().ok());
        let limit = limit.filter(|limit| *limit > 0 && !cached).unwrap_or(usize::MAX);
        let mut rest = selected(objects, selector, position.after.as_ref());
        let page: Vec<(&Key, &Arc<Object>)> = rest.by_ref().take(limit).collect();
        let left = rest.count();
        let mut metadata = json!({ "resourceVersion": position.version.to_string() });
        if let (Some((key, _)), true) = (page.last(), left > 0) {
            metadata["continue"] = token(position.version, key, selector).into();
            if !selector.is_narrow() {
                metadata["remainingItemCount"] = left.into();
            }
        }
        Ok(Page {
            objects: page.into_iter().map(|(_, object)| Arc::clone(object)).collect(),
            metadata,
        })
    }

    fn position(&self, request: &Request) -> Outcome<Position> {
        let current = self.store.version();
        if let Some(text) = request.option("continue") {
            return read_token(text, request, current);
        }
        let Some(text) = request.option("resourceVersion").filter(|text| *text != "0") else {
            return Ok(Position { version: current, after: None });
        };
        let version: u64 = text.parse().map_err(|_unsaid| {
            let message = format!("resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax");
            Failure::bad_request(message)
        })?;
        if version > current {
            return Err(too_large(version, current));
        }
        let exact = request.option("resourceVersionMatch") == Some("Exact");
        Ok(Position { version: if exact { version } else { current }, after: None })
    }
}

fn selected<'a>(
    objects: &'a BTreeMap<Key, Arc<Object>>,
    selector: &'a Selector,
    after: Option<&Key>,
) -> impl Iterator<Item = (&'a Key, &'a Arc<Object>)> {
    let namespace = selector.namespace();
    let first = (namespace.unwrap_or_default().to_owned(), String::new());
    let after = after.cloned();
    objects
        .range(after.clone().unwrap_or(first)..)
        .skip_while(move |(key, _)| after.as_ref() == Some(*key))
        .take_while(move |(key, _)| namespace.is_none_or(|namespace| key.0 == namespace))
        .filter(|(_, object)| selector.matches(object))
}

/// A list in JSON, its items as they are.
pub(crate) fn written(kind: &Kind, items: impl Iterator<Item = Bytes>, metadata: &Value) -> Bytes {
    let mut out = BytesMut::new();
    let text = |value: &str| Value::from(value).to_string();
    let head = format!(
        "{{\"apiVersion\":{},\"kind\":{},\"metadata\":{metadata},\"items\":[",
        text(&kind.api_version()),
        text(&kind.list_kind)
    );
    out.extend_from_slice(head.as_bytes());
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.extend_from_slice(b",");
        }
        out.extend_from_slice(&item);
    }
    out.extend_from_slice(b"]}");
    out.freeze()
}

/// The token with which a list goes on, in the real server's form.
fn token(version: u64, last: &Key, selector: &Selector) -> String {
    let start = if selector.namespace().is_some() || last.0.is_empty() {
        format!("/{}\0", last.1)
    } else {
        format!("/{}/{}\0", last.0, last.1)
    };
    let token = json!({ "v": "meta.k8s.io/v1", "rv": version, "start": start });
    BASE64.encode(token.to_string())
}

fn read_token(text: &str, request: &Request, current: u64) -> Outcome<Position> {
    let broken = |why: String| {
        Failure::bad_request(format!("invalid continue token: continue key is not valid: {why}"))
    };
    let bytes = BASE64.decode(text).map_err(|error| broken(error.to_string()))?;
    let token: Value = serde_json::from_slice(&bytes).map_err(|error| {
        // Go names the first byte that cannot begin a value, as if it were a letter.
        bytes.first().map_or_else(
            || broken("unexpected end of JSON input".to_owned()),
            |first| match first {
                b'{' => broken(error.to_string()),
                first => {
                    let letter = char::from(*first);
                    broken(format!("invalid character '{letter}' looking for beginning of value"))
                }
            },
        )
    })?;
    let start = token["start"].as_str().unwrap_or_default();
    let start = start.trim_start_matches('/').trim_end_matches('\0');
    let namespace = request.target.as_ref().and_then(|target| target.namespace.clone());
    let key = match (namespace, start.split_once('/')) {
        (Some(namespace), _) => (namespace, start.to_owned()),
        (None, Some((namespace, name))) => (namespace.to_owned(), name.to_owned()),
        (None, None) => (String::new(), start.to_owned()),
    };
    // A token that gave up its version goes on with what there is now.
    let version = token["rv"].as_i64().and_then(|version| u64::try_from(version).ok());
    Ok(Position { version: version.filter(|v| *v > 0).unwrap_or(current), after: Some(key) })
}

fn expired(request: &Request, position: &Position) -> Failure {
    let Some(text) = request.option("continue") else {
        let message =
            format!("The resourceVersion for the provided list is too old: {}", position.version);
        return Failure::new(410, "Expired", message);
    };
    let failure = Failure::new(
        410,
        "Expired",
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    );
    let token = BASE64.decode(text).unwrap_or_default();
    let mut token: Value = serde_json::from_slice(&token).unwrap_or_default();
    token["rv"] = (-1).into();
    failure.with_continue(&BASE64.encode(token.to_string()))
}

/// 504 of a list that asks for a version that is not there yet.
fn too_large(version: u64, current: u64) -> Failure {
    let message = format!("Too large resource version: {version}, current: {current}");
    Failure::new(504, "Timeout", message).with_details(json!({
        "causes": [{ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" }],
        "retryAfterSeconds": 1,
    }))
}
