//! What a request asks for: verb, resource, options.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Method, Uri, header};
use serde_json::Value;

use crate::{
    failure::{Failure, Outcome},
    verb::Verb,
};

/// Who a request comes from when nothing else is said; may do everything.
pub(crate) const ADMIN: &str = "system:admin";
/// Letters of a manager's name that come from a user agent.
const MANAGER_MAX: usize = 128;

/// A path under `/api` or `/apis` that names a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) plural: String,
    pub(crate) namespace: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) subresource: Option<String>,
}

impl Target {
    /// Reads a path; `None` when it names no resource, as discovery paths do.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let mut parts = path.trim_matches('/').split('/').map(str::to_owned);
        let group = match parts.next()?.as_str() {
            "api" => String::new(),
            "apis" => parts.next()?,
            _ => return None,
        };
        let version = parts.next()?;
        let rest: Vec<String> = parts.collect();
        let (namespace, rest) = match rest.as_slice() {
            [word, namespace, rest @ ..] if word == "namespaces" && is_inside(rest) => {
                (Some(namespace.clone()), rest)
            }
            rest => (None, rest),
        };
        let mut rest = rest.iter().cloned();
        let plural = rest.next()?;
        let (name, subresource) = (rest.next(), rest.next());
        rest.next().is_none().then_some(())?;
        Some(Self { group, version, plural, namespace, name, subresource })
    }
}

/// `namespaces/<name>/status` is a namespace, `namespaces/<name>/secrets` is something in it.
fn is_inside(rest: &[String]) -> bool {
    rest.first().is_some_and(|word| !matches!(word.as_str(), "status" | "finalize"))
}

/// A request, taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) verb: Verb,
    pub(crate) path: String,
    pub(crate) target: Option<Target>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) user: String,
    pub(crate) agent: String,
    pub(crate) accept: String,
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
}

impl Request {
    /// Takes the head of a request apart; the body comes later.
    pub(crate) fn new(method: &Method, uri: &Uri, headers: &HeaderMap) -> Self {
        let text = |name| -> String {
            headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let query = uri.query().unwrap_or_default();
        let query: BTreeMap<String, String> =
            form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let target = Target::parse(uri.path());
        let named = target.as_ref().is_some_and(|target| target.name.is_some());
        let watch = matches!(query.get("watch").map(String::as_str), Some("1" | "true"));
        let user = headers.get("impersonate-user").and_then(|value| value.to_str().ok());
        Self {
            verb: Verb::of(method, named, watch),
            path: uri.path().to_owned(),
            target,
            query,
            user: user.unwrap_or(ADMIN).to_owned(),
            agent: text(header::USER_AGENT),
            accept: text(header::ACCEPT),
            content_type: text(header::CONTENT_TYPE),
            body: Bytes::new(),
        }
    }

    /// An option of the query; empty counts as absent.
    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.option(name), Some("true" | "1"))
    }

    pub(crate) fn is_dry_run(&self) -> bool {
        self.option("dryRun") == Some("All")
    }

    /// Who owns what this request writes.
    pub(crate) fn manager(&self) -> String {
        if let Some(manager) = self.option("fieldManager") {
            return manager.to_owned();
        }
        let prefix = self.agent.split('/').next().unwrap_or_default();
        let prefix: String = prefix.chars().take(MANAGER_MAX).collect();
        if prefix.is_empty() { "unknown".to_owned() } else { prefix }
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Outcome<Value> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Failure::bad_request(format!("the body of the request is not JSON: {error}"))
        })
    }

    /// What the body of a delete says; `Null` when there is none.
    pub(crate) fn delete_options(&self) -> Outcome<Value> {
        if self.body.is_empty() { Ok(Value::Null) } else { self.json() }
    }

    /// The media type of the body, without parameters.
    pub(crate) fn media_type(&self) -> &str {
        self.content_type.split(';').next().unwrap_or_default().trim()
    }

    pub(crate) fn subresource(&self) -> &str {
        self.target.as_ref().and_then(|target| target.subresource.as_deref()).unwrap_or_default()
    }
}
