//! Reads a schema, and refuses by name what would not be applied.

use std::collections::{BTreeMap, BTreeSet};

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use super::{Flaw, Kind, Lists, Numbers, Objects, Others, Schema, Sizes, Texts};
use crate::text;

/// Deepest nesting, that of an artifact's spec.
const MAX_DEPTH: usize = 16;
/// Most fields, lists and values of one schema; a spec has at most 256 values.
const MAX_SCHEMAS: usize = 512;
/// Longest pattern; nobody reads a longer one.
const MAX_PATTERN_BYTES: usize = 1024;
/// What a compiled pattern may take in memory, because tenants write schemas too.
const MAX_COMPILED_BYTES: usize = 1024 * 1024;

/// Keywords that say something to people only.
const REMARKS: [&str; 6] =
    ["title", "description", "example", "examples", "externalDocs", "nullable"];
/// Keywords of every kind.
const COMMON: [&str; 5] = [
    "type",
    "enum",
    "format",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-int-or-string",
];

impl Schema {
    /// Reads the schema of an artifact's `spec`: an object.
    ///
    /// # Errors
    ///
    /// Every part that cannot be used, in the order of the fields.
    pub fn parse(schema: &Map<String, Value>) -> Result<Self, Vec<Flaw>> {
        let mut reader = Reader::default();
        let parsed = reader.fields(schema, "", 1);
        if let Some(parsed) = &parsed
            && !matches!(parsed.kind, Kind::Object(_) | Kind::Any)
        {
            reader.refuse("type", "an artifact's spec is an object", "write `type: object`");
        }
        match parsed {
            Some(parsed) if reader.flaws.is_empty() => Ok(parsed),
            _ => Err(reader.flaws),
        }
    }
}

#[derive(Default)]
struct Reader {
    flaws: Vec<Flaw>,
    schemas: usize,
}

impl Reader {
    fn refuse(&mut self, path: &str, message: impl Into<String>, hint: &str) {
        let message = message.into();
        self.flaws.push(Flaw { path: path.to_owned(), message, hint: hint.to_owned() });
    }

    /// Reads one schema; nothing where it has a flaw that leaves no meaning.
    fn schema(&mut self, value: &Value, path: &str, depth: usize) -> Option<Schema> {
        let Some(fields) = value.as_object() else {
            self.refuse(path, "a schema is an object", "write `type:` and what belongs to it");
            return None;
        };
        self.fields(fields, path, depth)
    }

    fn fields(&mut self, fields: &Map<String, Value>, path: &str, depth: usize) -> Option<Schema> {
        self.schemas += 1;
        if depth > MAX_DEPTH || self.schemas > MAX_SCHEMAS {
            let message =
                format!("more than {MAX_SCHEMAS} schemas, or nested deeper than {MAX_DEPTH}");
            self.refuse(path, message, "write it flatter, or describe less of it");
            return None;
        }
        let (kind, known) = self.kind(fields, path, depth)?;
        self.keywords(fields, known, path);
        let allowed = self.allowed(fields, path);
        Some(Schema { kind, allowed })
    }

