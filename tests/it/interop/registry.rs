//! The two kinds of registry that evidence must survive in.

use arc_tests::client::Client;
use arc_tests::lying::LyingRegistry;
use arc_tests::peers::{DockerRegistry, Peer, Setup, require};

use crate::site::Side;

/// A registry of either kind.
pub(crate) enum Registry {
    /// Lists referrers by the API.
    WithApi(LyingRegistry),
    /// Knows no referrers: clients keep them under the tag `sha256-<hex>`.
    Without(DockerRegistry),
}

impl Registry {
    /// Starts one of each, or says that the test is skipped.
    pub(crate) async fn both() -> Option<[Self; 2]> {
        let program = require(Peer::DockerRegistry)?;
        let without = DockerRegistry::start(&program, Setup::default()).await;
        Some([Self::WithApi(LyingRegistry::honest().await), Self::Without(without)])
    }

    /// Returns `127.0.0.1:<port>`.
    pub(crate) fn host(&self) -> String {
        match self {
            Self::WithApi(registry) => registry.host(),
            Self::Without(registry) => registry.host().to_owned(),
        }
    }

    /// Returns it as one side of a delivery.
    pub(crate) fn side(&self) -> Side {
        Side::at(format!("http://{}", self.host()))
    }

    /// Returns a client for preparing and judging.
    pub(crate) fn client(&self) -> Client {
        match self {
            Self::WithApi(registry) => registry.backdoor().clone(),
            Self::Without(registry) => registry.client(),
        }
    }
}
