//! The custom resource definitions, ready to be applied.
//!
//! The derive macros describe the Rust types; this module says the same in the dialect that Kubernetes prefers.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray,
};
use kube::CustomResourceExt;
use schemars::{Schema, SchemaGenerator, json_schema};

use crate::{ArtifactType, ArtifactWorkflow, ClusterArtifactType, Endpoint, Order};

/// Returns the definition of every kind, sorted by plural name.
pub fn crds() -> Vec<CustomResourceDefinition> {
    let mut crds = vec![
        ArtifactType::crd(),
        ArtifactWorkflow::crd(),
        ClusterArtifactType::crd(),
        Endpoint::crd(),
        Order::crd(),
    ];
    for version in crds.iter_mut().flat_map(|crd| &mut crd.spec.versions) {
        if let Some(schema) =
            version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut())
        {
            tidy(schema);
        }
    }
    crds
}

/// Any object; what is in it is judged later, or not at all.
pub(crate) fn free_form_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}

/// Rewrites a schema and everything below it.
fn tidy(schema: &mut JSONSchemaProps) {
    // An optional field is left out, never null; server-side apply treats a null as a value of its own.
    schema.nullable = None;
    // API servers warn about formats they do not know. The range of an unsigned number is in `minimum`.
    schema.format = match schema.format.take().as_deref() {
        Some("uint32" | "uint64") => Some("int64".to_owned()),
        other => other.map(str::to_owned),
    };
    schema.description = schema.description.take().map(|text| unwrap_paragraphs(&text));
    let items = match &mut schema.items {
        Some(JSONSchemaPropsOrArray::Schema(item)) => std::slice::from_mut(&mut **item),
        Some(JSONSchemaPropsOrArray::Schemas(items)) => items.as_mut_slice(),
        None => &mut [],
    };
    items
        .iter_mut()
        .chain(schema.properties.iter_mut().flat_map(|properties| properties.values_mut()))
        .for_each(tidy);
}

/// Joins the lines of each paragraph, because `kubectl explain` breaks lines itself.
fn unwrap_paragraphs(text: &str) -> String {
    text.split("\n\n")
        .map(|paragraph| paragraph.replace('\n', " "))
        .collect::<Vec<_>>()
        .join("\n\n")
}

#[cfg(test)]
mod tests;