    /// What the schema is about, with the keywords that belong to it.
    fn kind(
        &mut self,
        fields: &Map<String, Value>,
        path: &str,
        depth: usize,
    ) -> Option<(Kind, &'static [&'static str])> {
        let is_set = |keyword: &str| fields.get(keyword) == Some(&Value::Bool(true));
        let Some(kind) = fields.get("type") else {
            if is_set("x-kubernetes-int-or-string") {
                return Some((Kind::IntegerOrText, &[]));
            }
            if is_set("x-kubernetes-preserve-unknown-fields") {
                return Some((Kind::Any, &[]));
            }
            // Said together with the keyword that stands in its place, such as `oneOf` or `$ref`.
            self.keywords(fields, &ALL_KEYWORDS, path);
            let hint = "write one of object, array, string, integer, number, boolean";
            self.refuse(path, "`type` is missing", hint);
            return None;
        };
        Some(match kind.as_str() {
            Some("object") => (Kind::Object(self.object(fields, path, depth)), &OBJECT),
            Some("array") => (Kind::List(self.list(fields, path, depth)), &LIST),
            Some("string") => (Kind::Text(self.text(fields, path)), &TEXT),
            Some("boolean") => (Kind::Boolean, &[]),
            Some(name @ ("integer" | "number")) => {
                (Kind::Number(self.numbers(fields, path, name == "integer")), &NUMBER)
            }
            _ => {
                let hint = "write one of object, array, string, integer, number, boolean";
                self.refuse(&below(path, "type"), format!("{kind} is not a type"), hint);
                return None;
            }
        })
    }

    /// Refuses keywords that nobody applies.
    fn keywords(&mut self, fields: &Map<String, Value>, known: &[&str], path: &str) {
        let names: BTreeSet<&String> = fields.keys().collect();
        for name in names {
            let is_known = [&COMMON[..], &REMARKS[..], known].concat().contains(&name.as_str());
            if !is_known {
                let hint = match name.as_str() {
                    "default" => "give the default in the workflow template",
                    "oneOf" | "anyOf" | "allOf" | "not" | "if" | "$ref" => {
                        "write the fields themselves; the schema must be structural"
                    }
                    _ if ALL_KEYWORDS.contains(&name.as_str()) => {
                        "it belongs to another type; remove it or correct `type`"
                    }
                    _ => "remove it: it would not be applied",
                };
                let message = format!("the keyword {name:?} is not supported here");
                self.refuse(&below(path, name), message, hint);
            }
        }
    }

    fn allowed(&mut self, fields: &Map<String, Value>, path: &str) -> Option<Vec<Value>> {
        match fields.get("enum")? {
            Value::Array(values) if !values.is_empty() => Some(values.clone()),
            _ => {
                let hint = "write the values that are allowed";
                self.refuse(&below(path, "enum"), "expected a list that is not empty", hint);
                None
            }
        }
    }

    fn object(&mut self, fields: &Map<String, Value>, path: &str, depth: usize) -> Objects {
        let mut properties = BTreeMap::new();
        match fields.get("properties") {
            None => {}
            Some(Value::Object(entries)) => {
                let sorted: BTreeMap<_, _> = entries.iter().collect();
                for (name, schema) in sorted {
                    let place = below(&below(path, "properties"), name);
                    let schema = self.schema(schema, &place, depth + 1);
                    properties.extend(schema.map(|schema| (name.clone(), schema)));
                }
            }
            Some(_) => {
                let hint = "write each field with its schema";
                self.refuse(&below(path, "properties"), "expected fields", hint);
            }
        }
        let place = below(path, "additionalProperties");
        let others = match fields.get("additionalProperties") {
            None if fields.get("x-kubernetes-preserve-unknown-fields")
                == Some(&Value::Bool(true)) =>
            {
                Others::Any
            }
            None | Some(Value::Bool(false)) => Others::Refused,
            Some(Value::Bool(true)) => Others::Any,
            Some(schema) => self
                .schema(schema, &place, depth + 1)
                .map_or(Others::Refused, |schema| Others::Each(Box::new(schema))),
        };
        let required = self.required(fields, path, &properties, &others);
        let length = self.sizes(fields, path, ["minProperties", "maxProperties"]);
        Objects { properties, required, others, length }
    }

    fn required(
        &mut self,
        fields: &Map<String, Value>,
        path: &str,
        properties: &BTreeMap<String, Schema>,
        others: &Others,
    ) -> BTreeSet<String> {
        let place = below(path, "required");
        let Some(value) = fields.get("required") else { return BTreeSet::new() };
        let names = value.as_array().map(|names| names.iter().map(Value::as_str).collect());
        let Some(Some(names)) = names.map(|names: Option<Vec<&str>>| names) else {
            self.refuse(&place, "expected a list of names", "write `required: [name]`");
            return BTreeSet::new();
        };
        let described = fields.get("properties").and_then(Value::as_object);
        for name in &names {
            let is_described = properties.contains_key(*name)
                || described.is_some_and(|described| described.contains_key(*name));
            if !is_described && matches!(others, Others::Refused) {
                let message = format!("{name:?} is required and not allowed");
                self.refuse(&place, message, "describe it under `properties`");
            }
        }
        names.into_iter().map(str::to_owned).collect()
    }

    fn list(&mut self, fields: &Map<String, Value>, path: &str, depth: usize) -> Lists {
        let place = below(path, "items");
        let items = if let Some(schema) = fields.get("items") {
            self.schema(schema, &place, depth + 1).map(Box::new)
        } else {
            self.refuse(path, "`items` is missing", "write what the items of the list are");
            None
        };
        let is_unique = self.boolean(fields, path, "uniqueItems");
        let length = self.sizes(fields, path, ["minItems", "maxItems"]);
        Lists { items, length, is_unique }
    }

    fn text(&mut self, fields: &Map<String, Value>, path: &str) -> Texts {
        let length = self.sizes(fields, path, ["minLength", "maxLength"]);
        let pattern = fields.get("pattern").and_then(|pattern| self.pattern(pattern, path));
        Texts { length, pattern }
    }

    fn pattern(&mut self, pattern: &Value, path: &str) -> Option<Regex> {
        let place = below(path, "pattern");
        let Some(pattern) = pattern.as_str() else {
            self.refuse(&place, "expected text", "put the pattern in quotes");
            return None;
        };
        if pattern.len() > MAX_PATTERN_BYTES {
            let message =
                format!("{} bytes; at most {MAX_PATTERN_BYTES} are allowed", pattern.len());
            self.refuse(&place, message, "use a shorter pattern");
            return None;
        }
        let compiled = RegexBuilder::new(pattern).size_limit(MAX_COMPILED_BYTES).build();
        match compiled {
            Ok(regex) => Some(regex),
            Err(error) => {
                // The crate draws a picture over several lines; its last line is the reason.
                let text = error.to_string();
                let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
                let hint = "write it without look-around and back-references";
                let shown = text::shorten(pattern, 60);
                self.refuse(&place, format!("{shown:?} is not a pattern: {reason}"), hint);
                None
            }
        }
    }

    fn numbers(&mut self, fields: &Map<String, Value>, path: &str, is_integer: bool) -> Numbers {
        let mut bound = |keyword: &str| {
            let value = fields.get(keyword)?;
            if value.as_f64().is_none() {
                self.refuse(&below(path, keyword), "expected a number", "write a number");
            }
            value.as_f64()
        };
        let (minimum, maximum) = (bound("minimum"), bound("maximum"));
        let is_above = self.boolean(fields, path, "exclusiveMinimum");
        let is_below = self.boolean(fields, path, "exclusiveMaximum");
        Numbers { is_integer, minimum, maximum, is_above, is_below }
    }

    fn boolean(&mut self, fields: &Map<String, Value>, path: &str, keyword: &str) -> bool {
        match fields.get(keyword) {
            None | Some(Value::Bool(false)) => false,
            Some(Value::Bool(true)) => true,
            Some(_) => {
                let hint = "as in OpenAPI v3, write true or false";
                self.refuse(&below(path, keyword), "expected true or false", hint);
                false
            }
        }
    }

    fn sizes(&mut self, fields: &Map<String, Value>, path: &str, keywords: [&str; 2]) -> Sizes {
        let [min, max] = keywords.map(|keyword| {
            let value = fields.get(keyword)?;
            let size = value.as_u64();
            if size.is_none() {
                let hint = "write a whole number from 0";
                self.refuse(&below(path, keyword), format!("{value} is not a length"), hint);
            }
            size
        });
        Sizes { min, max }
    }
}

const OBJECT: [&str; 5] =
    ["properties", "required", "additionalProperties", "minProperties", "maxProperties"];
const LIST: [&str; 4] = ["items", "minItems", "maxItems", "uniqueItems"];
const TEXT: [&str; 3] = ["pattern", "minLength", "maxLength"];
const NUMBER: [&str; 4] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];
const ALL_KEYWORDS: [&str; 16] = [
    "properties",
    "required",
    "additionalProperties",
    "minProperties",
    "maxProperties",
    "items",
    "minItems",
    "maxItems",
    "uniqueItems",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
];

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { crate::flatten::key_path(path, name) }
}
