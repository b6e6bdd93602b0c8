//! The custom resource definitions, ready to be applied.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

use crate::{ArtifactType, ArtifactWorkflow, ClusterArtifactType, Endpoint, Order};

/// Returns the definition of every kind, sorted by plural name.
pub fn crds() -> Vec<CustomResourceDefinition> {
    vec![
        ArtifactType::crd(),
        ArtifactWorkflow::crd(),
        ClusterArtifactType::crd(),
        Endpoint::crd(),
        Order::crd(),
    ]
}
