//! A big layer of random bytes that is made piece by piece, as often as needed.

use std::io::Write as _;

use bytes::Bytes;
use flate2::{Compression, GzBuilder};

use crate::images::files::header;

/// Size of a piece.
const PIECE: usize = 1 << 20;
/// Two empty blocks end a tar.
const TRAILER: usize = 1024;
/// An odd constant with well-mixed bits, so that neighbouring seeds give different bytes.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The recipe of a layer with one file `random.bin`.
#[derive(Debug, Clone)]
pub(crate) struct RandomTar {
    file_size: u64,
    seed: u64,
    header: Bytes,
}

impl RandomTar {
    /// Plans a file of `file_size` bytes, a multiple of a mebibyte.
    pub(crate) fn new(file_size: u64, seed: u64) -> Self {
        let mut header = header(file_size);
        header.set_path("random.bin").unwrap();
        header.set_cksum();
        Self { file_size, seed, header: Bytes::copy_from_slice(header.as_bytes()) }
    }

    /// Makes the layer: the tar in gzip's stored form, which needs no time and is the same everywhere.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Bytes> + Send + 'static {
        let mut encoder = Some(GzBuilder::new().mtime(0).write(Vec::new(), Compression::none()));
        let end = std::iter::once(None);
        let pieces =
            self.tar().map(Some).chain(end).map(move |piece| match (piece, encoder.as_mut()) {
                (Some(piece), Some(open)) => {
                    open.write_all(&piece).unwrap();
                    Bytes::from(std::mem::take(open.get_mut()))
                }
                _ => encoder
                    .take()
                    .map_or_else(Bytes::new, |encoder| encoder.finish().unwrap().into()),
            });
        pieces.filter(|piece| !piece.is_empty())
    }

    /// Makes the tar, one piece at a time.
    pub(crate) fn tar(&self) -> impl Iterator<Item = Bytes> + Send + 'static {
        let mut state = self.seed.wrapping_add(1).wrapping_mul(SPREAD) | 1;
        let n_pieces = self.file_size >> 20;
        let random = (0..n_pieces).map(move |_| {
            let mut piece = Vec::with_capacity(PIECE);
            while piece.len() < PIECE {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                piece.extend_from_slice(&state.to_le_bytes());
            }
            Bytes::from(piece)
        });
        std::iter::once(self.header.clone())
            .chain(random)
            .chain([Bytes::from_static(&[0; TRAILER])])
    }
}
