//! Secrets as far as they are known here: that they exist, and in which version.

use k8s_openapi::{
    NamespaceResourceScope, api::core::v1::Secret, apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::core::PartialObjectMeta;

/// A Secret without anything that is in it; it can only be made of metadata.
#[derive(Clone, Debug)]
pub(crate) struct SecretName {
    metadata: ObjectMeta,
}

impl From<PartialObjectMeta<Secret>> for SecretName {
    fn from(partial: PartialObjectMeta<Secret>) -> Self {
        Self { metadata: partial.metadata }
    }
}

impl k8s_openapi::Resource for SecretName {
    const API_VERSION: &'static str = "v1";
    const GROUP: &'static str = "";
    const KIND: &'static str = "Secret";
    const VERSION: &'static str = "v1";
    const URL_PATH_SEGMENT: &'static str = "secrets";
    type Scope = NamespaceResourceScope;
}

impl k8s_openapi::Metadata for SecretName {
    type Ty = ObjectMeta;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn metadata_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
