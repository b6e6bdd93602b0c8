//! What has to be in the cluster before an order means anything, and how it becomes empty again.

use std::time::Duration;

use arc_api::{ArtifactWorkflow, ClusterArtifactType, Endpoint, Order};
use futures::{StreamExt, stream};
use k8s_openapi::{
    api::core::v1::Namespace,
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, Resource,
    api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, PostParams},
    core::NamespaceResourceScope,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Where everything happens.
pub(crate) const NAMESPACE: &str = "arc-bench";
/// Requests under way at once, of the operator and of every client beside it.
pub(crate) const PARALLEL: usize = 32;
/// Objects in one page of a list.
const PAGE: u32 = 500;

pub(crate) fn workflows(client: &Client) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), NAMESPACE, &argo("Workflow"))
}

pub(crate) fn orders(client: &Client) -> Api<Order> {
    Api::namespaced(client.clone(), NAMESPACE)
}

pub(crate) fn argo(kind: &str) -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("argoproj.io", "v1alpha1", kind))
}

/// Kinds, a namespace, two endpoints, a type and its template. What exists stays.
pub(crate) async fn set(client: &Client) {
    let crds = Api::<CustomResourceDefinition>::all(client.clone());
    let mut added = false;
    let mut kinds: Vec<Value> =
        arc_api::crds().into_iter().map(|crd| serde_json::to_value(crd).unwrap()).collect();
    kinds.extend(arc_kube_fake::argo::definitions());
    for crd in kinds {
        added |= create(&crds, crd).await;
    }
    if added {
        // A real server needs a moment to serve a new kind.
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    let namespaces = Api::<Namespace>::all(client.clone());
    create(&namespaces, json!({ "metadata": { "name": NAMESPACE } })).await;
    let endpoints = Api::<Endpoint>::namespaced(client.clone(), NAMESPACE);
    for (name, usage) in [("upstream", "PullOnly"), ("internal", "PushOnly")] {
        let spec =
            json!({ "type": "oci", "remoteURL": format!("{name}.example.com"), "usage": usage });
        let kind = json!({
            "apiVersion": "arc.opendefense.cloud/v1alpha1",
            "kind": "Endpoint",
            "metadata": { "name": name },
            "spec": spec,
        });
        create(&endpoints, kind).await;
    }
    let types = Api::<ClusterArtifactType>::all(client.clone());
    let kind = json!({
        "apiVersion": "arc.opendefense.cloud/v1alpha1",
        "kind": "ClusterArtifactType",
        "metadata": { "name": "arc-bench" },
        "spec": {
            "rules": { "srcTypes": ["oci"], "dstTypes": ["oci"] },
            "workflowTemplateRef": { "name": "arc-bench" },
        },
    });
    create(&types, kind).await;
    let templates: Api<DynamicObject> =
        Api::all_with(client.clone(), &argo("ClusterWorkflowTemplate"));
    create(&templates, template()).await;
}

/// A template with the parameters of the pipeline that users have, and nothing that would ever run.
fn template() -> Value {
    let names = ["srcType", "srcRemoteURL", "dstType", "dstRemoteURL", "specRepository", "specTag"];
    let required = names.iter().map(|name| json!({ "name": name }));
    let optional = ["srcSecret", "dstSecret", "orderNamespace", "orderName", "orderUid", "dryRun"];
    let optional = optional.iter().map(|name| json!({ "name": name, "value": "" }));
    let parameters: Vec<Value> = required.chain(optional).collect();
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ClusterWorkflowTemplate",
        "metadata": { "name": "arc-bench" },
        "spec": {
            "entrypoint": "pipeline",
            "arguments": { "parameters": parameters },
            "templates": [{ "name": "pipeline", "container": { "image": "none" } }],
        },
    })
}

async fn create<K>(api: &Api<K>, value: Value) -> bool
where
    K: Clone + std::fmt::Debug + DeserializeOwned + Serialize,
{
    let object: K = serde_json::from_value(value).unwrap();
    match api.create(&PostParams::default(), &object).await {
        Ok(_) => true,
        Err(kube::Error::Api(status)) if status.code == 409 => false,
        Err(error) => panic!("{error}"),
    }
}

/// An order of so many artifacts.
pub(crate) fn order(name: &str, artifacts: usize) -> Order {
    let artifacts: Vec<Value> = (0..artifacts)
        .map(|index| {
            json!({
                "name": format!("a{index}"),
                "type": "arc-bench",
                "spec": { "repository": format!("library/{name}-{index}"), "tag": "3.19.1" },
            })
        })
        .collect();
    let order = json!({
        "apiVersion": "arc.opendefense.cloud/v1alpha1",
        "kind": "Order",
        "metadata": { "name": name },
        "spec": {
            "defaults": { "srcRef": { "name": "upstream" }, "dstRef": { "name": "internal" } },
            "artifacts": artifacts,
        },
    });
    serde_json::from_value(order).unwrap()
}

/// Creates orders of one artifact each, as many at once as the operator has requests under way.
pub(crate) async fn create_orders(client: &Client, prefix: &str, count: usize) {
    let api = orders(client);
    stream::iter(0..count)
        .for_each_concurrent(PARALLEL, async |index| {
            let order = order(&format!("{prefix}-{index}"), 1);
            api.create(&PostParams::default(), &order).await.unwrap();
        })
        .await;
}

/// Everything of a kind, page by page.
pub(crate) async fn all<K>(api: &Api<K>) -> Vec<K>
where
    K: Clone + std::fmt::Debug + DeserializeOwned,
{
    let mut found = Vec::new();
    let mut how = ListParams::default().limit(PAGE);
    loop {
        let page = api.list(&how).await.unwrap();
        found.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => how = how.continue_token(&token),
            None => return found,
        }
    }
}

/// Deletes all orders, and what was made for them where nobody collects garbage.
pub(crate) async fn clear(client: &Client) {
    clear_kind::<Order>(client).await;
    clear_kind::<ArtifactWorkflow>(client).await;
    let (how, everything) = (DeleteParams::background(), ListParams::default());
    workflows(client).delete_collection(&how, &everything).await.unwrap();
}

async fn clear_kind<K>(client: &Client)
where
    K: Clone + std::fmt::Debug + DeserializeOwned + Resource<Scope = NamespaceResourceScope>,
    K::DynamicType: Default,
{
    let api: Api<K> = Api::namespaced(client.clone(), NAMESPACE);
    api.delete_collection(&DeleteParams::background(), &ListParams::default()).await.unwrap();
}
