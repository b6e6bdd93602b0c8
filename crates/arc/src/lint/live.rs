//! What the cluster of the current context holds, as sources beside the files.
//!
//! Of secrets only the names are asked for.

use std::collections::BTreeSet;

use arc_api::{ArtifactType, ClusterArtifactType, Endpoint};
use arc_lint::{Origin, Source, namespaces};
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams};
use kube::config::KubeConfigOptions;
use kube::{Api, Client, Config};
use serde_json::{Value, json};

use crate::report::{Exit, Failure};

/// Everything that orders of the files may refer to, in their namespaces and in the cluster.
pub(super) async fn sources(
    files: &[Source],
    context: Option<String>,
) -> Result<Vec<Source>, Failure> {
    let client = connect(context).await.map_err(|message| {
        Failure::new(Exit::WrongInput, format!("failed to find a cluster: {message}"))
            .hint("set KUBECONFIG or a current context, or leave out --live")
    })?;
    let of_cluster = [
        ApiResource::erase::<ClusterArtifactType>(&()),
        argo("ClusterWorkflowTemplate", "clusterworkflowtemplates"),
    ];
    let of_namespace = [
        ApiResource::erase::<Endpoint>(&()),
        ApiResource::erase::<ArtifactType>(&()),
        argo("WorkflowTemplate", "workflowtemplates"),
    ];
    let mut found = Vec::new();
    for resource in &of_cluster {
        let api = Api::<DynamicObject>::all_with(client.clone(), resource);
        found.extend(list(&api, resource, None).await?);
    }
    for namespace in namespaces(files) {
        for resource in &of_namespace {
            let api = Api::<DynamicObject>::namespaced_with(client.clone(), &namespace, resource);
            found.extend(list(&api, resource, Some(&namespace)).await?);
        }
        found.extend(secrets(&client, &namespace).await?);
    }
    Ok(found)
}

/// A client of the named context, else of the current one or of this pod.
async fn connect(context: Option<String>) -> Result<Client, String> {
    let config = if context.is_some() {
        let options = KubeConfigOptions { context, ..KubeConfigOptions::default() };
        Config::from_kubeconfig(&options).await.map_err(|error| error.to_string())
    } else {
        Config::infer().await.map_err(|error| error.to_string())
    };
    Client::try_from(config?).map_err(|error| error.to_string())
}

fn argo(kind: &str, plural: &str) -> ApiResource {
    let kind = GroupVersionKind::gvk(arc_api::argo::GROUP, arc_api::argo::VERSION, kind);
    ApiResource::from_gvk_with_plural(&kind, plural)
}

async fn list(
    api: &Api<DynamicObject>,
    resource: &ApiResource,
    namespace: Option<&str>,
) -> Result<Vec<Source>, Failure> {
    let objects = api
        .list(&ListParams::default())
        .await
        .map_err(|error| failed(&error, &resource.plural, namespace))?;
    Ok(objects
        .into_iter()
        .map(|object| {
            let mut fields = object.data;
            fields["metadata"] =
                json!({"name": object.metadata.name, "namespace": object.metadata.namespace});
            source(resource, fields)
        })
        .collect())
}

/// The names of the secrets; what is in them is not read.
async fn secrets(client: &Client, namespace: &str) -> Result<Vec<Source>, Failure> {
    let resource =
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("", "v1", "Secret"), "secrets");
    let api = Api::<DynamicObject>::namespaced_with(client.clone(), namespace, &resource);
    let objects = api
        .list_metadata(&ListParams::default())
        .await
        .map_err(|error| failed(&error, "secrets", Some(namespace)))?;
    let names: BTreeSet<_> =
        objects.into_iter().filter_map(|object| object.metadata.name).collect();
    let metadata = |name| json!({"metadata": {"name": name, "namespace": namespace}});
    Ok(names.into_iter().map(|name| source(&resource, metadata(name))).collect())
}

/// One object as a text, which is what the linter reads.
fn source(resource: &ApiResource, mut object: Value) -> Source {
    object["apiVersion"] = resource.api_version.clone().into();
    object["kind"] = resource.kind.clone().into();
    // What ARC wrote there has no meaning for the linter.
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    let name = format!("{} {} (cluster)", resource.kind, object["metadata"]["name"]);
    Source { name, text: object.to_string(), origin: Origin::Context }
}

fn failed(error: &kube::Error, plural: &str, namespace: Option<&str>) -> Failure {
    let place = namespace.map(|namespace| format!(" in namespace {namespace:?}"));
    let place = place.unwrap_or_default();
    let message = format!("failed to list {plural}{place}: {error}");
    let hint = match error {
        kube::Error::Api(status) if status.code == 403 => {
            "--live needs the right to list endpoints, artifact types, workflow templates, and secrets by name"
        }
        kube::Error::Api(status) if status.code == 404 => {
            "the cluster does not know this kind; are ARC and Argo Workflows installed?"
        }
        _ => "look whether kubectl reaches the cluster",
    };
    Failure::new(Exit::Failed, message).hint(hint)
}
