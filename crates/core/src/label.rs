//! What Kubernetes takes as a name and as a label value.

/// Longest label value and longest DNS label.
pub(crate) const MAX_BYTES: usize = 63;

/// Longest name of an object.
const MAX_NAME_BYTES: usize = 253;

/// Tells whether `text` is a DNS label: lower case letters, digits and `-`, beginning and ending with the first two.
pub(crate) fn is_dns_label(text: &str) -> bool {
    text.len() <= MAX_BYTES && is_name_part(text)
}

/// Between two points of a name, where Kubernetes has no limit of its own.
fn is_name_part(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && is_alphanumeric(text.bytes().next())
        && is_alphanumeric(text.bytes().last())
}

/// Tells whether `text` may be the name of an object: DNS labels with points between them.
pub(crate) fn is_object_name(text: &str) -> bool {
    text.len() <= MAX_NAME_BYTES && text.split('.').all(is_name_part)
}

/// Tells whether `text` may be the value of a label.
pub(crate) fn is_value(text: &str) -> bool {
    text.is_empty()
        || text.len() <= MAX_BYTES
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
            && is_alphanumeric(text.bytes().next())
            && is_alphanumeric(text.bytes().last())
}

/// Cuts an object's name so that it is a label value; nothing when no cut makes it one.
pub(crate) fn cut(name: &str) -> Option<&str> {
    let end = name
        .char_indices()
        .map(|(at, c)| at + c.len_utf8())
        .take_while(|end| *end <= MAX_BYTES)
        .last()?;
    let cut = name[..end].trim_end_matches(['-', '_', '.']);
    (!cut.is_empty() && is_value(cut)).then_some(cut)
}

fn is_alphanumeric(byte: Option<u8>) -> bool {
    byte.is_some_and(|b| b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_follow_kubernetes() {
        for (text, label, name, value) in [
            ("alpine", true, true, true),
            ("0", true, true, true),
            ("a.b", false, true, true),
            ("A_b", false, false, true),
            ("", false, false, true),
            ("-a", false, false, false),
            ("a-", false, false, false),
            ("a..b", false, false, true),
            ("a b", false, false, false),
            ("ü", false, false, false),
        ] {
            assert_eq!(
                (is_dns_label(text), is_object_name(text), is_value(text)),
                (label, name, value),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_long_name_is_cut_to_a_label_value() {
        assert_eq!(cut("alpine"), Some("alpine"));
        let name = format!("{}-{}", "a".repeat(62), "b".repeat(50));
        assert_eq!(cut(&name), Some(&name[..62]));
        assert_eq!(cut("not legal"), None);
        assert_eq!(cut(""), None);
    }
}
