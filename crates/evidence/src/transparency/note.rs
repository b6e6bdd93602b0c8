//! Checkpoints: signed notes (C2SP) that state a log's size and root.

use super::{Error, LogKey, merkle::Hash};
use crate::{encoding, limits};

const BLANK_LINE: &str = "\n\n";
/// How each signature line starts: an em dash and a space.
const SIGNATURE_START: &str = "\u{2014} ";

/// What a log signed about its tree. Reading one proves nothing; [`Checkpoint::verify`] does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the log.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// Hash of the whole tree.
    pub root: [u8; 32],
    text: String,
    signatures: Vec<NoteSignature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct NoteSignature {
    name: String,
    hint: [u8; 4],
    signature: Vec<u8>,
}

impl Checkpoint {
    /// Reads a checkpoint.
    pub fn parse(note: &str) -> Result<Self, Error> {
        let invalid = |why| Error::ParseCheckpoint { why };
        if note.len() > limits::MAX_CHECKPOINT {
            return Err(invalid("it is longer than any checkpoint"));
        }
        if note.chars().any(|c| c.is_ascii_control() && c != '\n') {
            return Err(invalid("it contains control characters"));
        }
        let at =
            note.rfind(BLANK_LINE).ok_or(invalid("it has no blank line before its signatures"))?;
        let (text, rest) = (&note[..=at], &note[at + BLANK_LINE.len()..]);
        let lines = rest.strip_suffix('\n').ok_or(invalid("its last line does not end"))?;
        let signatures = lines
            .split('\n')
            .take(limits::MAX_CHECKPOINT_SIGNATURES)
            .map(|line| signature(line).ok_or(invalid("one of its signature lines is malformed")))
            .collect::<Result<_, _>>()?;
        let mut head = text.lines();
        let (Some(origin), Some(size), Some(root)) = (head.next(), head.next(), head.next()) else {
            return Err(invalid("it has fewer than three lines"));
        };
        if origin.is_empty() {
            return Err(invalid("its first line, the log's name, is empty"));
        }
        let size = size
            .parse()
            .ok()
            // No sign and no leading zeros: one number has one spelling.
            .filter(|parsed: &u64| parsed.to_string() == size)
            .ok_or(invalid("its second line is not the number of leaves"))?;
        let root: Hash = encoding::decode_base64(root)
            .and_then(|root| root.try_into().ok())
            .ok_or(invalid("its third line is not base64 of a SHA-256 hash"))?;
        Ok(Self { origin: origin.to_owned(), size, root, text: text.to_owned(), signatures })
    }

    /// Returns the first of the keys that signed the checkpoint.
    pub fn verify<'a>(&self, keys: &'a [LogKey]) -> Result<&'a LogKey, Error> {
        // Witnesses sign beside the log, under their own names.
        let own: Vec<_> = self.signatures.iter().filter(|line| self.is_named(&line.name)).collect();
        let signed_by = |key: &&LogKey| {
            own.iter().any(|line| {
                key.note_id(&line.name).starts_with(&line.hint)
                    && key.verifies(self.text.as_bytes(), &line.signature)
            })
        };
        keys.iter().find(signed_by).ok_or(Error::VerifyCheckpoint { keys: keys.len() })
    }

    /// Whether the log signs under this name: its own, which with v1 is followed by the number of the tree.
    fn is_named(&self, name: &str) -> bool {
        let rest = self.origin.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" - "))
    }
}

fn signature(line: &str) -> Option<NoteSignature> {
    let (name, encoded) = line.strip_prefix(SIGNATURE_START)?.split_once(' ')?;
    let bytes = encoding::decode_base64(encoded)?;
    let (hint, signature) = bytes.split_first_chunk()?;
    let well_formed = !name.is_empty() && !signature.is_empty();
    well_formed.then(|| NoteSignature {
        name: name.to_owned(),
        hint: *hint,
        signature: signature.to_vec(),
    })
}
