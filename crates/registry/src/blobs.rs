//! Downloads and deletes blobs. Bodies are streamed from disk in bounded pieces.

use std::io::SeekFrom;

use axum::{body::Body, response::Response};
use http::{HeaderMap, StatusCode, header};
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncSeekExt as _},
};
use tokio_util::io::ReaderStream;

use crate::{
    Registry,
    error::{Code, Refusal, Reply},
    name::{Digest, Name},
    range::{self, Wanted},
    store,
};

/// Size of the pieces a file is read in: large enough for throughput, small enough for many downloads at once.
const READ_BUFFER: usize = 256 * 1024;

/// Answers GET and HEAD.
pub(crate) async fn read(
    registry: &Registry,
    name: &Name,
    digest: &Digest,
    headers: &HeaderMap,
    is_head: bool,
) -> Reply {
    let size =
        registry.store().blob_size(name, digest).await?.ok_or_else(|| unknown(name, digest))?;
    let takes_ranges = registry.options().ranges;
    let wanted = if takes_ranges { range::wanted(headers, size) } else { Wanted::Whole };
    let (status, first, length) = match wanted {
        Wanted::Whole => (StatusCode::OK, 0, size),
        Wanted::Part(first, length) => (StatusCode::PARTIAL_CONTENT, first, length),
        Wanted::Unsatisfiable => {
            return Err(Refusal::new(Code::SizeInvalid, format!("the blob has {size} bytes"))
                .with_status(StatusCode::RANGE_NOT_SATISFIABLE)
                .with_header(header::CONTENT_RANGE, &format!("bytes */{size}")));
        }
    };
    let mut response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::CONTENT_LENGTH, length)
        .header(header::ACCEPT_RANGES, if takes_ranges { "bytes" } else { "none" })
        .header("docker-content-digest", digest.to_string());
    if status == StatusCode::PARTIAL_CONTENT {
        let last = first + length - 1;
        response = response.header(header::CONTENT_RANGE, format!("bytes {first}-{last}/{size}"));
    }
    let body =
        if is_head { Body::empty() } else { stream(registry, digest, first, length).await? };
    response.body(body).map_err(|error| Refusal::response(&error))
}

async fn stream(
    registry: &Registry,
    digest: &Digest,
    first: u64,
    length: u64,
) -> Result<Body, Refusal> {
    let open = async {
        let mut file = File::open(registry.store().content(digest)).await?;
        file.seek(SeekFrom::Start(first)).await?;
        Ok(file)
    };
    let file = open.await.map_err(Refusal::storage("open a blob"))?;
    Ok(Body::from_stream(ReaderStream::with_capacity(file.take(length), READ_BUFFER)))
}

/// Removes the blob from this repository only.
pub(crate) async fn delete(registry: &Registry, name: &Name, digest: &Digest) -> Reply {
    if store::remove(&registry.store().blob_link(name, digest)).await? {
        return Response::builder()
            .status(StatusCode::ACCEPTED)
            .header(header::CONTENT_LENGTH, 0)
            .body(Body::empty())
            .map_err(|error| Refusal::response(&error));
    }
    Err(unknown(name, digest))
}

fn unknown(name: &Name, digest: &Digest) -> Refusal {
    Refusal::new(Code::BlobUnknown, format!("there is no blob {digest} in repository {name}"))
}
