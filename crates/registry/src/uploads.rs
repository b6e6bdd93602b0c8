//! Uploads of blobs: monolithic, single-shot, chunked, and mounts from other repositories.
//!
//! An unfinished upload is one file of its repository, so it survives a restart and its length is its state.
//! Only a complete file whose digest is right is renamed into the content store, and only then linked.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{body::Body, response::Response};
use futures::StreamExt as _;
use http::{HeaderMap, StatusCode, header};
use tokio::{
    fs::{self, File, OpenOptions},
    io::{AsyncReadExt as _, AsyncWriteExt as _, BufWriter},
};

use crate::{
    Registry,
    error::{Code, Refusal, Reply},
    name::{Digest, Hasher, Name, UploadId},
    range::{self, Chunk},
    route::Asked,
    store,
};

/// Size of the pieces written to disk, and all the memory one upload needs.
const WRITE_BUFFER: usize = 256 * 1024;

/// The uploads that a request is writing to right now; two writers would mix their bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct ActiveUploads(Arc<Mutex<BTreeSet<UploadId>>>);

/// The right to write to one upload, given back when dropped, also by a broken connection.
pub(crate) struct Lease {
    active: ActiveUploads,
    id: UploadId,
}

impl ActiveUploads {
    pub(crate) fn lease(&self, id: &UploadId) -> Result<Lease, Refusal> {
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone()) {
            return Ok(Lease { active: self.clone(), id: id.clone() });
        }
        Err(Refusal::new(Code::BlobUploadInvalid, "another request is writing to this upload")
            .with_status(StatusCode::CONFLICT))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.active.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

/// POST: mounts, takes a single-shot upload, or opens a session.
pub(crate) async fn start(registry: &Registry, name: &Name, asked: Asked) -> Reply {
    if let Some(mount) = asked.head.query("mount") {
        let digest = Digest::parse(mount)?;
        if is_mountable(registry, asked.head.query("from"), &digest).await? {
            registry.store().write(&registry.store().blob_link(name, &digest), b"").await?;
            return created(name, &digest);
        }
    }
    let id = UploadId::random()?;
    let create = async {
        let path = registry.store().upload(name, &id);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).await?;
        }
        File::create(path).await
    };
    create.await.map_err(Refusal::storage("start an upload"))?;
    if asked.head.query("digest").is_some() && registry.options().single_post {
        return complete(registry, name, &id, asked).await;
    }
    session(StatusCode::ACCEPTED, name, &id, 0)
}

async fn is_mountable(
    registry: &Registry,
    from: Option<&str>,
    digest: &Digest,
) -> Result<bool, Refusal> {
    match from {
        Some(from) if registry.options().mount => {
            Ok(registry.store().blob_size(&Name::parse(from)?, digest).await?.is_some())
        }
        _ => Ok(false),
    }
}

/// GET: tells how far the upload is.
pub(crate) async fn status(registry: &Registry, name: &Name, id: &UploadId) -> Reply {
    let offset = offset(&registry.store().upload(name, id)).await?;
    session(StatusCode::NO_CONTENT, name, id, offset)
}

/// DELETE: forgets the upload.
pub(crate) async fn cancel(registry: &Registry, name: &Name, id: &UploadId) -> Reply {
    if store::remove(&registry.store().upload(name, id)).await? {
        return Response::builder()
            .status(StatusCode::NO_CONTENT)
            .body(Body::empty())
            .map_err(|error| Refusal::response(&error));
    }
    Err(unknown())
}

/// PATCH: appends a chunk.
pub(crate) async fn append(registry: &Registry, name: &Name, id: &UploadId, asked: Asked) -> Reply {
    let path = registry.store().upload(name, id);
    let _lease = registry.active_uploads().lease(id)?;
    let offset = offset(&path).await?;
    let announced = check_chunk(&asked.head.headers, name, id, offset)?;
    let received = receive(&path, asked.body, None).await?;
    if announced.is_some_and(|announced| announced != received) {
        // What was received beyond the announcement must not count.
        truncate(&path, offset).await?;
        return Err(Refusal::new(
            Code::SizeInvalid,
            "the chunk's length is not that of its `Content-Range`",
        ));
    }
    session(StatusCode::ACCEPTED, name, id, offset + received)
}

/// PUT: appends the last bytes, checks the digest, and makes the blob part of the repository.
pub(crate) async fn complete(
    registry: &Registry,
    name: &Name,
    id: &UploadId,
    asked: Asked,
) -> Reply {
    let store = registry.store();
    let path = store.upload(name, id);
    let _lease = registry.active_uploads().lease(id)?;
    let offset = offset(&path).await?;
    let digest = asked
        .head
        .query("digest")
        .ok_or_else(|| Refusal::new(Code::DigestInvalid, "`digest` is missing"))?;
    let digest = Digest::parse(digest)?;
    check_chunk(&asked.head.headers, name, id, offset)?;
    let mut hasher = digest.algorithm().hasher();
    let actual = if offset == 0 {
        receive(&path, asked.body, Some(&mut hasher)).await?;
        hasher.finish()
    } else {
        receive(&path, asked.body, None).await?;
        hash(&path, hasher).await?
    };
    if actual != digest {
        store::remove(&path).await?;
        return Err(Refusal::new(
            Code::DigestInvalid,
            format!("expected {digest}, received {actual}"),
        ));
    }
    store::move_into_place(&path, &store.content(&digest))
        .await
        .map_err(Refusal::storage("store a blob"))?;
    store.write(&store.blob_link(name, &digest), b"").await?;
    created(name, &digest)
}

