//! A plain HTTP client to prepare registries and to look at what is in them, independent of the code under test.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use reqwest::{Body, Certificate};
use rustls::crypto::ring;

use crate::{PASSWORD, USERNAME};

/// A client of one registry.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    has_account: bool,
}

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Client {
    /// Talks to `base`, such as `http://127.0.0.1:5000`, without an account.
    pub fn new(base: impl Into<String>) -> Self {
        Self::with_ca(base, None)
    }

    /// Talks to `base`, trusting only the given authority.
    pub fn with_ca(base: impl Into<String>, ca_pem: Option<&str>) -> Self {
        // Another test of this process may have installed it already.
        let _ = rustls::crypto::CryptoProvider::install_default(ring::default_provider());
        let builder = reqwest::Client::builder().no_proxy();
        let builder = match ca_pem {
            Some(pem) => builder.tls_certs_only([Certificate::from_pem(pem.as_bytes()).unwrap()]),
            None => builder.tls_certs_only([]),
        };
        Self { http: builder.build().unwrap(), base: base.into(), has_account: false }
    }

    /// Sends the harness's account as Basic auth with every request.
    #[must_use]
    pub fn with_account(self) -> Self {
        Self { has_account: true, ..self }
    }

    /// GETs a path such as `/v2/a/manifests/v1`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Bytes::new()).await
    }

    /// HEADs a path.
    pub async fn head(&self, path: &str) -> Answer {
        self.send(Method::HEAD, path, &[], Bytes::new()).await
    }

    /// Sends any request. A path that is a complete URL is used as it is.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let answer = self.try_send(method, path, headers, body).await;
        answer.unwrap_or_else(|error| panic!("failed to reach {path} at {}: {error:?}", self.base))
    }

    /// Like [`Client::send`], but a connection that breaks or a body that ends early is an error to look at.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Result<Answer, reqwest::Error> {
        let url =
            if path.contains("://") { path.to_owned() } else { format!("{}{path}", self.base) };
        let mut request = self.http.request(method, &url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if self.has_account {
            request = request.basic_auth(USERNAME, Some(PASSWORD));
        }
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Answer { status, headers, body: response.bytes().await? })
    }

    /// GETs a path from a server that may break the connection.
    pub async fn try_get(&self, path: &str) -> Result<Answer, reqwest::Error> {
        self.try_send(Method::GET, path, &[], Bytes::new()).await
    }

    /// Pushes a blob of `length` bytes.
    pub async fn put_blob(
        &self,
        repository: &str,
        digest: &str,
        length: u64,
        body: impl Into<Body>,
    ) {
        let uploads = format!("/v2/{repository}/blobs/uploads/");
        let answer = self.send(Method::POST, &uploads, &[], Bytes::new()).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{uploads}: {:?}", answer.body);
        let location = answer.header("location");
        let separator = if location.contains('?') { '&' } else { '?' };
        let location = format!("{location}{separator}digest={digest}");
        let length = length.to_string();
        let headers =
            [("content-type", "application/octet-stream"), ("content-length", length.as_str())];
        let answer = self.send(Method::PUT, &location, &headers, body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{location}: {:?}", answer.body);
    }

    /// Pushes a manifest under a tag or its digest.
    pub async fn put_manifest(
        &self,
        repository: &str,
        reference: &str,
        media_type: &str,
        bytes: Bytes,
    ) {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let answer = self.send(Method::PUT, &path, &[("content-type", media_type)], bytes).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{path}: {:?}", answer.body);
    }

    /// Returns the digest a tag points to, or `None` when there is no such tag.
    pub async fn digest(&self, repository: &str, tag: &str) -> Option<String> {
        let accept = [("accept", crate::images::MANIFEST_TYPES)];
        let path = format!("/v2/{repository}/manifests/{tag}");
        let answer = self.send(Method::HEAD, &path, &accept, Bytes::new()).await;
        match answer.status {
            StatusCode::OK => Some(answer.header("docker-content-digest").to_owned()),
            StatusCode::NOT_FOUND => None,
            status => panic!("{path}: unexpected status {status}"),
        }
    }

    /// Returns the tags of a repository, none when there is no such repository.
    pub async fn tags(&self, repository: &str) -> Vec<String> {
        let answer = self.get(&format!("/v2/{repository}/tags/list")).await;
        let tags = if answer.status == StatusCode::NOT_FOUND {
            Vec::new()
        } else {
            answer.strings("tags")
        };
        let mut tags = tags;
        tags.sort_unstable();
        tags
    }
}

impl Answer {
    /// Returns a header, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Returns the body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn strings(&self, field: &str) -> Vec<String> {
        let json = self.json();
        let values = json[field].as_array().map(Vec::as_slice).unwrap_or_default();
        values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
    }
}
