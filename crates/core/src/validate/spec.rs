//! Compares an artifact's `spec` with the `specSchema` of its type.

use std::collections::BTreeMap;

use arc_api::reasons::Reason;
use arc_api::{ArtifactTypeSpec, Order};

use super::{Check, ResolvedType};
use crate::fetched::Fetched;
use crate::problem::Problem;
use crate::spec_schema::{Flaw, Schema};

/// The schemas of the types that one order uses, each read once; by whether the type is the cluster's, and name.
#[derive(Default)]
pub(super) struct Schemas(BTreeMap<(bool, String), Result<Schema, Vec<Flaw>>>);

impl Schemas {
    pub(super) fn of(order: &Order, fetched: &Fetched) -> Self {
        let mut schemas = BTreeMap::new();
        for artifact in &order.spec.artifacts {
            let name = &artifact.type_;
            let own = fetched.artifact_types.get(name);
            let own = own.and_then(|found| found.spec.spec_schema.as_ref());
            let cluster = fetched.cluster_artifact_types.get(name);
            let cluster = cluster.and_then(|found| found.spec.spec_schema.as_ref());
            for (is_cluster, schema) in [(false, own), (true, cluster)] {
                let Some(schema) = schema else { continue };
                let key = (is_cluster, name.clone());
                schemas.entry(key).or_insert_with(|| Schema::parse(schema));
            }
        }
        Self(schemas)
    }
}

/// Refuses what the schema does not allow; an artifact of a type whose schema cannot be read is held.
pub(super) fn validate(check: &mut Check<'_>, resolved: &ResolvedType) {
    let ResolvedType { name, is_cluster, spec: ArtifactTypeSpec { spec_schema: Some(_), .. } } =
        resolved
    else {
        return;
    };
    let schemas = check.schemas;
    match schemas.0.get(&(*is_cluster, name.clone())) {
        None => {}
        Some(Err(flaws)) => {
            for flaw in flaws {
                let place =
                    if flaw.path.is_empty() { String::new() } else { format!(".{}", flaw.path) };
                let message =
                    format!("artifact type {name:?}: specSchema{place}: {}", flaw.message);
                check.refuse("type", Reason::InvalidSpec, message).hint = Some(flaw.hint.clone());
            }
        }
        Some(Ok(schema)) => {
            let spec = serde_json::Value::Object(check.artifact.spec.clone().unwrap_or_default());
            let path = format!("{}.spec", check.path);
            check.problems.extend(schema.check(&spec, &path).into_iter().map(|violation| {
                let message = format!("{}; so says artifact type {name:?}", violation.message);
                Problem::new(violation.path, Reason::InvalidSpec, message).hint(violation.hint)
            }));
        }
    }
}
