//! Reads `os-release` files (os-release(5)): shell-like assignments that are never evaluated.

use crate::Distribution;

/// Parses an `os-release` file; `None` if it names no distribution.
pub(crate) fn parse(text: &str) -> Option<Distribution> {
    let mut distribution = Distribution::default();
    for line in text.lines() {
        let Some((key, value)) = line.trim().split_once('=') else { continue };
        // The last assignment wins, as in a shell.
        match key {
            "ID" => distribution.id = unquote(value).to_ascii_lowercase(),
            "VERSION_ID" => distribution.version_id = unquote(value),
            "PRETTY_NAME" => distribution.name = unquote(value),
            _ => {}
        }
    }
    if distribution.id.is_empty() {
        return None;
    }
    if distribution.name.is_empty() {
        distribution.name = distribution.to_string();
    }
    Some(distribution)
}

fn unquote(value: &str) -> String {
    let value = value.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|inner| inner.strip_suffix(quote)) {
            return match quote {
                '"' => unescape(inner),
                _ => inner.to_owned(),
            };
        }
    }
    unescape(value)
}

fn unescape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(char) = chars.next() {
        text.extend(if char == '\\' { chars.next() } else { Some(char) });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_release_files_name_their_distribution() {
        let distribution = |id: &str, version_id: &str, name: &str| {
            Some(Distribution { id: id.into(), version_id: version_id.into(), name: name.into() })
        };
        let cases = [
            (
                "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.18.4\nPRETTY_NAME=\"Alpine Linux v3.18\"\n",
                distribution("alpine", "3.18.4", "Alpine Linux v3.18"),
            ),
            ("ID='debian'\nVERSION_ID=\"12\"\r\n", distribution("debian", "12", "debian 12")),
            ("# ID=wrong\nID=Debian\n", distribution("debian", "", "debian")),
            ("ID=debian\nID=alpine\n", distribution("alpine", "", "alpine")),
            ("ID=x\nPRETTY_NAME=\"a \\\"b\\\" \\$c\"\n", distribution("x", "", "a \"b\" $c")),
            ("VERSION_ID=12\n", None),
            ("ID=\"\"\n", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }
}
