//! Reads `retryStrategy`.

use super::read_step::expression;
use super::{Backoff, Retry, RetryPolicy};
use crate::expression::Dialect;
use crate::fields::Reader;
use crate::yaml::Node;

/// More tries than this help nobody, and each one is a node of the status.
pub(crate) const MAX_RETRIES: u32 = 100;

/// What a retry expression may ask for.
const NAMES: [&str; 5] = [
    "lastRetry.exitCode",
    "lastRetry.status",
    "lastRetry.message",
    "lastRetry.duration",
    "retries",
];

/// Reads a retry strategy.
pub(super) fn retry(reader: &mut Reader<'_>, node: &Node) -> Option<Retry> {
    let mut fields = reader.map(node, "retryStrategy");
    // Which node of a cluster a retry avoids.
    fields.ignore(&["affinity"]);
    let limit = fields.take("limit").and_then(|node| limit(reader, node));
    let condition = fields.take("expression").and_then(|node| {
        let text = reader.text(node, "retryStrategy.expression")?;
        let parsed = expression(reader, &text, Dialect::Retry, "retryStrategy.expression")?;
        let unknown = parsed.names().into_iter().find(|name| !NAMES.contains(name));
        if let Some(name) = unknown {
            reader.refuse(
                node.at,
                format!("retryStrategy.expression: `{name}` is not supported by `arc run`"),
            );
        }
        Some(parsed)
    });
    let policy = match fields.take("retryPolicy") {
        Some(node) => policy(reader, node)?,
        None if condition.is_some() => RetryPolicy::Always,
        None => RetryPolicy::OnFailure,
    };
    let backoff = fields.take("backoff").and_then(|node| backoff(reader, node));
    reader.finish(fields);
    Some(Retry { limit, policy, backoff, expression: condition })
}

fn limit(reader: &mut Reader<'_>, node: &Node) -> Option<u32> {
    let limit = reader.number::<u32>(node, "retryStrategy.limit")?;
    if limit > MAX_RETRIES {
        reader.refuse(node.at, format!("retryStrategy.limit: {limit} is more than {MAX_RETRIES}"));
    }
    Some(limit)
}

fn policy(reader: &mut Reader<'_>, node: &Node) -> Option<RetryPolicy> {
    Some(match reader.plain(node, "retryPolicy")?.as_str() {
        "Always" => RetryPolicy::Always,
        "OnFailure" => RetryPolicy::OnFailure,
        "OnError" => RetryPolicy::OnError,
        "OnTransientError" => RetryPolicy::OnTransientError,
        other => {
            reader.refuse(
                node.at,
                format!(
                    "retryPolicy: {other:?} is not one of Always, OnFailure, OnError, OnTransientError"
                ),
            );
            return None;
        }
    })
}

fn backoff(reader: &mut Reader<'_>, node: &Node) -> Option<Backoff> {
    let mut fields = reader.map(node, "backoff");
    let duration = fields
        .require(reader, "duration")
        .and_then(|node| reader.duration(node, "backoff.duration"));
    let factor = fields.take("factor").map(|node| reader.number::<u32>(node, "backoff.factor"));
    let cap = fields.take("cap").and_then(|node| reader.duration(node, "backoff.cap"));
    let max_duration =
        fields.take("maxDuration").and_then(|node| reader.duration(node, "backoff.maxDuration"));
    reader.finish(fields);
    Some(Backoff {
        duration: duration?,
        factor: f64::from(factor.flatten().unwrap_or(1).max(1)),
        cap,
        max_duration,
    })
}
