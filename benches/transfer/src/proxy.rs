//! The proxy in front of every registry: it counts requests and bytes, and makes each request slower if asked to.
//!
//! Every tool goes through it, so it shall cost little: it reads the heads of requests, and everything else goes from
//! socket to socket inside the kernel.

mod head;
mod splice;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use serde::Serialize;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};

use self::head::{Framing, Head, chunk_length};
use self::splice::{Pipe, write_all};

/// Heads longer than this come from no tool.
const MAX_HEAD: usize = 64 << 10;

/// What went through since the last look.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Counts {
    /// Requests by method and what they were about, such as `PUT uploads`.
    pub(crate) requests: BTreeMap<String, u64>,
    /// Bytes of request bodies.
    pub(crate) bytes_received: u64,
    /// Bytes of answers, heads included.
    pub(crate) bytes_sent: u64,
}

impl Counts {
    /// Returns the number of all requests.
    pub(crate) fn total(&self) -> u64 {
        self.requests.values().sum()
    }
}

#[derive(Debug)]
struct Shared {
    upstream: String,
    delay: Mutex<Duration>,
    counts: Mutex<Counts>,
}

/// A proxy that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy for `upstream`, such as `127.0.0.1:5000`.
    pub(crate) async fn start(upstream: &str) -> Self {
        let upstream = upstream.to_owned();
        let shared =
            Arc::new(Shared { upstream, delay: Mutex::default(), counts: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(accept(listener, shared.clone()));
        Self { address, shared, server }
    }

    /// Returns `127.0.0.1:<port>`.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// Adds so much to every request from now on.
    pub(crate) fn set_delay(&self, delay: Duration) {
        *self.shared.delay.lock().unwrap() = delay;
    }

    /// Returns what was counted, and counts from nought again.
    pub(crate) fn take_counts(&self) -> Counts {
        std::mem::take(&mut *self.shared.counts.lock().unwrap())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Dropped with this task, and all connections with it.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        connections.spawn(connection(client, shared.clone()));
        while connections.try_join_next().is_some() {}
    }
}

/// Serves one connection with one of its own to the registry; it ends when either side ends, in whichever way.
async fn connection(mut client: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    let mut upstream = TcpStream::connect(&shared.upstream).await?;
    for stream in [&client, &upstream] {
        // Without this, small answers wait for acknowledgements.
        stream.set_nodelay(true)?;
    }
    let (from_client, to_client) = client.split();
    let (from_upstream, to_upstream) = upstream.split();
    let answers = async {
        let pipe = Pipe::new()?;
        loop {
            let length = pipe.carry(from_upstream.as_ref(), to_client.as_ref(), u64::MAX).await?;
            if length == 0 {
                return Ok(());
            }
            shared.counts.lock().unwrap().bytes_sent += length;
        }
    };
    tokio::select! {
        ended = answers => ended,
        ended = requests(from_client, to_upstream.as_ref(), &shared) => ended,
    }
}

/// Carries requests onward, one after the other.
async fn requests(
    mut client: tokio::net::tcp::ReadHalf<'_>,
    upstream: &TcpStream,
    shared: &Shared,
) -> io::Result<()> {
    let pipe = Pipe::new()?;
    let mut read = BytesMut::with_capacity(16 << 10);
    loop {
        let Some(head) = next_head(&mut client, &mut read).await? else { return Ok(()) };
        *shared.counts.lock().unwrap().requests.entry(head.subject()).or_default() += 1;
        let delay = *shared.delay.lock().unwrap();
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        match head.framing {
            Framing::Length(length) => {
                let here = length.min((read.len() - head.length) as u64);
                write_all(upstream, &read[..head.length + usize::try_from(here).unwrap()]).await?;
                read.advance(head.length + usize::try_from(here).unwrap());
                shared.counts.lock().unwrap().bytes_received += here;
                let mut left = length - here;
                while left > 0 {
                    let carried = pipe.carry(client.as_ref(), upstream, left).await?;
                    if carried == 0 {
                        return Ok(());
                    }
                    left -= carried;
                    shared.counts.lock().unwrap().bytes_received += carried;
                }
            }
            Framing::Chunks => {
                write_all(upstream, &read.split_to(head.length)).await?;
                chunks(&mut client, upstream, &mut read, shared).await?;
            }
        }
    }
}

/// Reads until a whole head is there; nothing when the client has ended instead.
async fn next_head(
    client: &mut tokio::net::tcp::ReadHalf<'_>,
    read: &mut BytesMut,
) -> io::Result<Option<Head>> {
    loop {
        if let Some(head) = Head::parse(read) {
            return Ok(Some(head));
        }
        if read.len() > MAX_HEAD || client.read_buf(read).await? == 0 {
            return Ok(None);
        }
    }
}

/// Carries a body in chunks onward as it is written.
async fn chunks(
    client: &mut tokio::net::tcp::ReadHalf<'_>,
    upstream: &TcpStream,
    read: &mut BytesMut,
    shared: &Shared,
) -> io::Result<()> {
    loop {
        let Some((line, length)) = chunk_length(read) else {
            if client.read_buf(read).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            continue;
        };
        // The chunk ends with a line break; the last one is empty, and no tool sends trailers.
        let mut left = line + length + 2;
        while left > 0 {
            if read.is_empty() && client.read_buf(read).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let piece = read.split_to(left.min(read.len()));
            left -= piece.len();
            write_all(upstream, &piece).await?;
        }
        shared.counts.lock().unwrap().bytes_received += length as u64;
        if length == 0 {
            return Ok(());
        }
    }
}
