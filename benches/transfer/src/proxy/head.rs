//! Reads as much of a request's head as it takes to count it and to find its end.

/// How long the body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes; 0 without a body.
    Length(u64),
    /// In chunks.
    Chunks,
}

/// The head of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// Bytes of the head, with the empty line at its end.
    pub(super) length: usize,
    pub(super) framing: Framing,
    method: String,
    about: &'static str,
}

impl Head {
    /// Returns the head, once all of it is there.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let length = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let text = String::from_utf8_lossy(&bytes[..length]);
        let mut lines = text.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, path) = (words.next()?.to_owned(), words.next()?);
        let mut framing = Framing::Length(0);
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case("content-length") {
                framing = Framing::Length(value.trim().parse().ok()?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                framing = Framing::Chunks;
            }
        }
        Some(Self { length, framing, method, about: about(path) })
    }

    /// Returns method and subject, such as `PUT uploads`.
    pub(super) fn subject(&self) -> String {
        format!("{} {}", self.method, self.about)
    }
}

/// What a request is about.
fn about(path: &str) -> &'static str {
    let parts = [
        ("/manifests/", "manifests"),
        ("/blobs/uploads/", "uploads"),
        ("/blobs/", "blobs"),
        ("/tags/list", "tags"),
        ("/referrers/", "referrers"),
        ("/_catalog", "catalog"),
    ];
    parts.iter().find(|(part, _)| path.contains(part)).map_or("ping", |(_, name)| name)
}

/// Returns the length of the line that begins a chunk, and of the chunk itself, once the line is there.
pub(super) fn chunk_length(bytes: &[u8]) -> Option<(usize, usize)> {
    let end = bytes.windows(2).position(|window| window == b"\r\n")?;
    let text = std::str::from_utf8(&bytes[..end]).ok()?;
    let digits = text.split(';').next()?.trim();
    Some((end + 2, usize::from_str_radix(digits, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_once_they_are_complete() {
        let put = "PUT /v2/a/blobs/uploads/1?digest=x HTTP/1.1\r\nHost: r\r\ncontent-LENGTH: 12\r\n\r\nhello";
        let head = Head::parse(put.as_bytes()).unwrap();
        assert_eq!((head.length, head.framing), (put.len() - 5, Framing::Length(12)));
        assert_eq!(head.subject(), "PUT uploads");
        assert_eq!(Head::parse(&put.as_bytes()[..40]), None);
        let patch = b"PATCH /v2/a/blobs/uploads/1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(Head::parse(patch).unwrap().framing, Framing::Chunks);
        let ping = Head::parse(b"GET /v2/ HTTP/1.1\r\n\r\n").unwrap();
        assert_eq!((ping.subject().as_str(), ping.framing), ("GET ping", Framing::Length(0)));
    }

    #[test]
    fn chunks_say_how_long_they_are() {
        for (bytes, expected) in [
            (&b"1f\r\nabc"[..], Some((4, 31))),
            (b"0\r\n\r\n", Some((3, 0))),
            (b"a;x=y\r\n", Some((7, 10))),
            (b"1f", None),
        ] {
            assert_eq!(chunk_length(bytes), expected);
        }
    }
}
