//! The cluster that a command talks to, and what its answers mean to a human.

use arc_steps::Exit;
use kube::Client;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};

use crate::cli::Place;
use crate::report::{Failure, chain};

/// A client, and the namespace that is meant where none is said.
pub(super) struct Cluster {
    pub(super) client: Client,
    pub(super) namespace: String,
}

impl Cluster {
    /// Finds the cluster: as told, else as kubectl would, else as a pod does.
    pub(super) async fn connect(place: &Place) -> Result<Self, Failure> {
        let config = config(place).await.map_err(|why| {
            Failure::new(Exit::WrongInput, format!("failed to find a cluster: {why}"))
                .hint("name a kubeconfig with --kubeconfig or KUBECONFIG, or run in a pod")
        })?;
        let namespace = place.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let client = Client::try_from(config).map_err(|error| Failure::input(&error))?;
        Ok(Self { client, namespace })
    }
}

async fn config(place: &Place) -> Result<Config, String> {
    let options =
        KubeConfigOptions { context: place.context.clone(), ..KubeConfigOptions::default() };
    if let Some(path) = &place.kubeconfig {
        let file = Kubeconfig::read_from(path).map_err(|error| chain(&error))?;
        return Config::from_custom_kubeconfig(file, &options).await.map_err(|error| chain(&error));
    }
    if place.context.is_some() {
        return Config::from_kubeconfig(&options).await.map_err(|error| chain(&error));
    }
    Config::infer().await.map_err(|error| chain(&error))
}

/// What the API server said, with what to do where that is known.
pub(super) fn failed(doing: &str, error: &kube::Error) -> Failure {
    let kube::Error::Api(status) = error else {
        return Failure::new(Exit::Failed, format!("failed to {doing}: {}", chain(error)));
    };
    let told = Failure::new(Exit::WrongInput, format!("failed to {doing}: {}", status.message));
    match status.code {
        401 => told.hint("the cluster does not know you: sign in again"),
        403 => told.hint("ask for a Role with that right in the namespace"),
        404 if status.message.contains("could not find") => {
            told.hint("ARC is not installed on this cluster: apply its CRDs")
        }
        404 | 409 | 422 => told,
        _ => Failure { exit: Exit::Failed, ..told },
    }
}
