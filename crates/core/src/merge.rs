//! Merges the layers of parameters: the one place where precedence is written.
//!
//! `ArtifactType` over artifact spec over endpoint facts. The facts of the order stand above all, because provenance is
//! made of them: their names are reserved and validation refuses a type that sets one.

use std::collections::BTreeMap;

/// Where a parameter's value comes from, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// A fact of the source or destination endpoint.
    Endpoint,
    /// The artifact's `spec`.
    Artifact,
    /// The parameters of the (cluster) artifact type.
    ArtifactType,
    /// A fact of the order; nothing overrides it.
    Order,
}

impl Layer {
    /// Returns the layer's name for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::Artifact => "artifact",
            Self::ArtifactType => "artifact type",
            Self::Order => "order",
        }
    }
}

/// One parameter of a delivery, with what it overrides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedParameter {
    /// Name, unique within the delivery.
    pub name: String,
    /// Value that the steps see.
    pub value: String,
    /// Layer that won.
    pub layer: Layer,
    /// What the weaker layers said, the weakest first.
    pub overridden: Vec<(Layer, String)>,
}

/// Merges layers into parameters sorted by name; the order of `layers` does not matter.
pub(crate) fn merge(layers: Vec<(Layer, BTreeMap<String, String>)>) -> Vec<PlannedParameter> {
    let mut layers = layers;
    layers.sort_by_key(|(layer, _)| *layer);
    let mut merged: BTreeMap<String, PlannedParameter> = BTreeMap::new();
    for (layer, values) in layers {
        for (name, value) in values {
            if let Some(weaker) = merged.get_mut(&name) {
                let old = std::mem::replace(&mut weaker.value, value);
                weaker.overridden.push((weaker.layer, old));
                weaker.layer = layer;
            } else {
                let parameter =
                    PlannedParameter { name: name.clone(), value, layer, overridden: Vec::new() };
                merged.insert(name, parameter);
            }
        }
    }
    merged.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(layer: Layer, values: &[(&str, &str)]) -> (Layer, BTreeMap<String, String>) {
        (
            layer,
            values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        )
    }

    #[test]
    fn the_type_wins_over_the_artifact_and_the_artifact_over_the_endpoint() {
        let merged = merge(vec![
            layer(Layer::ArtifactType, &[("b", "type"), ("a", "type")]),
            layer(Layer::Endpoint, &[("a", "endpoint"), ("c", "endpoint")]),
            layer(Layer::Artifact, &[("a", "artifact")]),
        ]);
        let parameter = |name: &str, value: &str, layer, overridden| PlannedParameter {
            name: name.to_owned(),
            value: value.to_owned(),
            layer,
            overridden,
        };
        let overridden = vec![
            (Layer::Endpoint, "endpoint".to_owned()),
            (Layer::Artifact, "artifact".to_owned()),
        ];
        assert_eq!(
            merged,
            [
                parameter("a", "type", Layer::ArtifactType, overridden),
                parameter("b", "type", Layer::ArtifactType, Vec::new()),
                parameter("c", "endpoint", Layer::Endpoint, Vec::new()),
            ]
        );
    }
}
