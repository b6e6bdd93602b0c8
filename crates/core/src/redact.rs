//! Takes out of logs what looks like a secret: nothing of the controller knows one, so it goes by pattern.
//!
//! In doubt it takes out too much: a status is readable by many more people than a Secret.

use std::sync::LazyLock;

use regex::Regex;

/// Stands where something was taken out.
const REDACTED: &str = "[redacted]";

/// Longest log that is looked through, in bytes from its end: what is kept of it is far shorter.
const MAX_BYTES: usize = 64 * 1024;

/// Each pattern with what stands for it.
static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let patterns = [
        // Private keys, also those whose beginning or end is cut off.
        (
            r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)",
            REDACTED,
        ),
        (r"(?s)\A.*-----END [A-Z0-9 ]*PRIVATE KEY-----", REDACTED),
        // User name and password in an address.
        (r"(://)[^/\s@]+@", "$1[redacted]@"),
        // Headers, and what stands in them.
        (r"(?i)((?:proxy-)?authorization\W{1,4})(?:[a-z]+\s+)?[^\s,;]+", "$1[redacted]"),
        (r"(?i)\b((?:set-)?cookie\s*:\s*)[^\r\n]+", "$1[redacted]"),
        (r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}", "$1 [redacted]"),
        // Tokens that show what they are.
        (r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){1,4}", REDACTED),
        (
            r"\b(?:gh[pousr]_|github_pat_|glpat-|dckr_pat_|dckr_oat_|npm_|xox[abprs]-|sk-|hvs\.|AKIA|ASIA)[A-Za-z0-9_.-]{12,}",
            REDACTED,
        ),
        // Signed addresses, as registries redirect to.
        (
            r"(?i)([?&](?:x-(?:amz|goog)-(?:signature|credential|security-token)|sig|signature|key-pair-id|policy)=)[^&\s]+",
            "$1[redacted]",
        ),
        // `password=…`, `"auth": "…"`, `DST_TOKEN: …`.
        (
            r#"(?i)((?:passw(?:or)?d|passphrase|pwd|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credentials?|["']auth["'])[a-z0-9_-]*["']?\s*[:=]\s*)(?:"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,;&}\]]+)"#,
            "$1[redacted]",
        ),
    ];
    let compile = |(pattern, instead)| {
        (Regex::new(pattern).expect("the patterns are constants, and a test uses them"), instead)
    };
    patterns.map(compile).into()
});

/// Returns the end of `text` with everything that looks like a secret replaced by `[redacted]`.
pub fn redact(text: &str) -> String {
    let long = text.len().saturating_sub(MAX_BYTES);
    let start = (long..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(long);
    PATTERNS.iter().fold(text[start..].to_owned(), |text, (pattern, instead)| {
        pattern.replace_all(&text, *instead).into_owned()
    })
}

/// Returns the last lines of `text`: at most `max_lines` of them and at most `max_bytes` bytes, without empty lines and
/// without what moves a terminal's cursor.
pub fn tail(text: &str, max_lines: usize, max_bytes: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut left = max_bytes;
    for line in text.lines().rev() {
        let line = printable(line);
        if line.is_empty() {
            continue;
        }
        // The line break before it counts too.
        let room = left.saturating_sub(usize::from(!lines.is_empty()));
        if lines.len() == max_lines || room == 0 {
            break;
        }
        let fits = (0..=room.min(line.len())).rev().find(|at| line.is_char_boundary(*at));
        let fits = fits.unwrap_or_default();
        left = room - fits;
        let is_whole = fits == line.len();
        // The end of a line is worth less than its beginning, so that is what stays of one that does not fit.
        lines.push(line[..fits].to_owned());
        if !is_whole {
            break;
        }
    }
    lines.reverse();
    lines.join("\n")
}

/// A line without escape sequences and other control characters.
fn printable(line: &str) -> String {
    let mut printable = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            // `ESC [ … letter`; anything else is at most one character long.
            if chars.next() == Some('[') {
                _ = chars.find(char::is_ascii_alphabetic);
            }
        } else if c == '\t' || !c.is_control() {
            printable.push(c);
        }
    }
    printable.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_taken_out() {
        for (line, expected) in [
            (
                "GET https://robot:s3cret@harbor.example/v2/",
                "GET https://[redacted]@harbor.example/v2/",
            ),
            ("Authorization: Basic cm9ib3Q6czNjcmV0", "Authorization: [redacted]"),
            ("authorization\": \"Bearer abc.def\"", "authorization\": \"[redacted]"),
            ("sent bearer abcdefgh12345678", "sent bearer [redacted]"),
            ("Cookie: session=1; other=2", "Cookie: [redacted]"),
            ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln from it", "got [redacted] from it"),
            ("push with ghp_0123456789abcdefghij failed", "push with [redacted] failed"),
            ("AKIAIOSFODNN7EXAMPLE is unknown", "[redacted] is unknown"),
            (
                "307 to https://cdn.example/blob?X-Amz-Date=1&X-Amz-Signature=abc&b=2",
                "307 to https://cdn.example/blob?X-Amz-Date=1&X-Amz-Signature=[redacted]&b=2",
            ),
            ("password=hunter2 user=a", "password=[redacted] user=a"),
            ("DST_PASSWORD: \"a b\\\" c\" next", "DST_PASSWORD: [redacted] next"),
            (
                "{\"auths\":{\"a\":{\"auth\":\"cm9ib3Q6\"}}}",
                "{\"auths\":{\"a\":{\"auth\":[redacted]}}}",
            ),
            ("identityToken='x y'", "identityToken=[redacted]"),
            ("api-key = 12345", "api-key = [redacted]"),
        ] {
            assert_eq!(redact(line), expected, "{line}");
        }
    }

    #[test]
    fn private_keys_go_whole_even_when_they_are_cut() {
        let key = "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nabc\ndef\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----";
        assert_eq!(redact(&format!("a\n{key}\nb")), "a\n[redacted]\nb");
        assert_eq!(redact(&format!("a\n{}", &key[..50])), "a\n[redacted]");
        assert_eq!(redact(&key[50..]), REDACTED);
        let far = format!("{key}{}", "\nx".repeat(MAX_BYTES));
        assert!(!redact(&far).contains("abc"));
    }

    #[test]
    fn what_an_operator_needs_stays() {
        for line in [
            "error: failed to push harbor.example/team-a/alpine@sha256:0a1b: 401 UNAUTHORIZED: authentication required",
            "hint: the secret \"harbor\" has no key `username`",
            "scan found 1 critical in openssl 3.1.0 (CVE-2024-0001)",
            "sha256:9b2cdd412f6a9a9f1a3f5e2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d",
            "skopeo: basic usage of the tool",
        ] {
            assert_eq!(redact(line), line);
        }
    }

    #[test]
    fn the_tail_is_bounded_and_plain() {
        assert_eq!(tail("a\nb\n\nc\n", 2, 100), "b\nc");
        assert_eq!(tail("a\r\n\u{1b}[31mred\u{1b}[0m\u{7}\n", 9, 100), "a\nred");
        assert_eq!(tail("aaaa\nbbbb\ncccc", 9, 7), "bb\ncccc");
        assert_eq!(tail("äöü", 9, 3), "ä");
        assert_eq!(tail("", 9, 9), "");
        let long = tail(&"0123456789\n".repeat(1000), 1000, 2048);
        assert!(long.len() <= 2048 && long.ends_with("0123456789"), "{}", long.len());
    }
}
