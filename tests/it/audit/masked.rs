//! Masks what differs from run to run, so that a story can be compared as a whole.

use crate::site::advisories;

/// Replaces digests, keys, times, ports and folders; sorts the list of evidence, whose order is that of the digests.
pub(crate) fn masked(text: &str) -> String {
    let text = text.replace(&advisories(), "<advisories>");
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || "+/=:._-".contains(letter);
    let mut masked = String::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let end = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
        masked.push_str(&word(&rest[..end]));
        rest = &rest[end..];
        let start = rest.find(is_word).unwrap_or(rest.len());
        masked.push_str(&rest[..start]);
        rest = &rest[start..];
    }
    let Some((story, evidence)) = masked.split_once("\nevidence\n") else { return masked };
    let (list, verdict) = evidence.split_once("\n\n").unwrap_or((evidence, ""));
    let mut list: Vec<_> = list.lines().collect();
    list.sort_unstable();
    format!("{story}\nevidence\n{}\n\n{verdict}", list.join("\n"))
}

fn word(word: &str) -> String {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(hex) =
        word.split("sha256:").nth(1).filter(|hex| hex.len() >= 64 && is_hex(&hex[..64]))
    {
        return word.replace(&hex[..64], "<hex>");
    }
    if matches!(word.len(), 12 | 64) && is_hex(word) {
        return "<hex>".to_owned();
    }
    if let Some((name, hex)) = word.rsplit_once('-')
        && hex.len() == 16
        && is_hex(hex)
    {
        return format!("{name}-<hash>");
    }
    // The order's own UID is fixed by the site; that of the run is not.
    if word.len() == 36 && word.matches('-').count() == 4 && !word.starts_with("0b0e7e9d") {
        return "<uid>".to_owned();
    }
    if word.len() >= 20 && word.starts_with("20") && word.contains('T') && word.ends_with('Z') {
        return "<time>".to_owned();
    }
    if word.len() == 44 && word.ends_with('=') {
        return "<key>".to_owned();
    }
    match word.split_once("127.0.0.1:") {
        Some((before, after)) => {
            let port = after.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(after.len());
            format!("{before}<host>{}", &after[port..])
        }
        None => word.to_owned(),
    }
}
