//! `PATCH`: merge patch, JSON patch, strategic merge patch, server-side apply.

mod apply;
mod json_patch;
mod merge;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    cluster::{Cluster, Reply},
    draft::{Draft, decode},
    failure::{Cause, Failure, Outcome},
    kind::Kind,
    request::Request,
};

/// Operations that one JSON patch may have, as in the real server.
const OPERATIONS_MAX: usize = 10_000;

impl Cluster {
    /// `PATCH`, by the media type of the body.
    pub(crate) fn patch(&mut self, request: &Request, kind: &Arc<Kind>) -> Outcome<Reply> {
        let media_type = request.media_type();
        let strategic = media_type == "application/strategic-merge-patch+json" && !kind.is_custom();
        match media_type {
            "application/apply-patch+yaml" => return self.apply(request, kind),
            "application/json-patch+json" | "application/merge-patch+json" => {}
            _ if strategic => {}
            _ => return Err(unsupported(kind)),
        }
        let (key, live) = self.live(request, kind)?;
        let patch = request.json()?;
        let patched = match media_type {
            "application/json-patch+json" => operations(&live.value, &patch)?,
            "application/merge-patch+json" => merge::merged(&live.value, &patch),
            _ => merge::strategic(&live.value, &patch, &kind.schema),
        };
        let (value, warnings) = decode(request, kind, patched).map_err(|failure| {
            if failure.code() != 400 || request.option("fieldValidation") != Some("Strict") {
                return failure;
            }
            let message = failure.to_value()["message"].as_str().unwrap_or_default().to_owned();
            let error = message.split_once("handled as").map_or("", |(_, rest)| rest);
            let error = error.split_once(": ").map_or("", |(_, rest)| rest);
            let cause = Cause::invalid("patch", format!("{patch}: {error}"));
            Failure::invalid(&kind.kind, &kind.group, &key.1, &[cause])
        })?;
        self.update(request, kind, (&key, &live), Draft { value, managers: None, warnings })
    }
}

fn operations(live: &Value, patch: &Value) -> Outcome<Value> {
    let list = patch.as_array().map(Vec::as_slice).unwrap_or_default();
    if list.len() > OPERATIONS_MAX {
        let message = format!(
            "The allowed maximum operations in a JSON patch is {OPERATIONS_MAX}, got {}",
            list.len()
        );
        return Err(Failure::new(413, "RequestEntityTooLarge", message));
    }
    json_patch::patched(live, list).ok_or_else(|| {
        // The real server hides which operation it was.
        Failure::new(
            422,
            "Invalid",
            "the server rejected our request due to an error in our request",
        )
        .with_details(json!({}))
    })
}

fn unsupported(kind: &Kind) -> Failure {
    let strategic = if kind.is_custom() { "" } else { "application/strategic-merge-patch+json, " };
    Failure::new(
        415,
        "UnsupportedMediaType",
        format!(
            "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, {strategic}application/apply-patch+yaml"
        ),
    )
}
