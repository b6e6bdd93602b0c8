//! `GET` of `pods/log`: what containers wrote, as tests say it.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{
    cluster::{Cluster, Content, Reply},
    failure::{Failure, Outcome},
    kind::Kind,
    request::Request,
};

/// What containers wrote, by namespace, pod and container.
#[derive(Debug, Default)]
pub(crate) struct Logs(BTreeMap<(String, String, String), String>);

impl Logs {
    pub(crate) fn set(&mut self, (namespace, pod, container): (&str, &str, &str), text: &str) {
        let key = (namespace.to_owned(), pod.to_owned(), container.to_owned());
        self.0.insert(key, text.to_owned());
    }
}

impl Cluster {
    /// `GET` of what a container wrote; of the options `container`, `tailLines` and `limitBytes` count.
    pub(crate) fn log(&self, request: &Request, kind: &Kind) -> Outcome<Reply> {
        let ((namespace, pod), object) = self.live(request, kind)?;
        let containers = object.value["spec"]["containers"].as_array().cloned().unwrap_or_default();
        let names: Vec<&str> =
            containers.iter().filter_map(|container| container["name"].as_str()).collect();
        let container = match (request.option("container"), names.as_slice()) {
            (Some(wanted), names) if names.contains(&wanted) => wanted,
            (Some(wanted), _) => {
                let message = format!("container {wanted} is not valid for pod {pod}");
                return Err(Failure::bad_request(message));
            }
            (None, [only]) => *only,
            (None, _) => {
                return Err(Failure::bad_request(format!(
                    "a container name must be specified for pod {pod}, choose one of: [{}]",
                    names.join(" ")
                )));
            }
        };
        let key = (namespace, pod, container.to_owned());
        let text = self.logs.0.get(&key).map(String::as_str).unwrap_or_default();
        let number = |name| request.option(name).and_then(|value| value.parse::<usize>().ok());
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        if let Some(most) = number("tailLines") {
            lines.drain(..lines.len().saturating_sub(most));
        }
        let mut bytes = lines.concat().into_bytes();
        bytes.truncate(number("limitBytes").unwrap_or(usize::MAX));
        Ok(Reply { code: 200, content: Content::Text(Bytes::from(bytes)), warnings: Vec::new() })
    }
}
