//! The PEM text form: finds blocks, writes one. Leaves the content to the caller.

use zeroize::Zeroizing;

use super::Error;
use crate::{encoding, limits};

/// One `BEGIN`…`END` block.
pub(super) struct Block {
    /// What stands after `BEGIN`.
    pub(super) label: String,
    /// The decoded bytes, wiped when dropped.
    pub(super) content: Zeroizing<Vec<u8>>,
}

/// Returns all blocks of a file in order; text around them is ignored.
pub(super) fn blocks(text: &str) -> Result<Vec<Block>, Error> {
    if text.len() > limits::MAX_KEY_FILE {
        return Err(Error::KeyFileTooLarge { size: text.len(), limit: limits::MAX_KEY_FILE });
    }
    let mut blocks = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let Some(label) =
            line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----"))
        else {
            continue;
        };
        let end = format!("-----END {label}-----");
        let mut body = Zeroizing::new(String::with_capacity(text.len()));
        loop {
            match lines.next() {
                None => return Err(Error::ParsePem { why: "a PEM block has no end line" }),
                Some(line) if line == end => break,
                Some(line) => body.push_str(line),
            }
        }
        let content = encoding::decode_base64(&body).ok_or(Error::ParsePem {
            why: "the base64 inside a PEM block is broken, or the block has headers",
        })?;
        blocks.push(Block { label: label.to_owned(), content: Zeroizing::new(content) });
    }
    if blocks.is_empty() {
        return Err(Error::ParsePem { why: "there is no PEM block in it" });
    }
    Ok(blocks)
}

/// Returns a block with lines of 64 characters, as cosign and OpenSSL write it.
pub(super) fn encode(label: &str, content: &[u8]) -> String {
    let body = encoding::base64(content);
    let mut text = format!("-----BEGIN {label}-----\n");
    for start in (0..body.len()).step_by(64) {
        text.push_str(&body[start..body.len().min(start + 64)]);
        text.push('\n');
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}
