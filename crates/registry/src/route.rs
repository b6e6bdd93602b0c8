//! Finds out what a request is about, and hands it to the module that answers.
//!
//! Repository names contain slashes, so the address is read from its end.
//! Everything in it is parsed into checked names here; no handler sees raw text.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::{
    Registry, blobs,
    error::{Code, Refusal, Reply},
    lists, manifests,
    name::{Digest, Name, Reference, UploadId},
    referrers, uploads,
};

/// What an address names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Catalog,
    Tags(Name),
    Manifest(Name, Reference),
    Blob(Name, Digest),
    Uploads(Name),
    Upload(Name, UploadId),
    Referrers(Name, Digest),
}

impl Target {
    /// Parses the decoded path after `/v2/`.
    pub(crate) fn parse(path: &str) -> Result<Self, Refusal> {
        let unknown = || {
            Refusal::new(
                Code::Unsupported,
                "this address is not part of the distribution specification",
            )
            .with_status(StatusCode::NOT_FOUND)
        };
        if path == "_catalog" {
            return Ok(Self::Catalog);
        }
        if let Some(name) =
            path.strip_suffix("/blobs/uploads/").or_else(|| path.strip_suffix("/blobs/uploads"))
        {
            return Ok(Self::Uploads(Name::parse(name)?));
        }
        let (rest, last) = path.rsplit_once('/').ok_or_else(unknown)?;
        if let Some(name) = rest.strip_suffix("/blobs/uploads") {
            return Ok(Self::Upload(Name::parse(name)?, UploadId::parse(last)?));
        }
        let (name, kind) = rest.rsplit_once('/').ok_or_else(unknown)?;
        match kind {
            "tags" if last == "list" => Ok(Self::Tags(Name::parse(name)?)),
            "manifests" => Ok(Self::Manifest(Name::parse(name)?, Reference::parse(last)?)),
            "blobs" => Ok(Self::Blob(Name::parse(name)?, Digest::parse(last)?)),
            "referrers" => Ok(Self::Referrers(Name::parse(name)?, Digest::parse(last)?)),
            _ => Err(unknown()),
        }
    }
}

/// A request without its address.
pub(crate) struct Asked {
    pub(crate) head: Head,
    pub(crate) body: Body,
}

/// The parts of a request that handlers may hold while they wait; a body may not be shared like that.
pub(crate) struct Head {
    pub(crate) headers: HeaderMap,
    query: BTreeMap<String, String>,
}

impl Asked {
    fn from_request(request: Request) -> Self {
        let (parts, body) = request.into_parts();
        let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        Self { head: Head { headers: parts.headers, query: query.into_owned().collect() }, body }
    }
}

impl Head {
    /// Returns a query parameter, decoded.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }
}

/// Answers the version check.
pub(crate) async fn version(State(registry): State<Registry>, headers: HeaderMap) -> Response {
    if let Some(Err(refusal)) = registry.account().map(|account| account.check(&headers)) {
        return refusal.into_response();
    }
    let headers = [
        (header::CONTENT_TYPE.as_str(), "application/json"),
        ("docker-distribution-api-version", "registry/2.0"),
    ];
    (headers, "{}").into_response()
}

/// Answers everything below `/v2/`.
pub(crate) async fn dispatch(
    State(registry): State<Registry>,
    Path(path): Path<String>,
    request: Request,
) -> Response {
    let method = request.method().clone();
    let allowed = registry.account().map_or(Ok(()), |account| account.check(request.headers()));
    let reply = match allowed.and_then(|()| Target::parse(&path)) {
        Ok(target) => answer(&registry, &method, target, Asked::from_request(request)).await,
        Err(refusal) => Err(refusal),
    };
    let mut response = reply.unwrap_or_else(IntoResponse::into_response);
    response
        .headers_mut()
        .insert("docker-distribution-api-version", HeaderValue::from_static("registry/2.0"));
    tracing::debug!(%method, path, status = response.status().as_u16(), "registry request");
    response
}

async fn answer(registry: &Registry, method: &Method, target: Target, asked: Asked) -> Reply {
    let verb = method.as_str();
    let options = registry.options();
    let is_upload = matches!(target, Target::Upload(..));
    if verb == "DELETE" && !is_upload && !options.delete {
        return Err(Refusal::new(Code::Unsupported, "nothing is deleted here"));
    }
    match (verb, target) {
        ("GET", Target::Catalog) if !options.catalog => {
            Err(Refusal::new(Code::Unsupported, "repositories are not listed here")
                .with_status(StatusCode::NOT_FOUND))
        }
        ("GET", Target::Catalog) => lists::catalog(registry, &asked.head).await,
        ("GET", Target::Tags(name)) => lists::tags(registry, &name, &asked.head).await,
        ("GET" | "HEAD", Target::Manifest(name, reference)) => {
            manifests::read(registry, &name, &reference, verb == "HEAD").await
        }
        ("PUT", Target::Manifest(name, reference)) => {
            manifests::put(registry, &name, &reference, asked).await
        }
        ("DELETE", Target::Manifest(name, reference)) => {
            manifests::delete(registry, &name, &reference).await
        }
        ("GET" | "HEAD", Target::Blob(name, digest)) => {
            blobs::read(registry, &name, &digest, &asked.head.headers, verb == "HEAD").await
        }
        ("DELETE", Target::Blob(name, digest)) => blobs::delete(registry, &name, &digest).await,
        ("POST", Target::Uploads(name)) => uploads::start(registry, &name, asked).await,
        ("GET", Target::Upload(name, id)) => uploads::status(registry, &name, &id).await,
        ("PATCH", Target::Upload(name, id)) => uploads::append(registry, &name, &id, asked).await,
        ("PUT", Target::Upload(name, id)) => uploads::complete(registry, &name, &id, asked).await,
        ("DELETE", Target::Upload(name, id)) => uploads::cancel(registry, &name, &id).await,
        ("GET", Target::Referrers(name, subject)) => {
            referrers::list(registry, &name, &subject, &asked.head).await
        }
        _ => Err(Refusal::new(Code::Unsupported, format!("{verb} is not supported here"))),
    }
}
