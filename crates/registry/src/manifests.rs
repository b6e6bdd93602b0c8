//! Reads, takes and deletes manifests. The bytes are kept exactly as they came.
//!
//! A manifest is taken in this order: content, link, referrer entry, tag.
//! So a tag never points to something that is not all there.

use std::collections::BTreeMap;

use axum::{body::Body, response::Response};
use futures::StreamExt as _;
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};

use crate::{
    Registry,
    error::{Code, Refusal, Reply},
    name::{Algorithm, Digest, Name, Reference, Tag},
    referrers::Referrer,
    route::Asked,
    store,
};

/// Largest manifest taken: what the specification says registries should accept at least.
const MAX_MANIFEST: usize = 4 * 1024 * 1024;

/// What a repository knows about one of its manifests.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Link {
    media_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
}

/// The parts of a manifest that a registry looks at; image manifests and indexes alike.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u64,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<Part>,
    layers: Option<Vec<Part>>,
    manifests: Option<Vec<Part>>,
    subject: Option<Part>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    media_type: Option<String>,
    digest: String,
    urls: Option<Vec<String>>,
}

/// Answers GET and HEAD.
pub(crate) async fn read(
    registry: &Registry,
    name: &Name,
    reference: &Reference,
    is_head: bool,
) -> Reply {
    let unknown = || unknown(name, reference);
    let digest = resolve(registry, name, reference).await?.ok_or_else(unknown)?;
    let link = link(registry, name, &digest).await?.ok_or_else(unknown)?;
    let bytes = store::read(&registry.store().content(&digest)).await?.ok_or_else(unknown)?;
    Response::builder()
        .header(header::CONTENT_TYPE, link.media_type)
        .header(header::CONTENT_LENGTH, bytes.len())
        .header("docker-content-digest", digest.to_string())
        .body(if is_head { Body::empty() } else { Body::from(bytes) })
        .map_err(|error| Refusal::response(&error))
}

/// PUT: checks a manifest and makes it part of the repository.
pub(crate) async fn put(
    registry: &Registry,
    name: &Name,
    reference: &Reference,
    asked: Asked,
) -> Reply {
    let bytes = receive(asked.body).await?;
    let digest = match reference {
        Reference::Tag(_) => Digest::of(Algorithm::Sha256, &bytes),
        Reference::Digest(expected) => check_digest(expected, &bytes)?,
    };
    let manifest = parse(&bytes)?;
    let media_type = media_type(&asked.head.headers, &manifest)?;
    if registry.options().check_references {
        check_references(registry, name, &manifest).await?;
    }
    let subject =
        manifest.subject.as_ref().map(|subject| Digest::parse(&subject.digest)).transpose()?;

    let store = registry.store();
    let link = Link { media_type, subject: subject.as_ref().map(Digest::to_string) };
    store.write(&store.content(&digest), &bytes).await?;
    store.write(&store.manifest_link(name, &digest), &to_json(&link)).await?;
    if let Some(subject) = &subject {
        let referrer = referrer(manifest, link.media_type, &digest, bytes.len());
        store.write(&store.referrer(name, subject, &digest), &to_json(&referrer)).await?;
    }
    if let Reference::Tag(tag) = reference {
        store.write(&store.tag(name, tag), digest.to_string().as_bytes()).await?;
    }
    let mut response = Response::builder()
        .status(StatusCode::CREATED)
        .header(header::LOCATION, format!("/v2/{name}/manifests/{digest}"))
        .header(header::CONTENT_LENGTH, 0)
        .header("docker-content-digest", digest.to_string());
    if let Some(subject) = subject.filter(|_| registry.options().referrers_api) {
        response = response.header("oci-subject", subject.to_string());
    }
    response.body(Body::empty()).map_err(|error| Refusal::response(&error))
}

/// DELETE: a tag alone, or a manifest with all its tags and its entry among the referrers.
pub(crate) async fn delete(registry: &Registry, name: &Name, reference: &Reference) -> Reply {
    let store = registry.store();
    match reference {
        Reference::Tag(tag) => {
            if !store::remove(&store.tag(name, tag)).await? {
                return Err(unknown(name, reference));
            }
        }
        Reference::Digest(digest) => {
            let link =
                link(registry, name, digest).await?.ok_or_else(|| unknown(name, reference))?;
            remove_tags(registry, name, digest).await?;
            if let Some(subject) = link.subject {
                store::remove(&store.referrer(name, &Digest::parse(&subject)?, digest)).await?;
            }
            store::remove(&store.manifest_link(name, digest)).await?;
        }
    }
    Response::builder()
        .status(StatusCode::ACCEPTED)
        .header(header::CONTENT_LENGTH, 0)
        .body(Body::empty())
        .map_err(|error| Refusal::response(&error))
}

async fn remove_tags(registry: &Registry, name: &Name, digest: &Digest) -> Result<(), Refusal> {
    for tag in store::list(&registry.store().tags(name)).await?.unwrap_or_default() {
        let Ok(Reference::Tag(tag)) = Reference::parse(&tag) else { continue };
        if resolve_tag(registry, name, &tag).await?.as_ref() == Some(digest) {
            store::remove(&registry.store().tag(name, &tag)).await?;
        }
    }
    Ok(())
}

