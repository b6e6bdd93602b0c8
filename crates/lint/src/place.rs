//! From the path of a field to its place in the text.

use arc_engine::yaml::{Node, Position, Value};

/// What of a field is pointed at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prefer {
    /// Its name.
    Key,
    /// Its value, where that is text on one line.
    Value,
}

/// Returns the place of `path`, such as `spec.artifacts[2].spec["a b"]`, or of the last part of it that exists.
pub(crate) fn place(root: &Node, path: &str, prefer: Prefer) -> Position {
    let mut node = root;
    let mut at = root.at;
    let mut rest = path;
    while !rest.is_empty() {
        let Some((inner, key, tail)) = step(node, rest) else { break };
        let is_scalar = matches!(inner.value, Value::Scalar(_));
        let is_end = tail.is_empty();
        at = if is_end && prefer == Prefer::Value && is_scalar { inner.at } else { key };
        node = inner;
        rest = tail;
    }
    at
}

/// One step down: the node, the place of its key, and the rest of the path.
fn step<'n, 'p>(node: &'n Node, path: &'p str) -> Option<(&'n Node, Position, &'p str)> {
    match &node.value {
        Value::Map(entries) => {
            let matching = entries.iter().filter_map(|entry| {
                let plain = path.strip_prefix('.').unwrap_or(path).strip_prefix(&entry.key);
                let quoted = path.strip_prefix(&format!("[{:?}]", entry.key));
                let rest = quoted.or(plain)?;
                let is_whole = rest.is_empty() || rest.starts_with(['.', '[']);
                is_whole.then_some((&entry.value, entry.at, rest))
            });
            // A key with a dot in it is longer than the key before the dot.
            matching.min_by_key(|(_, _, rest)| rest.len())
        }
        Value::List(items) => {
            let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
            let item = items.get(index.parse::<usize>().ok()?)?;
            Some((item, item.at, rest))
        }
        Value::Null | Value::Scalar(_) => None,
    }
}

/// Returns how many characters from `column` on belong together: a name, a value, a quoted text.
pub(crate) fn extent(line: &str, column: u64) -> u64 {
    let Some(start) = usize::try_from(column).ok().and_then(|column| column.checked_sub(1)) else {
        return 0;
    };
    let before: String = line.chars().take(start).collect();
    let text: Vec<char> = line.chars().skip(start).collect();
    let is_flow = before.matches(['{', '[']).count() > before.matches(['}', ']']).count();
    let length = match text.first() {
        None => 0,
        Some('{' | '[' | '|' | '>' | '&' | '*') if !text.starts_with(&['{', '{']) => 1,
        Some(quote @ ('"' | '\'')) => {
            text.iter().skip(1).position(|letter| letter == quote).map_or(text.len(), |at| at + 2)
        }
        Some(_) => plain(&text, is_flow),
    };
    (length as u64).max(1)
}

fn plain(text: &[char], is_flow: bool) -> usize {
    let ends = |at: &usize| {
        let next = text.get(at + 1);
        match text[*at] {
            ':' => next.is_none_or(|next| next.is_whitespace()),
            ' ' => next == Some(&'#'),
            ',' | '}' | ']' => is_flow,
            _ => false,
        }
    };
    let end = (0..text.len()).find(ends).unwrap_or(text.len());
    text[..end].iter().collect::<String>().trim_end().chars().count()
}

#[cfg(test)]
mod tests {
    use arc_engine::TemplateSource;

    use super::*;

    #[test]
    fn paths_lead_to_keys_and_values_or_to_what_is_left_of_them() {
        let text = "spec:\n  artifacts:\n  - name: a\n    spec: {\"a b\": 1, x.y: {z: 2}}\n";
        let source = TemplateSource { file: "f".to_owned(), text: text.to_owned() };
        let nodes = arc_engine::yaml::parse(&source).expect("valid YAML");
        for (path, prefer, expected) in [
            ("spec", Prefer::Key, (1, 1)),
            ("spec.artifacts[0].name", Prefer::Key, (3, 5)),
            ("spec.artifacts[0].name", Prefer::Value, (3, 11)),
            ("spec.artifacts[0].srcRef", Prefer::Value, (3, 5)),
            ("spec.artifacts[1].srcRef", Prefer::Value, (2, 3)),
            ("spec.artifacts[0].spec[\"a b\"]", Prefer::Key, (4, 12)),
            ("spec.artifacts[0].spec.x.y.z", Prefer::Value, (4, 31)),
            ("", Prefer::Key, (1, 1)),
        ] {
            let at = place(&nodes[0], path, prefer);
            assert_eq!((at.line, at.column), expected, "{path}");
        }
    }

    #[test]
    fn the_extent_is_the_word_under_the_finger() {
        for (line, column, expected) in [
            ("  spce: {}", 3, 4),
            ("name: a b # c", 7, 3),
            ("{name: a, b: c}", 8, 1),
            ("value: HIGH,CRITICAL", 8, 13),
            ("value: \"a b\" # c", 8, 5),
            ("spec: {a: b}", 7, 1),
            ("", 1, 1),
            ("äöü: x", 1, 3),
            ("x", 0, 0),
            ("x", 99, 1),
        ] {
            assert_eq!(extent(line, column), expected, "{line:?}:{column}");
        }
    }
}
