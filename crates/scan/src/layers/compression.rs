//! Opens a layer: checks its media type and undoes its compression.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use super::{Error, Layer};

/// What a file system layer may call itself, without the suffix that names the compression.
const LAYER_TYPES: [&str; 4] = [
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar",
];
/// How the compression is appended: OCI with a plus sign, Docker with a dot.
const SUFFIXES: [&str; 5] = ["", "+gzip", "+zstd", ".gzip", ".zstd"];

/// First bytes of a gzip member.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// First bytes of a zstd frame.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Last three of the first four bytes of a skippable zstd frame; the first is 0x50 to 0x5f.
const ZSTD_SKIPPABLE: [u8; 3] = [0x2a, 0x4d, 0x18];
/// Where a POSIX or GNU archive says so in its first header.
const TAR_MAGIC: std::ops::Range<usize> = 257..262;
/// Largest window of a zstd frame, as a power of two: the format's recommended bound for decoders is 8 MiB,
/// what `zstd --ultra` needs is 128 MiB, and more would let a small layer claim much memory.
const MAX_ZSTD_WINDOW: u32 = 27;
/// How much is decompressed at once.
const CHUNK: usize = 64 << 10;
/// One tar header.
const BLOCK: usize = 512;

/// Returns a reader of the uncompressed archive.
///
/// The media type decides whether this is a layer at all; the bytes decide the compression,
/// because that is how container runtimes unpack it.
pub(super) fn open(layer: Layer, number: usize) -> Result<Box<dyn BufRead>, Error> {
    if !is_layer(&layer.media_type) {
        return Err(Error::UnsupportedMediaType { layer: number, media_type: layer.media_type });
    }
    let mut reader = layer.reader;
    let mut start = Vec::with_capacity(BLOCK);
    let read_error = |source| Error::ReadLayer { layer: number, source };
    (&mut reader).take(BLOCK as u64).read_to_end(&mut start).map_err(read_error)?;
    let format = Format::of(&start).ok_or(Error::UnknownFormat { layer: number })?;
    let whole = BufReader::with_capacity(CHUNK, Cursor::new(start).chain(reader));
    Ok(match format {
        Format::Tar => Box::new(whole),
        Format::Gzip => buffered(flate2::bufread::MultiGzDecoder::new(whole)),
        Format::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(whole).map_err(read_error)?;
            decoder.window_log_max(MAX_ZSTD_WINDOW).map_err(read_error)?;
            buffered(decoder)
        }
    })
}

fn buffered(reader: impl Read + 'static) -> Box<dyn BufRead> {
    Box::new(BufReader::with_capacity(CHUNK, reader))
}

fn is_layer(media_type: &str) -> bool {
    // Parameters such as `; charset=…` never occur in layers, so anything but an exact match is refused.
    SUFFIXES.iter().any(|suffix| {
        media_type.strip_suffix(suffix).is_some_and(|base| LAYER_TYPES.contains(&base))
    })
}

enum Format {
    Tar,
    Gzip,
    Zstd,
}

impl Format {
    fn of(start: &[u8]) -> Option<Self> {
        if start.starts_with(&GZIP) {
            Some(Self::Gzip)
        } else if start.starts_with(&ZSTD) || is_skippable_frame(start) {
            Some(Self::Zstd)
        } else if start.get(TAR_MAGIC) == Some(b"ustar")
            || is_empty_archive(start)
            || is_old_archive(start)
        {
            Some(Self::Tar)
        } else {
            None
        }
    }
}

fn is_skippable_frame(start: &[u8]) -> bool {
    matches!(start, [0x50..=0x5f, rest @ ..] if rest.starts_with(&ZSTD_SKIPPABLE))
}

/// An archive without entries is zeros only.
fn is_empty_archive(start: &[u8]) -> bool {
    start.len() == BLOCK && start.iter().all(|byte| *byte == 0)
}

/// Archives from before POSIX have no magic, but their header checks out.
fn is_old_archive(start: &[u8]) -> bool {
    <&[u8; BLOCK]>::try_from(start).is_ok_and(super::entry::checksum_matches)
}

/// Turns the end of the input in the middle of something into an error.
pub(super) fn unexpected_end() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the layer ends before its archive does")
}
