//! SLSA provenance v1 of a transfer: who ordered what from where to where, with which tools.
//!
//! `externalParameters` hold everything a user controlled, `internalParameters` what the platform set. That the
//! bytes did not change is stated by the dependency named `source`, whose digest equals the subject's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{BUILD_TYPE, BUILDER_ID};
use crate::{
    digest::{self, ParseDigest},
    encoding,
};

/// The order behind a transfer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// Generation of the order's spec.
    pub generation: String,
    /// The artifact of the order.
    pub artifact: String,
}

/// A thing with a digest (in-toto `ResourceDescriptor`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceDescriptor {
    /// Its role, such as `source`, `step/scan`, `db/advisories`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Where it is, such as `oci://registry.example/team/app:1.2.3`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uri: String,
    /// Hexadecimal digests by algorithm; the keys are names of hash functions only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub digest: BTreeMap<String, String>,
    /// Its media type.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub media_type: String,
    /// Further facts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl ResourceDescriptor {
    /// Returns a descriptor with name, URI and one digest.
    pub fn new(name: &str, uri: &str, digest: &str) -> Result<Self, ParseDigest> {
        let (algorithm, hex) = digest::split(digest)?;
        let digest = BTreeMap::from([(algorithm.to_owned(), hex.to_owned())]);
        Ok(Self { name: name.to_owned(), uri: uri.to_owned(), digest, ..Self::default() })
    }
}

/// The facts of one transfer. Empty strings and `None` are left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Provenance {
    /// The order behind it.
    pub order: Order,
    /// Source reference as ordered, such as `docker.io/library/app:1.2.3`.
    pub source: String,
    /// Destination reference, such as `registry.example/team/app:1.2.3`.
    pub destination: String,
    /// The steps that ran, such as `["copy", "scan", "sign", "attest"]`.
    pub steps: Vec<String>,
    /// Further settings the user controlled.
    pub options: BTreeMap<String, Value>,
    /// What the platform set, such as the workflow template's name.
    pub internal_parameters: BTreeMap<String, Value>,
    /// Everything that went in: the source image first.
    pub resolved_dependencies: Vec<ResourceDescriptor>,
    /// Version of ARC.
    pub arc_version: String,
    /// UID of the workflow.
    pub invocation_id: String,
    /// Start (RFC 3339).
    pub started_on: Option<String>,
    /// End (RFC 3339).
    pub finished_on: Option<String>,
    /// What came out besides the image.
    pub byproducts: Vec<ResourceDescriptor>,
}

/// Returns the provenance predicate as JSON.
pub fn slsa_provenance(provenance: &Provenance) -> Value {
    let mut metadata = Map::new();
    let facts = [
        ("invocationId", Some(&provenance.invocation_id).filter(|id| !id.is_empty())),
        ("startedOn", provenance.started_on.as_ref()),
        ("finishedOn", provenance.finished_on.as_ref()),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            metadata.insert(name.to_owned(), value.as_str().into());
        }
    }
    json!({
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {
                "order": encoding::to_value(&provenance.order),
                "source": {"ref": provenance.source},
                "destination": {"ref": provenance.destination},
                "steps": provenance.steps,
                "options": provenance.options,
            },
            "internalParameters": provenance.internal_parameters,
            "resolvedDependencies": encoding::to_value(&provenance.resolved_dependencies),
        },
        "runDetails": {
            "builder": {"id": BUILDER_ID, "version": {"arc": provenance.arc_version}},
            "metadata": metadata,
            "byproducts": encoding::to_value(&provenance.byproducts),
        },
    })
}
