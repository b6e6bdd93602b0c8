//! The allow-list: which `{{…}}` is an override template and nothing that Argo could know.
//!
//! Argo looks up the trimmed text of a block in its variables (`workflow.uid`, `item`, …), evaluates it when it begins
//! with `=`, and refuses the workflow when it begins with the root of a variable it cannot resolve.
//! So a block is inert when it is a path with a leading dot, a bare word that is no variable of Argo, or several words.

/// Bare words that Argo knows in some place (loops, retries, metrics, exit handlers) or that are the root of its variables.
const ARGO_WORDS: &[&str] = &[
    "cronworkflow",
    "duration",
    "exitcode",
    "inputs",
    "io",
    "item",
    "lastretry",
    "node",
    "outputs",
    "pod",
    "resourcesduration",
    "retries",
    "status",
    "steps",
    "tasks",
    "template",
    "workflow",
    "workflowtemplate",
];

/// Returns the length of the override template at the start of `text` (which begins with `{{`), braces included.
pub(super) fn inert_length(text: &str) -> Option<usize> {
    let inner = text.strip_prefix("{{")?;
    let end = inner.find("}}")?;
    let body = &inner[..end];
    is_inert(body).then_some(end + 4)
}

/// Judges the text between the braces.
fn is_inert(body: &str) -> bool {
    // Argo resolves a `{{` inside a block on its own, and trims every kind of space that Unicode knows; only two are allowed here.
    if body.chars().any(|c| matches!(c, '{' | '}') || c.is_control() && c != '\t') {
        return false;
    }
    let body = body.strip_prefix(['~', '-']).unwrap_or(body);
    let body = body.strip_suffix(['~', '-']).unwrap_or(body);
    let body = body.trim_matches(SPACES);
    let (is_section, body) = match body.strip_prefix(['#', '^', '/']) {
        Some(name) => (true, name),
        None => (false, body),
    };
    words(body).is_some_and(|words| is_override(&words, is_section))
}

const SPACES: [char; 2] = [' ', '\t'];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    /// `.`, `.tag`, `.image.tag`
    Path,
    /// `tag`, `replace`
    Name,
    /// A quoted text or a number.
    Literal,
    Pipe,
}

fn is_override(words: &[Word], is_section: bool) -> bool {
    let first_is_fine = match words.first() {
        Some(Word::Name) => true,
        Some(Word::Path) => !is_section,
        Some(Word::Literal | Word::Pipe) | None => false,
    };
    let pipes_lead_to_names = words
        .iter()
        .enumerate()
        .all(|(at, word)| *word != Word::Pipe || words.get(at + 1) == Some(&Word::Name));
    first_is_fine && pipes_lead_to_names
}

/// Splits a block into its words; nothing when one of them is of no known kind.
fn words(body: &str) -> Option<Vec<Word>> {
    let mut found = Vec::new();
    let mut rest = body.trim_start_matches(SPACES);
    while let Some(first) = rest.chars().next() {
        let (word, length) = match first {
            '|' => (Word::Pipe, 1),
            quote @ ('"' | '\'') => (Word::Literal, quoted_length(rest, quote)?),
            _ => {
                let end = rest.find(|c| SPACES.contains(&c) || c == '|').unwrap_or(rest.len());
                (kind(&rest[..end])?, end)
            }
        };
        found.push(word);
        let after = &rest[length..];
        rest = after.trim_start_matches(SPACES);
        // `tag"x"` or `"x"tag` is one word of no known kind.
        let is_separated = rest.len() < after.len()
            || rest.is_empty()
            || word == Word::Pipe
            || rest.starts_with('|');
        if !is_separated {
            return None;
        }
    }
    Some(found)
}

/// The length of the quoted text at the start of `text`; a backslash is refused, so that no quote is hidden.
fn quoted_length(text: &str, quote: char) -> Option<usize> {
    let inner = &text[1..];
    let end = inner.find(quote)?;
    (!inner[..end].contains('\\')).then_some(end + 2)
}

fn kind(word: &str) -> Option<Word> {
    if word == "." {
        return Some(Word::Path);
    }
    if let Some(path) = word.strip_prefix('.') {
        return path.split('.').all(is_identifier).then_some(Word::Path);
    }
    if word.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Word::Literal);
    }
    (is_identifier(word) && !ARGO_WORDS.iter().any(|known| known.eq_ignore_ascii_case(word)))
        .then_some(Word::Name)
}

fn is_identifier(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}
