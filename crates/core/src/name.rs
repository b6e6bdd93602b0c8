//! Names an artifact workflow after what it delivers: `<order>-<16 hex>`.
//!
//! The hash is SHA-256 over the canonical JSON (RFC 8785) of what decides the delivery and nothing else, so the same
//! wish always finds the same object: key order, white space, credentials, certificates, labels, annotations and the
//! names of artifacts do not change it.
//! The same hash without the order and its schedule tells whether two orders want the same thing: the label `delivery`.
//! The artifact's spec enters in its flattened form, as text: canonical JSON knows numbers only as doubles, and two
//! large numbers must not look the same.

use std::collections::BTreeMap;

use arc_api::{Cron, Order, WorkflowTemplateRef};
use kube::ResourceExt;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::validate::{ValidatedArtifact, ValidatedEndpoint};
use crate::{facts, label};

/// Hexadecimal digits of the hash in a name: 64 bits, so that two deliveries of one order never meet by chance.
const HASH_DIGITS: usize = 16;

/// What is left for the order's name, after `-` and the hash: Argo takes a `CronWorkflow` of at most 52 bytes, because it
/// appends `-` and ten digits for each run. The same eleven bytes hold the number of any attempt.
const MAX_ORDER_BYTES: usize = MAX_NAME_BYTES - HASH_DIGITS - 1;

/// Longest name of an artifact workflow.
const MAX_NAME_BYTES: usize = label::MAX_BYTES - 11;

/// Stands where an order's name has no letter or digit to begin with.
const FALLBACK: &str = "order";

/// Returns the name of the artifact workflow (and of its Argo workflow) that delivers `artifact` for `order`.
///
/// It is a DNS label, whatever the order is called.
pub fn artifact_workflow_name(order: &Order, artifact: &ValidatedArtifact) -> String {
    let own = || format!("{}/{}", facts::namespace(order), order.name_any());
    let identity = Identity {
        order: Some(order.uid().unwrap_or_else(own)),
        cron: artifact.cron.as_ref(),
        ..Identity::of(order, artifact)
    };
    format!("{}-{}", prefix(&order.name_any()), hash(&identity))
}

/// Returns what two orders of one namespace have in common when they want the same thing in the same place.
pub fn delivery(order: &Order, artifact: &ValidatedArtifact) -> String {
    hash(&Identity::of(order, artifact))
}

/// What decides a delivery.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    /// The uid, or on a laptop namespace and name.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<String>,
    #[serde(rename = "type")]
    type_: TypeIdentity<'a>,
    spec: &'a BTreeMap<String, String>,
    source: EndpointIdentity<'a>,
    destination: EndpointIdentity<'a>,
    /// A dry run is no delivery, so the real one after it needs another name.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cron: Option<&'a Cron>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TypeIdentity<'a> {
    name: &'a str,
    is_cluster: bool,
    parameters: BTreeMap<&'a str, &'a str>,
    template: &'a WorkflowTemplateRef,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EndpointIdentity<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    type_: &'a str,
    remote_url: &'a str,
}

impl<'a> Identity<'a> {
    fn of(order: &Order, artifact: &'a ValidatedArtifact) -> Self {
        let artifact_type = &artifact.artifact_type;
        let parameters = artifact_type.spec.parameters.iter();
        Self {
            order: None,
            type_: TypeIdentity {
                name: &artifact_type.name,
                is_cluster: artifact_type.is_cluster,
                parameters: parameters
                    .map(|parameter| (parameter.name.as_str(), parameter.value.as_str()))
                    .collect(),
                template: &artifact_type.spec.workflow_template_ref,
            },
            spec: &artifact.flat_spec,
            source: EndpointIdentity::of(&artifact.source),
            destination: EndpointIdentity::of(&artifact.destination),
            dry_run: order.spec.dry_run,
            cron: None,
        }
    }
}

impl<'a> EndpointIdentity<'a> {
    fn of(endpoint: &'a ValidatedEndpoint) -> Self {
        Self {
            name: &endpoint.name,
            type_: &endpoint.spec.type_,
            remote_url: &endpoint.spec.remote_url,
        }
    }
}

fn hash(identity: &Identity<'_>) -> String {
    let canonical = serde_json_canonicalizer::to_vec(identity)
        .expect("an identity is made of text, booleans and one whole number, which are all JSON");
    short_hash(&canonical)
}

/// The first digits of a SHA-256, enough to tell things of one namespace apart.
pub(crate) fn short_hash(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    let first =
        digest.iter().take(HASH_DIGITS / 2).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    format!("{first:0HASH_DIGITS$x}")
}

/// The order's name as the beginning of a DNS label.
fn prefix(order_name: &str) -> String {
    let lower = order_name.to_ascii_lowercase();
    let plain: String = lower
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(MAX_ORDER_BYTES)
        .collect();
    let trimmed = plain.trim_matches('-');
    if trimmed.is_empty() { FALLBACK.to_owned() } else { trimmed.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_is_the_beginning_of_a_label() {
        for (order, expected) in [
            ("demo", "demo"),
            ("team.demo", "team-demo"),
            ("Team_Demo", "team-demo"),
            ("", "order"),
            ("---", "order"),
            ("ü", "order"),
            ("a".repeat(100).as_str(), "a".repeat(35).as_str()),
            (format!("{}-b", "a".repeat(34)).as_str(), "a".repeat(34).as_str()),
        ] {
            assert_eq!(prefix(order), expected, "{order:?}");
            assert!(label::is_dns_label(&format!("{}-{}", prefix(order), "0".repeat(HASH_DIGITS))));
        }
    }
}
