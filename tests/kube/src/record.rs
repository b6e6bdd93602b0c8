//! Every request as it came in, for figures and for questions such as "who wrote what".

use std::{collections::BTreeMap, fmt};

use crate::{request::Request, verb::Verb};

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// 1 for the first request since the start or since the requests were forgotten.
    pub number: usize,
    /// What it does.
    pub verb: Verb,
    /// API group, empty for the core group.
    pub group: String,
    /// Such as `orders` or `orders/status`; the path when the request names no resource.
    pub resource: String,
    /// The namespace of the path.
    pub namespace: Option<String>,
    /// The name of the path.
    pub name: Option<String>,
    /// Who asked.
    pub user: String,
    /// The field manager.
    pub manager: String,
    /// The query without the question mark, sorted by name.
    pub query: BTreeMap<String, String>,
    /// The media type that the body has.
    pub content_type: String,
    /// The media types that the answer may have.
    pub accept: String,
    /// The status answered; `None` while under way and when the connection was closed instead.
    pub status: Option<u16>,
}

impl Recorded {
    pub(crate) fn new(number: usize, request: &Request) -> Self {
        let target = request.target.clone();
        let resource = match &target {
            Some(target) => match &target.subresource {
                Some(subresource) => format!("{}/{subresource}", target.plural),
                None => target.plural.clone(),
            },
            None => request.path.clone(),
        };
        let target = target.unwrap_or_default();
        Self {
            number,
            verb: request.verb,
            group: target.group,
            resource,
            namespace: target.namespace,
            name: target.name,
            user: request.user.clone(),
            manager: request.manager(),
            query: request.query.clone(),
            content_type: request.content_type.clone(),
            accept: request.accept.clone(),
            status: None,
        }
    }

    /// Tells whether it changed something: a write that was answered with success and was no dry run.
    pub fn wrote(&self) -> bool {
        self.verb.is_write()
            && self.status.is_some_and(|status| status < 300)
            && !self.query.contains_key("dryRun")
    }
}

impl fmt::Display for Recorded {
    /// Writes `patch orders/status default/a 200`, with `-` for a closed connection.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        let namespace = self.namespace.as_deref().unwrap_or_default();
        let name = self.name.as_deref().unwrap_or_default();
        write!(formatter, "{} {} {namespace}/{name} {status}", self.verb, self.resource)
    }
}

/// Requests by verb and resource, such as `("patch", "orders/status")`.
pub type Counts = BTreeMap<(Verb, String), usize>;

pub(crate) fn counts(requests: &[Recorded]) -> Counts {
    let mut counts = Counts::new();
    for request in requests {
        *counts.entry((request.verb, request.resource.clone())).or_default() += 1;
    }
    counts
}