/// Checks where a chunk says it belongs, and returns how long it says it is.
fn check_chunk(
    headers: &HeaderMap,
    name: &Name,
    id: &UploadId,
    offset: u64,
) -> Result<Option<u64>, Refusal> {
    match range::chunk(headers) {
        Chunk::Unannounced => Ok(None),
        Chunk::At(first, length) if first == offset => Ok(Some(length)),
        Chunk::Malformed => {
            Err(Refusal::new(Code::BlobUploadInvalid, "`Content-Range` is not `<first>-<last>`"))
        }
        Chunk::At(..) => Err(Refusal::new(
            Code::BlobUploadInvalid,
            format!("the upload stands at byte {offset}"),
        )
        .with_status(StatusCode::RANGE_NOT_SATISFIABLE)
        .with_header(header::LOCATION, &location(name, id))
        .with_header(header::RANGE, &progress(offset))),
    }
}

/// Streams a body to the end of the file and returns how many bytes came.
async fn receive(path: &Path, body: Body, mut hasher: Option<&mut Hasher>) -> Result<u64, Refusal> {
    let failed = || Refusal::storage("write an upload");
    let file = OpenOptions::new().append(true).open(path).await.map_err(failed())?;
    let mut file = BufWriter::with_capacity(WRITE_BUFFER, file);
    let mut stream = body.into_data_stream();
    let mut received = 0;
    let mut broken = false;
    while let Some(chunk) = stream.next().await {
        let Ok(chunk) = chunk else {
            broken = true;
            break;
        };
        if let Some(hasher) = hasher.as_deref_mut() {
            hasher.update(&chunk);
        }
        file.write_all(&chunk).await.map_err(failed())?;
        received += chunk.len() as u64;
    }
    file.flush().await.map_err(failed())?;
    if broken {
        return Err(Refusal::new(Code::BlobUploadInvalid, "the request body ended early"));
    }
    file.get_ref().sync_data().await.map_err(failed())?;
    Ok(received)
}

/// Computes the digest of a file that came in several requests.
async fn hash(path: &Path, mut hasher: Hasher) -> Result<Digest, Refusal> {
    let failed = || Refusal::storage("read an upload");
    let mut file = File::open(path).await.map_err(failed())?;
    let mut buffer = vec![0; WRITE_BUFFER];
    loop {
        let length = file.read(&mut buffer).await.map_err(failed())?;
        match buffer.get(..length) {
            None | Some([]) => return Ok(hasher.finish()),
            Some(bytes) => hasher.update(bytes),
        }
    }
}

async fn truncate(path: &Path, length: u64) -> Result<(), Refusal> {
    let truncated =
        async { OpenOptions::new().write(true).open(path).await?.set_len(length).await };
    truncated.await.map_err(Refusal::storage("shorten an upload"))
}

async fn offset(path: &Path) -> Result<u64, Refusal> {
    match fs::metadata(path).await {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(unknown()),
        Err(error) => Err(Refusal::storage("read an upload")(error)),
    }
}

fn unknown() -> Refusal {
    Refusal::new(Code::BlobUploadUnknown, "there is no such upload")
}

fn location(name: &Name, id: &UploadId) -> String {
    format!("/v2/{name}/blobs/uploads/{}", id.as_str())
}

/// Writes what was received as `0-<last>`; nothing at all is `0-0`, as everybody does.
fn progress(offset: u64) -> String {
    format!("0-{}", offset.saturating_sub(1))
}

fn session(status: StatusCode, name: &Name, id: &UploadId, offset: u64) -> Reply {
    let mut response = Response::builder()
        .status(status)
        .header(header::LOCATION, location(name, id))
        .header(header::RANGE, progress(offset))
        .header("docker-upload-uuid", id.as_str());
    if status != StatusCode::NO_CONTENT {
        response = response.header(header::CONTENT_LENGTH, 0);
    }
    response.body(Body::empty()).map_err(|error| Refusal::response(&error))
}

fn created(name: &Name, digest: &Digest) -> Reply {
    Response::builder()
        .status(StatusCode::CREATED)
        .header(header::LOCATION, format!("/v2/{name}/blobs/{digest}"))
        .header(header::CONTENT_LENGTH, 0)
        .header("docker-content-digest", digest.to_string())
        .body(Body::empty())
        .map_err(|error| Refusal::response(&error))
}
