//! What the server knows about a kind of objects.

use base64::{Engine, prelude::BASE64_STANDARD};
use kube::core::cel::CompiledSchema;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::schema::Schema;

/// A column of `kubectl get`.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) format: String,
    pub(crate) description: String,
    pub(crate) priority: i64,
    pub(crate) path: String,
}

/// The ways in which built-in kinds differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Compiled into the real server: typed, with zero values written out.
    BuiltIn,
    /// Defined by a `CustomResourceDefinition`.
    Custom,
}

/// One kind in one version.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "ways in which kinds differ independently")]
#[expect(clippy::struct_field_names, reason = "kind and listKind are the names of the API")]
pub(crate) struct Kind {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) list_kind: String,
    pub(crate) plural: String,
    pub(crate) singular: String,
    pub(crate) short_names: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) namespaced: bool,
    /// Has a status subresource.
    pub(crate) status: bool,
    /// Counts generations.
    pub(crate) generation: bool,
    /// A `PUT` of what is not there creates it.
    pub(crate) create_on_update: bool,
    /// A `PUT` without resourceVersion is allowed.
    pub(crate) unconditional_update: bool,
    pub(crate) origin: Origin,
    pub(crate) schema: Schema,
    /// The CEL rules of the schema; `None` when there are none.
    pub(crate) rules: Option<CompiledSchema>,
    /// What an object of this kind looks like before anybody wrote a field.
    pub(crate) blank: Value,
    pub(crate) columns: Vec<Column>,
    /// Paths that field selectors may use besides name and namespace.
    pub(crate) selectable: Vec<String>,
}

impl Kind {
    /// Such as `example.arc/v1`, or `v1`.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Such as `widgets.example.arc`; the name of its table.
    pub(crate) fn group_resource(&self) -> String {
        group_resource(&self.group, &self.plural)
    }

    /// As discovery publishes it.
    pub(crate) fn storage_version_hash(&self) -> String {
        let text = format!("{}/{}/{}", self.group, self.version, self.kind);
        let digest = Sha256::digest(text.as_bytes());
        BASE64_STANDARD.encode(digest.get(..8).unwrap_or_default())
    }

    pub(crate) fn is_custom(&self) -> bool {
        self.origin == Origin::Custom
    }

    /// Tells whether it is this built-in kind.
    pub(crate) fn is(&self, group_resource: &str) -> bool {
        self.origin == Origin::BuiltIn && self.group_resource() == group_resource
    }
}

/// Such as `widgets.example.arc`.
pub(crate) fn group_resource(group: &str, plural: &str) -> String {
    if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") }
}
