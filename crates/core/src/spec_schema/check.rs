//! Compares a value with its schema and collects everything that does not fit.

use serde_json::{Map, Value};

use super::{
    Kind, Lists, Numbers, Objects, Others, Schema, Sizes, Texts, Violation, ViolationKind,
};
use crate::{flatten::key_path, text};

/// Most violations that are reported: a status holds them, and nobody reads more.
const MAX_VIOLATIONS: usize = 50;
/// Most characters of a value that a message repeats.
const SHOWN_CHARS: usize = 60;

impl Schema {
    /// Returns everything about `value` that is not allowed, in the order of the fields, at most 50.
    ///
    /// `path` is where the value stands, for the messages.
    pub fn check(&self, value: &Value, path: &str) -> Vec<Violation> {
        let mut found = Found { violations: Vec::new() };
        found.value(self, value, path);
        found.violations
    }
}

struct Found {
    violations: Vec<Violation>,
}

impl Found {
    fn add(&mut self, path: &str, kind: ViolationKind, message: String, hint: String) {
        if self.violations.len() < MAX_VIOLATIONS {
            self.violations.push(Violation { path: path.to_owned(), kind, message, hint });
        }
    }

    fn wrong(&mut self, path: &str, message: String, hint: impl Into<String>) {
        self.add(path, ViolationKind::WrongValue, message, hint.into());
    }

    fn value(&mut self, schema: &Schema, value: &Value, path: &str) {
        if value.is_null() {
            return;
        }
        match (&schema.kind, value) {
            (Kind::Any, _)
            | (Kind::Boolean, Value::Bool(_))
            | (Kind::IntegerOrText, Value::String(_)) => {}
            (Kind::IntegerOrText, Value::Number(number)) if is_whole(number) => {}
            (Kind::Number(numbers), Value::Number(number)) => self.number(numbers, number, path),
            (Kind::Text(texts), Value::String(given)) => self.text(texts, given, path),
            (Kind::List(lists), Value::Array(items)) => self.list(lists, items, path),
            (Kind::Object(objects), Value::Object(fields)) => self.object(objects, fields, path),
            (kind, _) => return self.other_kind(kind, value, path),
        }
        if let Some(allowed) = &schema.allowed
            && !allowed.contains(value)
        {
            let known: Vec<_> = allowed.iter().take(10).map(shown).collect();
            let message = format!("{} is not one of {}", shown(value), known.join(", "));
            self.wrong(path, message, suggestion(value, allowed));
        }
    }

    fn other_kind(&mut self, kind: &Kind, value: &Value, path: &str) {
        let expected = expected(kind);
        let is_scalar = value.is_number() || value.is_boolean();
        let hint = match (kind, value) {
            (Kind::Text(_), _) if is_scalar => "put it in quotes".to_owned(),
            (Kind::Number(_) | Kind::Boolean, Value::String(_)) => {
                "write it without quotes".to_owned()
            }
            _ => format!("write {expected}"),
        };
        self.wrong(path, format!("expected {expected}, found {}", described(value)), hint);
    }

    fn number(&mut self, numbers: &Numbers, number: &serde_json::Number, path: &str) {
        if numbers.is_integer && !is_whole(number) {
            let message = format!("expected a whole number, found {number}");
            return self.wrong(path, message, "write a whole number");
        }
        let Some(value) = number.as_f64() else { return };
        let is_low = |least: &f64| value < *least || numbers.is_above && value <= *least;
        let is_high = |most: &f64| value > *most || numbers.is_below && value >= *most;
        if let Some(least) = numbers.minimum.filter(is_low) {
            let bound = if numbers.is_above { "above" } else { "at least" };
            self.wrong(path, format!("{number} is not {bound} {least}"), "write a larger number");
        }
        if let Some(most) = numbers.maximum.filter(is_high) {
            let bound = if numbers.is_below { "below" } else { "at most" };
            self.wrong(path, format!("{number} is not {bound} {most}"), "write a smaller number");
        }
    }

