//! Objects as a `Table`, as `kubectl get` asks for them.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    cluster::{Cluster, Reply},
    kind::{Column, Kind},
    request::Request,
    store::Object,
};

const NAME: &str = "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";
const AGE: &str = "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

impl Cluster {
    /// The objects as a table.
    pub(crate) fn table_of(
        &self,
        request: &Request,
        kind: &Kind,
        objects: &[Arc<Object>],
        metadata: &Value,
    ) -> Reply {
        let age = Column {
            name: "Age".to_owned(),
            kind: "date".to_owned(),
            format: String::new(),
            description: AGE.to_owned(),
            priority: 0,
            path: ".metadata.creationTimestamp".to_owned(),
        };
        let columns = if kind.columns.is_empty() { vec![age] } else { kind.columns.clone() };
        let mut definitions = vec![json!({
            "name": "Name", "type": "string", "format": "name", "description": NAME, "priority": 0,
        })];
        definitions.extend(columns.iter().map(|column| {
            json!({
                "name": column.name,
                "type": column.kind,
                "format": column.format,
                "description": column.description,
                "priority": column.priority,
            })
        }));
        let now = self.clock.timestamp();
        let rows = objects.iter().map(|object| {
            let mut cells = vec![object.value["metadata"]["name"].clone()];
            cells.extend(columns.iter().map(|column| cell(column, &object.value, now)));
            match request.option("includeObject") {
                Some("None") => json!({ "cells": cells }),
                Some("Object") => json!({ "cells": cells, "object": object.value }),
                _ => json!({ "cells": cells, "object": object.partial() }),
            }
        });
        let rows: Value = rows.collect();
        let table = json!({
            "kind": "Table",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata,
            "columnDefinitions": definitions,
            "rows": rows,
        });
        Reply::json(200, &table)
    }
}

fn cell(column: &Column, object: &Value, now: Timestamp) -> Value {
    let found = find(object, &column.path);
    let Some(found) = found.filter(|found| !found.is_null()) else { return Value::Null };
    match (column.kind.as_str(), found) {
        ("date", Value::String(text)) => text
            .parse::<Timestamp>()
            .map_or_else(|_| "<invalid>".into(), |then| age(now.duration_since(then)).into()),
        ("string", Value::String(text)) => text.as_str().into(),
        ("string", other) => other.to_string().into(),
        (_, other) => other.clone(),
    }
}

/// Follows a JSON path of names, indexes and one-field filters such as `[?(@.type=="Ready")]`.
fn find<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    let mut value = object;
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (inside, after) = inner.split_once(']')?;
            rest = after;
            value = if let Some(filter) = inside.strip_prefix("?(@.") {
                let (field, wanted) = filter.trim_end_matches(')').split_once("==")?;
                let wanted = wanted.trim().trim_matches(['"', '\'']);
                value.as_array()?.iter().find(|item| item[field.trim()] == wanted)?
            } else if let Ok(index) = inside.parse::<usize>() {
                value.get(index)?
            } else {
                value.get(inside.trim_matches(['"', '\'']))?
            };
        } else {
            let name = rest.strip_prefix('.').unwrap_or(rest);
            let mut end = name.len();
            let bytes = name.as_bytes();
            for (at, byte) in bytes.iter().enumerate() {
                let escaped = at > 0 && bytes.get(at - 1) == Some(&b'\\');
                if matches!(byte, b'.' | b'[') && !escaped {
                    end = at;
                    break;
                }
            }
            let (field, after) = name.split_at(end);
            rest = after;
            value = value.get(field.replace('\\', ""))?;
        }
    }
    Some(value)
}

/// A duration as `kubectl` shows it.
fn age(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        ..0 => "<invalid>".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 if seconds % 60 != 0 => format!("{minutes}m{}s", seconds % 60),
        120..10_800 => format!("{minutes}m"),
        10_800..28_800 if minutes % 60 != 0 => format!("{hours}h{}m", minutes % 60),
        10_800..172_800 => format!("{hours}h"),
        172_800..691_200 if hours % 24 != 0 => format!("{days}d{}h", hours % 24),
        _ => format!("{days}d"),
    }
}
