//! The lease on the API server: reading and writing, each within a time.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::time::timeout;

use super::Error;
use super::decide::Candidate;

/// The lease of a candidate.
pub(super) struct Leases {
    api: Api<Lease>,
    pub(super) candidate: Candidate,
}

/// What went wrong with one request.
pub(super) enum Trouble {
    /// Waiting does not mend it.
    Lasting(Error),
    /// The next attempt may go better.
    Passing(String),
}

impl Leases {
    pub(super) fn new(client: &Client, candidate: Candidate) -> Self {
        Self { api: Api::namespaced(client.clone(), &candidate.namespace), candidate }
    }

    /// How long to wait between two looks or attempts.
    pub(super) fn pause(&self) -> Duration {
        self.candidate.duration / 15
    }

    /// How long one request may take: two attempts fit between a renewal that is due and the end of the work.
    fn patience(&self) -> Duration {
        self.candidate.duration / 6
    }

    /// The lease as it is now, by a read that no cache answers; `None` where there is none.
    pub(super) async fn get(&self) -> Result<Option<Lease>, Trouble> {
        match timeout(self.patience(), self.api.get_opt(&self.candidate.name)).await {
            Ok(answer) => answer.map_err(|source| self.trouble("get", source)),
            Err(_elapsed) => Err(Trouble::Passing("no answer in time".to_owned())),
        }
    }

    /// Creates the lease, or replaces the version that was read; `None` where somebody else was faster.
    pub(super) async fn put(&self, lease: &Lease) -> Result<Option<Lease>, Trouble> {
        let how = PostParams::default();
        let is_new = lease.metadata.resource_version.is_none();
        let write = async {
            if is_new {
                self.api.create(&how, lease).await
            } else {
                self.api.replace(&self.candidate.name, &how, lease).await
            }
        };
        let verb = if is_new { "create" } else { "update" };
        match timeout(self.patience(), write).await {
            Ok(Ok(written)) => Ok(Some(written)),
            Ok(Err(kube::Error::Api(status))) if status.code == 409 => Ok(None),
            // Replaced after it was deleted.
            Ok(Err(kube::Error::Api(status))) if status.code == 404 && !is_new => Ok(None),
            Ok(Err(source)) => Err(self.trouble(verb, source)),
            Err(_elapsed) => Err(Trouble::Passing("no answer in time".to_owned())),
        }
    }

    fn trouble(&self, verb: &'static str, source: kube::Error) -> Trouble {
        match &source {
            // Not allowed, no such namespace, or a name that is none; the rest is for the API server to get over.
            kube::Error::Api(status) if matches!(status.code, 400 | 403 | 404 | 422) => {
                Trouble::Lasting(Error::Request {
                    verb,
                    namespace: self.candidate.namespace.clone(),
                    name: self.candidate.name.clone(),
                    source: Box::new(source),
                })
            }
            _ => Trouble::Passing(source.to_string()),
        }
    }
}