    fn text(&mut self, texts: &Texts, given: &str, path: &str) {
        let shown = text::shorten(given, SHOWN_CHARS);
        self.size(texts.length, given.chars().count(), "characters", path);
        if let Some(pattern) = &texts.pattern
            && !pattern.is_match(given)
        {
            let message = format!("{shown:?} does not match the pattern {:?}", pattern.as_str());
            self.wrong(path, message, "correct the value");
        }
    }

    fn list(&mut self, lists: &Lists, items: &[Value], path: &str) {
        self.size(lists.length, items.len(), "items", path);
        let mut seen = std::collections::BTreeSet::new();
        for (index, item) in items.iter().enumerate() {
            if self.violations.len() >= MAX_VIOLATIONS {
                return;
            }
            let place = format!("{path}[{index}]");
            if lists.is_unique && !seen.insert(item.to_string()) {
                self.wrong(
                    &place,
                    format!("{} is there twice", shown(item)),
                    "remove one of the two",
                );
            }
            if let Some(schema) = &lists.items {
                self.value(schema, item, &place);
            }
        }
    }

    fn object(&mut self, objects: &Objects, fields: &Map<String, Value>, path: &str) {
        let is_given = |name: &str| fields.get(name).is_some_and(|value| !value.is_null());
        for name in objects.required.iter().filter(|name| !is_given(name)) {
            let message = format!("`{name}` is missing");
            self.add(path, ViolationKind::MissingField, message, format!("add `{name}`"));
        }
        let given = fields.values().filter(|value| !value.is_null()).count();
        self.size(objects.length, given, "fields", path);
        let sorted: std::collections::BTreeMap<_, _> = fields.iter().collect();
        for (name, value) in sorted {
            let place = key_path(path, name);
            match (objects.properties.get(name), &objects.others) {
                (Some(schema), _) => self.value(schema, value, &place),
                (None, Others::Each(schema)) => self.value(schema, value, &place),
                (None, Others::Any) => {}
                (None, Others::Refused) => self.unknown(objects, name, &place),
            }
        }
    }

    fn unknown(&mut self, objects: &Objects, name: &str, place: &str) {
        let known = objects.properties.keys().map(String::as_str);
        let hint = match text::nearest(name, known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("remove it; known fields are {}", text::list(known)),
        };
        let shown = text::shorten(name, SHOWN_CHARS);
        let message = format!("{shown:?} is not a field that is known here");
        self.add(place, ViolationKind::UnknownField, message, hint);
    }

    fn size(&mut self, sizes: Sizes, size: usize, of: &str, path: &str) {
        let size = size as u64;
        if let Some(min) = sizes.min.filter(|min| size < *min) {
            self.wrong(path, format!("{size} {of}; at least {min} are needed"), "write more");
        }
        if let Some(max) = sizes.max.filter(|max| size > *max) {
            self.wrong(path, format!("{size} {of}; at most {max} are allowed"), "write less");
        }
    }
}

fn is_whole(number: &serde_json::Number) -> bool {
    number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|value| value.fract() == 0.0)
}

fn suggestion(value: &Value, allowed: &[Value]) -> String {
    let near = value
        .as_str()
        .and_then(|given| text::nearest(given, allowed.iter().filter_map(Value::as_str)));
    near.map_or_else(|| "use one of these".to_owned(), |near| format!("did you mean {near:?}?"))
}

fn expected(kind: &Kind) -> &'static str {
    match kind {
        Kind::Any => "anything",
        Kind::Boolean => "true or false",
        Kind::IntegerOrText => "a whole number or text",
        Kind::Number(Numbers { is_integer: true, .. }) => "a whole number",
        Kind::Number(_) => "a number",
        Kind::Text(_) => "text",
        Kind::List(_) => "a list",
        Kind::Object(_) => "fields",
    }
}

fn described(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => format!("the boolean {value}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(_) => format!("the text {}", shown(value)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "fields".to_owned(),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(given) => format!("{:?}", text::shorten(given, SHOWN_CHARS)),
        other => text::shorten(&other.to_string(), SHOWN_CHARS),
    }
}
