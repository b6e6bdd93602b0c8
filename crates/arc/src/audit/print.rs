//! Prints the story: chapters for people, one document for machines.

use super::story::{Line, Piece, Story, short_type};
use crate::report::Failure;

/// Digits of an evidence digest that tell pieces apart; the list at the end has all of them.
const SHORT_DIGEST: usize = 12;

/// Prints one document.
#[expect(clippy::print_stdout, reason = "the story is the outcome")]
pub(super) fn json(story: &Story) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(story).map_err(|error| Failure::failed(&error))?;
    println!("{text}");
    Ok(())
}

/// Prints the chapters and the list of evidence.
#[expect(clippy::print_stdout, reason = "the story is the outcome")]
pub(super) fn text(story: &Story) {
    for line in lines(story) {
        println!("{line}");
    }
}

/// The story for people, line by line.
pub(super) fn lines(story: &Story) -> Vec<String> {
    let mut lines = vec![
        story.reference.clone(),
        format!("  {:12} {} ({})", "digest", story.digest, story.media_type),
        format!("  {:12} {}", "audited", story.audited_on),
    ];
    for chapter in &story.chapters {
        lines.push(String::new());
        lines.push(chapter.title.to_owned());
        if chapter.lines.is_empty() {
            lines.push(format!("  {}", chapter.silence));
        }
        lines.extend(chapter.lines.iter().map(told));
    }
    lines.push(String::new());
    lines.push("evidence".to_owned());
    if story.evidence.is_empty() {
        lines.push("  none was found".to_owned());
    }
    lines.extend(story.evidence.iter().map(piece));
    lines.extend(story.unreadable.iter().map(|text| format!("  UNREADABLE {text}")));
    lines.extend(story.problems.iter().map(|text| format!("  PROBLEM  {text}")));
    lines.push(String::new());
    lines.push(verdict(story));
    lines
}

/// What the signatures come to; an audit judges nothing else.
pub(super) fn verdict(story: &Story) -> String {
    let rejected = story.evidence.iter().filter(|piece| !piece.held).count();
    let signed = match (story.signed, story.problems.is_empty()) {
        (true, true) => "signed by one of the keys",
        (true, false) => "signed by one of the keys, but NOT SOUND: see the problems",
        (false, _) => "NOT SIGNED by any of the keys",
    };
    match rejected + story.unreadable.len() {
        0 => signed.to_owned(),
        count => format!("{signed}; {count} of the evidence counts for nothing"),
    }
}

fn told(line: &Line) -> String {
    let digests: Vec<_> = line.evidence.iter().map(|digest| short(digest)).collect();
    let platform = line.platform.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
    format!("  {:12} {platform}{} [held: {}]", line.what, line.text, digests.join(", "))
}

fn piece(piece: &Piece) -> String {
    let what = piece.predicate_type.as_deref().map_or("of no type", short_type);
    let platform = piece.platform.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
    let begin = format!("{} {} {}{platform}", piece.digest, piece.origin, what);
    match (&piece.rejection, &piece.key) {
        (Some(why), _) => format!("  REJECTED {begin}: {why}"),
        (None, key) => format!("  held     {begin}, key {}", key.as_deref().unwrap_or_default()),
    }
}

fn short(digest: &str) -> String {
    let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
    hex.chars().take(SHORT_DIGEST).collect()
}
