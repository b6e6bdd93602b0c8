//! Text that goes into messages: bounded, so that a status stays small whatever a value holds.

/// Returns `text` cut to `max` characters, with an ellipsis where something was cut.
pub(crate) fn shorten(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// Returns names as a list for a message: `"helm", "oci"`, or `none` when there are none; at most ten, then `…`.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 10;
    let mut names = names.into_iter();
    let mut shown: Vec<String> =
        names.by_ref().take(SHOWN).map(|name| format!("{name:?}")).collect();
    if shown.is_empty() {
        return "none".to_owned();
    }
    if names.next().is_some() {
        shown.push("…".to_owned());
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(shorten("äöü", 3), "äöü");
        assert_eq!(shorten("äöüß", 3), "äöü…");
    }

    #[test]
    fn lists_are_quoted_and_bounded() {
        assert_eq!(list([]), "none");
        assert_eq!(list(["helm", "oci"]), "\"helm\", \"oci\"");
        assert!(list(["x"; 20]).ends_with("\"x\", …"));
    }
}
