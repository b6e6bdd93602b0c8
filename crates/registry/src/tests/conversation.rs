//! What all conversations need: a registry in a fresh folder, requests, and answers as values.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

use axum::body::Body;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::{
    Options, Registry,
    name::{Algorithm, Digest},
};

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A registry and its folder.
pub(crate) struct Wire {
    pub(crate) registry: Registry,
    pub(crate) folder: TempDir,
}

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Returns a header, or an empty text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Returns the status and the specification's error code.
    pub(crate) fn refusal(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["errors"][0]["code"].as_str().unwrap().to_owned())
    }
}

impl Wire {
    pub(crate) fn new() -> Self {
        Self::with_options(Options::default())
    }

    pub(crate) fn with_options(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { registry: Registry::open(folder.path()).unwrap().with_options(options), folder }
    }

    pub(crate) async fn send(&self, method: &str, uri: &str) -> Answer {
        self.send_with(method, uri, &[], b"").await
    }

    pub(crate) async fn send_with(
        &self,
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let request = headers
            .iter()
            .fold(Request::builder().method(method).uri(uri), |request, (name, value)| {
                request.header(*name, *value)
            });
        let request = request.body(Body::from(body.into())).unwrap();
        let response = self.registry.router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Opens an upload and returns its location.
    pub(crate) async fn open_upload(&self, name: &str) -> String {
        let answer = self.send("POST", &format!("/v2/{name}/blobs/uploads/")).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        answer.header("location").to_owned()
    }

    /// Uploads a blob the usual way and returns its digest.
    pub(crate) async fn push_blob(&self, name: &str, bytes: &[u8]) -> String {
        let location = self.open_upload(name).await;
        let digest = sha256(bytes);
        let answer =
            self.send_with("PUT", &format!("{location}?digest={digest}"), &[], bytes).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        digest
    }

    pub(crate) async fn push_manifest(
        &self,
        name: &str,
        reference: &str,
        kind: &str,
        bytes: &[u8],
    ) -> Answer {
        let headers = [(header::CONTENT_TYPE.as_str(), kind)];
        self.send_with("PUT", &format!("/v2/{name}/manifests/{reference}"), &headers, bytes).await
    }

    /// Pushes an image of one small layer and returns the manifest's bytes.
    pub(crate) async fn push_image(&self, name: &str, reference: &str) -> Vec<u8> {
        let config = self.push_blob(name, b"{}").await;
        let layer = self.push_blob(name, b"layer").await;
        let manifest = image(&config, &layer, None);
        let answer = self.push_manifest(name, reference, MANIFEST, &manifest).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        manifest
    }
}

/// Writes an image manifest, with a subject when one is given.
pub(crate) fn image(config: &str, layer: &str, subject: Option<&str>) -> Vec<u8> {
    let mut manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2 },
        "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": 5 }],
    });
    if let Some(subject) = subject {
        manifest["subject"] =
            serde_json::json!({ "mediaType": MANIFEST, "digest": subject, "size": 2 });
    }
    serde_json::to_vec(&manifest).unwrap()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Digest::of(Algorithm::Sha256, bytes).to_string()
}

pub(crate) fn sha512(bytes: &[u8]) -> String {
    Digest::of(Algorithm::Sha512, bytes).to_string()
}
