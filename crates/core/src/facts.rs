//! Facts that ARC itself adds to an artifact's parameters: of the order and of the two endpoints.

use std::collections::BTreeMap;

use arc_api::{EndpointSpec, Order};
use kube::ResourceExt;

/// Names of the order's facts. Only ARC sets them: provenance is made of them.
pub const RESERVED_PARAMETERS: [&str; 7] = [
    "artifactName",
    "dryRun",
    "orderCreatedAt",
    "orderGeneration",
    "orderName",
    "orderNamespace",
    "orderUid",
];

/// Namespace of an order that names none, as with every tool of Kubernetes.
const DEFAULT_NAMESPACE: &str = "default";

/// Returns the namespace that the order's references are looked up in.
pub(crate) fn namespace(order: &Order) -> &str {
    order.metadata.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE)
}

/// Returns the facts of the order; what an order on a laptop does not have (uid, generation, age) is empty.
pub(crate) fn of_order(order: &Order, artifact_name: &str) -> BTreeMap<String, String> {
    let created = order.creation_timestamp().map(|time| time.0.to_string());
    let generation = order.metadata.generation.map(|generation| generation.to_string());
    let values = [
        artifact_name.to_owned(),
        order.spec.dry_run.to_string(),
        created.unwrap_or_default(),
        generation.unwrap_or_default(),
        order.name_any(),
        namespace(order).to_owned(),
        order.uid().unwrap_or_default(),
    ];
    RESERVED_PARAMETERS.iter().map(|name| (*name).to_owned()).zip(values).collect()
}

/// Which of the two endpoints of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Where artifacts come from.
    Source,
    /// Where artifacts go to.
    Destination,
}

impl Side {
    /// What the names of its facts begin with.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Source => "src",
            Self::Destination => "dst",
        }
    }

    /// The word for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Destination => "destination",
        }
    }
}

/// Returns the facts of one endpoint.
pub(crate) fn of_endpoint(side: Side, spec: &EndpointSpec) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    let mut add =
        |name: &str, value: String| facts.insert(format!("{}{name}", side.prefix()), value);
    add("Type", spec.type_.clone());
    add("RemoteURL", spec.remote_url.clone());
    add("Secret", spec.secret_ref.is_some().to_string());
    if let Some(bundle) = &spec.ca_bundle {
        add("CaBundle", bundle.clone());
    }
    if spec.insecure_skip_verify {
        add("InsecureSkipVerify", "true".to_owned());
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_names_are_sorted_and_are_the_facts() {
        assert!(RESERVED_PARAMETERS.is_sorted());
        let facts = of_order(&Order::new("demo", arc_api::OrderSpec::default()), "alpine");
        assert_eq!(facts["artifactName"], "alpine");
        assert_eq!(facts["dryRun"], "false");
        assert_eq!(facts["orderName"], "demo");
        assert_eq!(facts["orderNamespace"], "default");
        assert_eq!(facts["orderUid"], "");
    }
}
