//! The report for readers: the story in Markdown, and how to check it.

use std::fmt::Write as _;

use super::super::print::verdict;
use super::super::story::{Chapter, Piece, Story, short_type};

/// How to check the folder, and what each part of it is.
const INTRODUCTION: &str = "\
Every line below was read from a statement whose signature was checked with the keys in `keys/`; the digests behind it
name the evidence. What was rejected is listed with its reason, and nothing it claims is told.

Check it without ARC: `sh recheck.sh` needs `sha256sum`, `openssl` and `grep`, and no network; `--cosign` and `--online`
check it again with cosign, and against the registry. Whether `keys/` are the right keys is the one thing this folder
cannot say: compare them with the keys you were given another way. Proofs of a transparency log are inside the bundles;
the script does not check them.

- `manifests/`: the image, its platforms, and the manifests that attach the evidence, named by digest
- `bundles/`, `envelopes/`: the evidence as it was found
- `payloads/`, `signatures/`: what was signed, and the signatures, taken out of the evidence
- `rejected/`: what claims to be evidence and does not hold
- `trusted-root.json`: an empty one, for cosign, which otherwise looks for one on the network
- `audit.json`: this report for machines
";

/// Returns the report.
pub(super) fn markdown(story: &Story) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "# Audit of {}\n", escape(&story.reference));
    let _ = writeln!(text, "- digest: `{}`", story.digest);
    let _ = writeln!(text, "- kind: {}", escape(&story.media_type));
    let _ = writeln!(text, "- audited: {}", story.audited_on);
    let _ = writeln!(text, "- signatures: **{}**\n", escape(&verdict(story)));
    text.push_str(INTRODUCTION);
    for chapter in &story.chapters {
        write_chapter(&mut text, chapter);
    }
    text.push_str("\n## Evidence\n\n");
    text.push_str(
        "| holds | digest | found as | what | about | key or reason |\n|---|---|---|---|---|---|\n",
    );
    for piece in &story.evidence {
        write_piece(&mut text, piece);
    }
    for what in &story.unreadable {
        let _ = writeln!(text, "| **no** | | | | | unreadable: {} |", escape(what));
    }
    if !story.problems.is_empty() {
        text.push_str("\n## Problems\n\n");
    }
    for problem in &story.problems {
        let _ = writeln!(text, "- **{}**", escape(problem));
    }
    text
}

fn write_chapter(text: &mut String, chapter: &Chapter) {
    let mut title = chapter.title.to_owned();
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let _ = writeln!(text, "\n## {title}\n");
    if chapter.lines.is_empty() {
        let _ = writeln!(text, "{}", escape(chapter.silence));
    }
    for line in &chapter.lines {
        let platform = line.platform.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        let said = escape(&format!("{platform}{}", line.text));
        let digests: Vec<_> = line.evidence.iter().map(|digest| format!("`{digest}`")).collect();
        let _ =
            writeln!(text, "- **{}** {said}\n  (held: {})", escape(&line.what), digests.join(", "));
    }
}

fn write_piece(text: &mut String, piece: &Piece) {
    let what = piece.predicate_type.as_deref().map_or("", short_type);
    let about = piece.platform.as_deref().unwrap_or("the image");
    let (holds, why) = match (&piece.rejection, &piece.key) {
        (Some(why), _) => ("**no**", escape(why)),
        (None, key) => ("yes", format!("`{}`", key.as_deref().unwrap_or_default())),
    };
    let _ = writeln!(
        text,
        "| {holds} | `{}` | {} | {} | {} | {why} |",
        piece.digest,
        piece.origin,
        escape(what),
        escape(about)
    );
}

/// Escapes what Markdown and HTML would read as their own.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if "\\`*_<>[]|&#~".contains(letter) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_cannot_draw_in_the_report() {
        assert_eq!(
            escape("<img src=x> | [a](b) **ok** `x`"),
            r"\<img src=x\> \| \[a\](b) \*\*ok\*\* \`x\`"
        );
    }
}
