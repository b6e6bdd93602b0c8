//! From socket to socket without a copy in this process.

use std::io;
use std::os::fd::OwnedFd;

use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// How much is under way at most, in bytes.
const CAPACITY: usize = 256 << 10;

/// A pipe in the kernel that bytes go through.
#[derive(Debug)]
pub(super) struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
}

impl Pipe {
    pub(super) fn new() -> io::Result<Self> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        // Where the system allows less, it takes more turns.
        let _ = fcntl_setpipe_size(&write, CAPACITY);
        Ok(Self { read, write })
    }

    /// Carries what there is, at most `limit` bytes, and returns how much that was; 0 at the end.
    pub(super) async fn carry(
        &self,
        from: &TcpStream,
        to: &TcpStream,
        limit: u64,
    ) -> io::Result<u64> {
        let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(CAPACITY);
        let taken = from
            .async_io(Interest::READABLE, || {
                Ok(splice(from, None, &self.write, None, limit, flags)?)
            })
            .await?;
        let mut left = taken;
        while left > 0 {
            left -= to
                .async_io(Interest::WRITABLE, || {
                    Ok(splice(&self.read, None, to, None, left, flags)?)
                })
                .await?;
        }
        Ok(taken as u64)
    }
}

/// Writes all of `bytes`.
pub(super) async fn write_all(to: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        to.writable().await?;
        match to.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
