//! JSON patches: RFC 6902.

use serde_json::Value;

/// The value with all operations done; `None` when one of them fails.
pub(crate) fn patched(value: &Value, operations: &[Value]) -> Option<Value> {
    let mut value = value.clone();
    for operation in operations {
        apply(&mut value, operation)?;
    }
    Some(value)
}

fn apply(value: &mut Value, operation: &Value) -> Option<()> {
    let path = operation["path"].as_str()?;
    match operation["op"].as_str()? {
        "test" => {
            let wanted = operation.get("value").unwrap_or(&Value::Null);
            // As in the real server, what is not there equals null: kube adds finalizers that way.
            (value.pointer(path).unwrap_or(&Value::Null) == wanted).then_some(())
        }
        "add" => add(value, path, operation.get("value")?.clone()),
        "remove" => remove(value, path).map(|_| ()),
        "replace" => {
            *value.pointer_mut(path)? = operation.get("value")?.clone();
            Some(())
        }
        "move" => {
            let moved = remove(value, operation["from"].as_str()?)?;
            add(value, path, moved)
        }
        "copy" => {
            let copied = value.pointer(operation["from"].as_str()?)?.clone();
            add(value, path, copied)
        }
        _ => None,
    }
}

fn split(path: &str) -> Option<(&str, String)> {
    let (parent, last) = path.rsplit_once('/')?;
    Some((parent, last.replace("~1", "/").replace("~0", "~")))
}

fn add(value: &mut Value, path: &str, new: Value) -> Option<()> {
    if path.is_empty() {
        *value = new;
        return Some(());
    }
    let (parent, last) = split(path)?;
    match value.pointer_mut(parent)? {
        Value::Object(map) => {
            map.insert(last, new);
        }
        Value::Array(items) => {
            let at = if last == "-" { items.len() } else { last.parse().ok()? };
            (at <= items.len()).then(|| items.insert(at, new))?;
        }
        _ => return None,
    }
    Some(())
}

fn remove(value: &mut Value, path: &str) -> Option<Value> {
    let (parent, last) = split(path)?;
    match value.pointer_mut(parent)? {
        Value::Object(map) => map.remove(&last),
        Value::Array(items) => {
            let at: usize = last.parse().ok()?;
            (at < items.len()).then(|| items.remove(at))
        }
        _ => None,
    }
}
