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

/// Longest word that is compared with others: the comparison takes the product of both lengths.
const MAX_COMPARED_CHARS: usize = 64;

/// Returns the candidate that `word` was most likely meant to be: the nearest by edits, where these are few.
///
/// ```
/// assert_eq!(arc_core::nearest("repositry", ["repository", "tag"]), Some("repository"));
/// assert_eq!(arc_core::nearest("colour", ["repository", "tag"]), None);
/// ```
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > MAX_COMPARED_CHARS {
        return None;
    }
    let with_distance = candidates.into_iter().filter_map(|candidate| {
        let other = candidate.chars().count();
        // One edit in three letters is a slip; more is another word.
        let most = (length.max(other) / 3).max(1);
        if other > MAX_COMPARED_CHARS || length.abs_diff(other) > most {
            return None;
        }
        let distance = edits(&word.to_lowercase(), &candidate.to_lowercase());
        (distance <= most && candidate != word && other > 1).then_some((distance, candidate))
    });
    with_distance.min().map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into another.
fn edits(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows = vec![(0..=other.len()).collect::<Vec<usize>>()];
    for (i, letter) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, second) in other.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(letter != second);
            let mut least = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            let is_swap = i > 0 && j > 0 && one[i - 1] == *second && other[j - 1] == *letter;
            if is_swap {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
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
    fn the_nearest_word_is_one_or_two_slips_away() {
        let known = ["srcRef", "dstRef", "spec", "name", "type"];
        for (word, expected) in [
            ("scrRef", Some("srcRef")),
            ("srcref", Some("srcRef")),
            ("nmae", Some("name")),
            ("typ", Some("type")),
            ("specs", Some("spec")),
            ("source", None),
            ("", None),
            ("name", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word:?}");
        }
    }

    #[test]
    fn lists_are_quoted_and_bounded() {
        assert_eq!(list([]), "none");
        assert_eq!(list(["helm", "oci"]), "\"helm\", \"oci\"");
        assert!(list(["x"; 20]).ends_with("\"x\", …"));
    }
}
