//! What is looked at before the work begins, so that an installation that lacks something is told what, instead of a
//! watch that fails for ever.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::APIResourceList;
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, ListParams},
};

use crate::Options;

/// Group, kind and plural of everything that is watched in the whole cluster.
const WATCHED: [(&str, &str, &str); 9] = [
    (arc_api::GROUP, "Order", "orders"),
    (arc_api::GROUP, "Endpoint", "endpoints"),
    (arc_api::GROUP, "ArtifactType", "artifacttypes"),
    (arc_api::GROUP, "ClusterArtifactType", "clusterartifacttypes"),
    (arc_api::GROUP, "ArtifactWorkflow", "artifactworkflows"),
    (arc_api::argo::GROUP, "Workflow", "workflows"),
    (arc_api::argo::GROUP, "CronWorkflow", "cronworkflows"),
    (arc_api::argo::GROUP, "WorkflowTemplate", "workflowtemplates"),
    (arc_api::argo::GROUP, "ClusterWorkflowTemplate", "clusterworkflowtemplates"),
];

/// Why the work cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The API server does not answer, or not as one.
    #[error("failed to ask the API server for {what}")]
    Ask {
        /// What was asked for.
        what: String,
        /// What came back.
        source: Box<kube::Error>,
    },
    /// Kinds are missing.
    #[error("the cluster does not know {} of {group}/{version}", list(missing))]
    Missing {
        /// Their group.
        group: &'static str,
        /// Their version.
        version: &'static str,
        /// Their plurals.
        missing: Vec<&'static str>,
    },
    /// Not allowed.
    #[error("not allowed to list {resource}")]
    Forbidden {
        /// Such as `orders.arc.opendefense.cloud`, with `in namespace …` where that matters.
        resource: String,
        /// What the API server said, which names the user.
        source: Box<kube::Error>,
    },
}

impl Problem {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Ask { .. } => "check the address of the cluster, its certificate, and proxies",
            Self::Missing { group, .. } if *group == arc_api::GROUP => {
                "install ARC's kinds: kubectl apply -f crds/"
            }
            Self::Missing { .. } => "install Argo Workflows, with its CRDs",
            Self::Forbidden { .. } => {
                "bind the roles of the chart to the service account of the controller"
            }
        }
    }
}

/// Looks whether every kind exists and may be listed.
///
/// # Errors
/// The first thing that is missing.
pub async fn check(client: &Client, options: &Options) -> Result<(), Problem> {
    for (group, version) in
        [(arc_api::GROUP, arc_api::VERSION), (arc_api::argo::GROUP, arc_api::argo::VERSION)]
    {
        check_kinds(client, group, version).await?;
    }
    for (group, kind, plural) in WATCHED {
        let resource = ApiResource {
            group: group.to_owned(),
            version: "v1alpha1".to_owned(),
            api_version: format!("{group}/v1alpha1"),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
        };
        let api = Api::all_with(client.clone(), &resource);
        check_list(&api, format!("{plural}.{group} in all namespaces")).await?;
    }
    check_secrets(client, options).await
}

async fn check_kinds(
    client: &Client,
    group: &'static str,
    version: &'static str,
) -> Result<(), Problem> {
    let found = match client.list_api_group_resources(&format!("{group}/{version}")).await {
        Ok(found) => found,
        Err(kube::Error::Api(status)) if status.code == 404 => APIResourceList::default(),
        Err(source) => {
            let what = format!("the kinds of {group}");
            return Err(Problem::Ask { what, source: Box::new(source) });
        }
    };
    let of_group = WATCHED.iter().filter(|(own, ..)| *own == group).map(|(_, _, plural)| *plural);
    let is_missing = |plural: &&str| !found.resources.iter().any(|one| one.name == *plural);
    let missing: Vec<&str> = of_group.filter(is_missing).collect();
    if missing.is_empty() { Ok(()) } else { Err(Problem::Missing { group, version, missing }) }
}

/// A namespace in which Secrets may not be listed is no reason to let the others wait.
async fn check_secrets(client: &Client, options: &Options) -> Result<(), Problem> {
    let resource = ApiResource::erase::<k8s_openapi::api::core::v1::Secret>(&());
    let Some(namespaces) = &options.secret_namespaces else {
        let api = Api::all_with(client.clone(), &resource);
        return check_list(&api, "secrets in all namespaces".to_owned()).await;
    };
    for namespace in namespaces {
        let api = Api::namespaced_with(client.clone(), namespace, &resource);
        match check_list(&api, format!("secrets in namespace {namespace:?}")).await {
            Err(Problem::Forbidden { resource, .. }) => {
                tracing::warn!("not allowed to list {resource}: orders there that need one wait");
            }
            checked => checked?,
        }
    }
    Ok(())
}

async fn check_list(api: &Api<DynamicObject>, resource: String) -> Result<(), Problem> {
    // One, and of it only the metadata: what is in a Secret is not asked for.
    match api.list_metadata(&ListParams::default().limit(1)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 403 => {
            let source = Box::new(kube::Error::Api(status));
            Err(Problem::Forbidden { resource, source })
        }
        Err(source) => Err(Problem::Ask { what: resource, source: Box::new(source) }),
    }
}

fn list(names: &[&str]) -> String {
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use arc_kube_fake::{ApiServer, Fault, Matching, Rule, Times, Verb};

    use super::*;

    async fn said(server: &ApiServer, user: &str) -> String {
        match check(&server.client_as(user), &Options::default()).await {
            Ok(()) => "nothing is missing".to_owned(),
            Err(problem) => format!("{problem}; {}", problem.hint()),
        }
    }

    #[tokio::test]
    async fn what_an_installation_lacks_is_said_with_the_remedy() {
        let server = ApiServer::with_arc(arc_kube_fake::Options::default());
        assert_eq!(said(&server, "").await, "nothing is missing");
        let rule = |group: &str, resources: &[&str]| Rule::new(group, resources, &["list"]);
        server
            .grant("half", vec![rule(arc_api::GROUP, &["*"]), rule("argoproj.io", &["workflows"])]);
        let expected = "not allowed to list cronworkflows.argoproj.io in all namespaces; \
            bind the roles of the chart to the service account of the controller";
        assert_eq!(said(&server, "half").await, expected);
        let empty = ApiServer::default();
        let expected = "the cluster does not know orders, endpoints, artifacttypes, clusterartifacttypes, \
            artifactworkflows of arc.opendefense.cloud/v1alpha1; install ARC's kinds: kubectl apply -f crds/";
        assert_eq!(said(&empty, "").await, expected);
    }

    #[tokio::test]
    async fn an_api_server_that_is_ill_is_told_apart() {
        let server = ApiServer::with_arc(arc_kube_fake::Options::default());
        let effect = arc_kube_fake::Effect::Answer { code: 500, reason: "InternalError" };
        server.inject(Fault::new(Matching::of(Verb::List, "orders"), Times::Always, effect));
        let text = said(&server, "").await;
        assert!(text.starts_with("failed to ask the API server for orders."), "{text}");
    }
}
