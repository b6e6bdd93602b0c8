//! The template functions that the chart may use: those of helm and sprig, as far as needed.

use std::sync::Arc;

use gotmpl::{FuncMap, TemplateError, Value, to_value};
use serde_json::Value as Json;

use crate::yaml;

type Result = std::result::Result<Value, TemplateError>;
type Function = fn(&[Value]) -> Result;

/// Makes the functions; `include`, `filesGet` and `filesGlob` need the chart and are added there.
pub(crate) fn functions() -> FuncMap {
    let plain: [(&str, Function); 14] = [
        ("concat", concat),
        ("default", default),
        ("fail", |args| Err(TemplateError::Exec(text(args, 0)?))),
        ("get", get),
        ("indent", |args| Ok(indent(&text(args, 1)?, number(args, 0)?).into())),
        ("join", join),
        ("list", |args| Ok(Value::List(args.into()))),
        ("nindent", |args| Ok(format!("\n{}", indent(&text(args, 1)?, number(args, 0)?)).into())),
        ("quote", |args| Ok(Json::from(text(args, 0)?).to_string().into())),
        ("replace", |args| Ok(text(args, 2)?.replace(&text(args, 0)?, &text(args, 1)?).into())),
        ("toJson", |args| Ok(json(argument(args, 0)?).to_string().into())),
        ("toYaml", |args| Ok(yaml::to_yaml(&json(argument(args, 0)?)).trim_end().into())),
        ("trim", |args| Ok(text(args, 0)?.trim().into())),
        ("trimSuffix", |args| {
            let whole = text(args, 1)?;
            Ok(whole.strip_suffix(&text(args, 0)?).unwrap_or(&whole).into())
        }),
    ];
    plain.map(|(name, function)| (name.to_owned(), Arc::new(function) as _)).into()
}

pub(crate) fn argument(args: &[Value], place: usize) -> std::result::Result<&Value, TemplateError> {
    args.get(place).ok_or_else(|| TemplateError::Exec(format!("argument {place} is missing")))
}

pub(crate) fn text(args: &[Value], place: usize) -> std::result::Result<String, TemplateError> {
    Ok(argument(args, place)?.to_string())
}

fn number(args: &[Value], place: usize) -> std::result::Result<usize, TemplateError> {
    let number = argument(args, place)?.as_int().and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| TemplateError::Exec(format!("argument {place} must be a number")))
}

/// `default FALLBACK VALUE`: the fallback when the value is empty, in the sense of `if`.
fn default(args: &[Value]) -> Result {
    let value = argument(args, 1)?;
    Ok(if value.is_truthy() { value.clone() } else { argument(args, 0)?.clone() })
}

/// `get MAP KEY`: empty when the map has no such key.
fn get(args: &[Value]) -> Result {
    let key = text(args, 1)?;
    match argument(args, 0)? {
        Value::Map(map) => Ok(map.get(key.as_str()).cloned().unwrap_or_else(|| "".into())),
        other => Err(TemplateError::Exec(format!("get needs a map, not {}", other.type_name()))),
    }
}

fn join(args: &[Value]) -> Result {
    let separator = text(args, 0)?;
    let parts: Vec<_> = items(argument(args, 1)?)?.iter().map(ToString::to_string).collect();
    Ok(parts.join(&separator).into())
}

fn concat(args: &[Value]) -> Result {
    let mut all = Vec::new();
    for list in args {
        all.extend_from_slice(items(list)?);
    }
    Ok(Value::List(all.into()))
}

fn items(value: &Value) -> std::result::Result<&[Value], TemplateError> {
    match value {
        Value::List(items) => Ok(items),
        other => Err(TemplateError::Exec(format!("a list is needed, not {}", other.type_name()))),
    }
}

/// Every line is indented, empty ones too, as sprig does.
fn indent(text: &str, by: usize) -> String {
    let space = " ".repeat(by);
    format!("{space}{}", text.replace('\n', &format!("\n{space}")))
}

fn json(value: &Value) -> Json {
    match value {
        Value::Nil | Value::Function(_) => Json::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Uint(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::String(value) => Json::from(value.as_ref()),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(map) => map.iter().map(|(key, value)| (key.to_string(), json(value))).collect(),
    }
}

/// Data for a template.
pub(crate) fn data(value: &Json) -> Value {
    to_value(value).unwrap()
}
