//! Objects as text, before anybody knows whether they have to be read at all.
//!
//! Most of what a watch brings is the echo of our own writes, and half of every object is `managedFields`: both are cut
//! off here before they cost anything. What then cannot be read is one bad object, never the end of a watch.

use std::{borrow::Cow, collections::BTreeMap, marker::PhantomData};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::Resource;
use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Error};
use serde_json::value::RawValue;

/// Who wrote which field: large, and of use to the API server alone.
const MANAGED_FIELDS: &str = "managedFields";

/// An object of kind `K` that is not read yet, without its `managedFields`.
#[derive(Clone, Debug)]
pub(crate) struct Raw<K> {
    /// Name, namespace, uid and version; nothing else of it is read.
    meta: ObjectMeta,
    text: String,
    kind: PhantomData<fn() -> K>,
}

/// The part of the metadata that says which object it is, and in which state.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Identity {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    creation_timestamp: Option<Time>,
}

impl<K: DeserializeOwned> Raw<K> {
    /// Reads the object.
    pub(crate) fn read(&self) -> Result<K, serde_json::Error> {
        serde_json::from_str(&self.text)
    }
}

impl<K> Raw<K> {
    fn of(text: &str) -> Result<Self, serde_json::Error> {
        let mut fields: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
        let metadata = fields.get("metadata").map_or("{}", |raw| raw.get());
        let identity: Identity = serde_json::from_str(metadata)?;
        let mut parts: BTreeMap<String, &RawValue> = serde_json::from_str(metadata)?;
        let is_cut = parts.remove(MANAGED_FIELDS).is_some();
        let text = if is_cut {
            let metadata = serde_json::value::to_raw_value(&parts)?;
            fields.insert("metadata".to_owned(), &metadata);
            Cow::Owned(serde_json::to_string(&fields)?)
        } else {
            Cow::Borrowed(text)
        };
        let meta = ObjectMeta {
            name: identity.name,
            namespace: identity.namespace,
            uid: identity.uid,
            resource_version: identity.resource_version,
            creation_timestamp: identity.creation_timestamp,
            ..ObjectMeta::default()
        };
        Ok(Self { meta, text: text.into_owned(), kind: PhantomData })
    }
}

impl<'de, K> Deserialize<'de> for Raw<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::of(raw.get()).map_err(D::Error::custom)
    }
}

impl<K: Resource> Resource for Raw<K> {
    type DynamicType = K::DynamicType;
    type Scope = K::Scope;

    fn kind(of: &K::DynamicType) -> Cow<'_, str> {
        K::kind(of)
    }

    fn group(of: &K::DynamicType) -> Cow<'_, str> {
        K::group(of)
    }

    fn version(of: &K::DynamicType) -> Cow<'_, str> {
        K::version(of)
    }

    fn plural(of: &K::DynamicType) -> Cow<'_, str> {
        K::plural(of)
    }

    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }
}

#[cfg(test)]
mod tests {
    use arc_api::Endpoint;
    use kube::ResourceExt;
    use kube::core::{ObjectList, WatchEvent};

    use super::*;

    const OBJECT: &str = r#"{"apiVersion":"arc.opendefense.cloud/v1alpha1","kind":"Endpoint",
        "metadata":{"name":"quay","namespace":"a","resourceVersion":"7","managedFields":[{"manager":"x"}],
        "labels":{"team":"b"}},"spec":{"type":"oci","remoteURL":"https://quay.example"}}"#;

    #[test]
    fn an_event_is_read_without_its_managed_fields() {
        let event = format!(r#"{{"type":"ADDED","object":{OBJECT}}}"#);
        let event: WatchEvent<Raw<Endpoint>> = serde_json::from_str(&event).unwrap();
        let WatchEvent::Added(raw) = event else { panic!("not an object") };
        assert_eq!(raw.resource_version().as_deref(), Some("7"));
        let endpoint = raw.read().unwrap();
        assert_eq!(endpoint.metadata.managed_fields, None);
        assert_eq!(endpoint.labels()["team"], "b");
        assert_eq!(endpoint.spec.remote_url, "https://quay.example");
    }

    #[test]
    fn one_bad_object_does_not_spoil_a_list() {
        let bad = OBJECT.replace(r#""oci""#, "[]");
        let list = format!(
            r#"{{"apiVersion":"v1","kind":"EndpointList","metadata":{{}},"items":[{bad},{OBJECT}]}}"#
        );
        let list: ObjectList<Raw<Endpoint>> = serde_json::from_str(&list).unwrap();
        let read: Vec<bool> = list.items.iter().map(|raw| raw.read().is_ok()).collect();
        assert_eq!(read, [false, true]);
        assert_eq!(list.items[0].name_any(), "quay");
    }
}
