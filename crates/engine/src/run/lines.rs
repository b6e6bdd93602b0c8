//! What a process writes, as events and as a result, in bounded memory.

use std::collections::VecDeque;

use tokio::io::{AsyncRead, AsyncReadExt};

use super::machine::Machine;
use super::outputs::MAX_OUTPUT_BYTES;
use crate::{Event, Stream};

/// Longer lines are cut: nobody reads them, and a program may never end one.
const MAX_LINE_BYTES: usize = 8 * 1024;
/// One read from a pipe.
const CHUNK_BYTES: usize = 16 * 1024;
/// How a step tells its progress.
const PROGRESS: &str = "::progress ";

/// Where the lines of one container go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sink<'run> {
    pub(super) machine: &'run Machine,
    pub(super) node_id: &'run str,
    pub(super) container: &'run str,
}

/// Reads a pipe to its end; returns its last 256 KiB.
pub(super) async fn follow(
    mut pipe: impl AsyncRead + Unpin,
    stream: Stream,
    sink: Sink<'_>,
) -> Vec<u8> {
    let mut tail = VecDeque::new();
    let mut line = Line::default();
    let mut chunk = vec![0; CHUNK_BYTES];
    // A broken pipe ends the output like its end does.
    while let Ok(read @ 1..) = pipe.read(&mut chunk).await {
        let bytes = chunk.get(..read).unwrap_or_default();
        for byte in bytes {
            if let Some(text) = line.push(*byte) {
                sink.send(stream, &text);
            }
        }
        if stream == Stream::Stdout {
            tail.extend(bytes);
            // One byte more than the limit: Argo cuts after it took the last newline away.
            let excess = tail.len().saturating_sub(MAX_OUTPUT_BYTES + 1);
            tail.drain(..excess);
        }
    }
    if let Some(text) = line.finish() {
        sink.send(stream, &text);
    }
    tail.into()
}

impl Sink<'_> {
    fn send(&self, stream: Stream, line: &str) {
        let event = match progress(line).filter(|_| stream == Stream::Stderr) {
            Some((done, total, label)) => Event::Progress {
                node_id: self.node_id.to_owned(),
                done,
                total,
                label: label.to_owned(),
            },
            None => Event::Log {
                node_id: self.node_id.to_owned(),
                container: self.container.to_owned(),
                stream,
                line: line.to_owned(),
            },
        };
        self.machine.recorder.log(event, line.len());
    }
}

/// Reads `::progress <done> <total> <label>`.
fn progress(line: &str) -> Option<(u64, u64, &str)> {
    let mut parts = line.strip_prefix(PROGRESS)?.splitn(3, ' ');
    let done = parts.next()?.parse().ok()?;
    let total = parts.next()?.parse().ok()?;
    Some((done, total, parts.next().unwrap_or_default()))
}

/// A line that is being written.
#[derive(Debug, Default)]
struct Line {
    bytes: Vec<u8>,
    is_cut: bool,
}

impl Line {
    /// Takes a byte; returns the line when it ends it.
    fn push(&mut self, byte: u8) -> Option<String> {
        if byte == b'\n' {
            return Some(self.take());
        }
        if self.bytes.len() < MAX_LINE_BYTES {
            self.bytes.push(byte);
        } else {
            self.is_cut = true;
        }
        None
    }

    /// Returns a last line without an end.
    fn finish(&mut self) -> Option<String> {
        (!self.bytes.is_empty()).then(|| self.take())
    }

    /// Control characters could command the terminal that shows the line.
    fn take(&mut self) -> String {
        let bytes = std::mem::take(&mut self.bytes);
        let text = String::from_utf8_lossy(bytes.strip_suffix(b"\r").unwrap_or(&bytes));
        let mut line: String = text
            .chars()
            .map(|one| if one.is_control() && one != '\t' { '\u{fffd}' } else { one })
            .collect();
        if std::mem::take(&mut self.is_cut) {
            line.push('…');
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<String> {
        let mut line = Line::default();
        let mut lines: Vec<String> = bytes.iter().filter_map(|byte| line.push(*byte)).collect();
        lines.extend(line.finish());
        lines
    }

    #[test]
    fn lines_are_cut_and_cannot_command_a_terminal() {
        assert_eq!(lines(b"a\r\n\nb\tc\nlast"), ["a", "", "b\tc", "last"]);
        assert_eq!(lines(b"\x1b[2Jx\n"), ["\u{fffd}[2Jx"]);
        let long = lines(&vec![b'x'; 1_000_000]);
        assert_eq!(long.len(), 1);
        assert_eq!(long.concat().chars().count(), MAX_LINE_BYTES + 1);
    }

    #[test]
    fn progress_records_are_told_from_logs() {
        assert_eq!(progress("::progress 5 10 pulling alpine 3"), Some((5, 10, "pulling alpine 3")));
        assert_eq!(progress("::progress 5 10"), Some((5, 10, "")));
        for line in ["::progress", "::progress x 10 y", "::progress 5", " ::progress 5 10 z"] {
            assert_eq!(progress(line), None, "{line:?}");
        }
    }
}