async fn resolve(
    registry: &Registry,
    name: &Name,
    reference: &Reference,
) -> Result<Option<Digest>, Refusal> {
    match reference {
        Reference::Tag(tag) => resolve_tag(registry, name, tag).await,
        Reference::Digest(digest) => Ok(Some(digest.clone())),
    }
}

async fn resolve_tag(
    registry: &Registry,
    name: &Name,
    tag: &Tag,
) -> Result<Option<Digest>, Refusal> {
    let bytes = store::read(&registry.store().tag(name, tag)).await?;
    bytes.map(|bytes| Digest::parse(&String::from_utf8_lossy(&bytes))).transpose()
}

async fn link(registry: &Registry, name: &Name, digest: &Digest) -> Result<Option<Link>, Refusal> {
    let Some(bytes) = store::read(&registry.store().manifest_link(name, digest)).await? else {
        return Ok(None);
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| Refusal::storage("read a manifest's media type")(error.into()))
}

async fn receive(body: Body) -> Result<Vec<u8>, Refusal> {
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        let Ok(chunk) = chunk else {
            return Err(Refusal::new(Code::ManifestInvalid, "the request body ended early"));
        };
        if bytes.len() + chunk.len() > MAX_MANIFEST {
            return Err(Refusal::new(
                Code::SizeInvalid,
                format!("a manifest has at most {MAX_MANIFEST} bytes"),
            )
            .with_status(StatusCode::PAYLOAD_TOO_LARGE));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn check_digest(expected: &Digest, bytes: &[u8]) -> Result<Digest, Refusal> {
    let actual = Digest::of(expected.algorithm(), bytes);
    if actual == *expected {
        return Ok(actual);
    }
    Err(Refusal::new(Code::DigestInvalid, format!("expected {expected}, received {actual}")))
}

fn parse(bytes: &[u8]) -> Result<Manifest, Refusal> {
    let manifest: Manifest = serde_json::from_slice(bytes).map_err(|error| {
        Refusal::new(Code::ManifestInvalid, format!("the manifest is malformed: {error}"))
    })?;
    if manifest.schema_version == 2 {
        return Ok(manifest);
    }
    Err(Refusal::new(Code::ManifestInvalid, "only manifests of schema version 2 are taken"))
}

/// Returns the media type to serve the manifest with; header and body may not contradict each other.
fn media_type(headers: &HeaderMap, manifest: &Manifest) -> Result<String, Refusal> {
    let header = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let header = header.map(|value| value.split(';').next().unwrap_or(value).trim());
    match (header, manifest.media_type.as_deref()) {
        (Some(header), Some(body)) if header != body => Err(Refusal::new(
            Code::ManifestInvalid,
            format!("`Content-Type` is {header:?}, but the manifest's `mediaType` is {body:?}"),
        )),
        (Some(media_type), _) | (None, Some(media_type)) => Ok(media_type.to_owned()),
        (None, None) => {
            Err(Refusal::new(Code::ManifestInvalid, "the request has no `Content-Type`"))
        }
    }
}

/// Checks that everything a manifest consists of is in the repository; a subject may be missing.
async fn check_references(
    registry: &Registry,
    name: &Name,
    manifest: &Manifest,
) -> Result<(), Refusal> {
    let missing = |what: &str, digest: &Digest| {
        Refusal::new(
            Code::ManifestBlobUnknown,
            format!("{what} {digest} is not in repository {name}"),
        )
    };
    let layers = manifest.layers.iter().flatten();
    for part in manifest.config.iter().chain(layers) {
        let digest = Digest::parse(&part.digest)?;
        let is_elsewhere = part.urls.as_ref().is_some_and(|urls| !urls.is_empty());
        if !is_elsewhere && registry.store().blob_size(name, &digest).await?.is_none() {
            return Err(missing("blob", &digest));
        }
    }
    for child in manifest.manifests.iter().flatten() {
        let digest = Digest::parse(&child.digest)?;
        // A child of a media type that we do not know may well be a blob.
        let is_present = store::is_file(&registry.store().manifest_link(name, &digest)).await?
            || registry.store().blob_size(name, &digest).await?.is_some();
        if !is_present {
            return Err(missing("manifest", &digest));
        }
    }
    Ok(())
}

fn referrer(manifest: Manifest, media_type: String, digest: &Digest, size: usize) -> Referrer {
    let config_type = manifest.config.and_then(|config| config.media_type);
    Referrer {
        media_type,
        digest: digest.to_string(),
        size: size as u64,
        artifact_type: manifest.artifact_type.filter(|kind| !kind.is_empty()).or(config_type),
        annotations: manifest.annotations.unwrap_or_default(),
    }
}

fn to_json(value: &impl Serialize) -> Vec<u8> {
    // Structs of strings, numbers and string maps always serialise.
    serde_json::to_vec(value).unwrap_or_default()
}

fn unknown(name: &Name, reference: &Reference) -> Refusal {
    let reference = match reference {
        Reference::Tag(tag) => tag.as_str().to_owned(),
        Reference::Digest(digest) => digest.to_string(),
    };
    Refusal::new(
        Code::ManifestUnknown,
        format!("there is no manifest {reference} in repository {name}"),
    )
}
