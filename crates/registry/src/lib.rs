//! The embedded OCI registry: for the demo, for hand-over across an air gap, for tests.
//!
//! It speaks the OCI distribution specification 1.1 and keeps everything in one folder.
//!
//! *Invariants.* Blobs are never held in memory.
//! Content is shared between repositories, but a repository only shows what was uploaded or mounted there.
//! A file appears under its final name only when it is complete, so a killed process leaves no half-written content.
//! There is **no TLS**, and an account only where [`Registry::with_account`] asks for one: serve it on a loopback address, or
//! behind something that adds both.
//!
//! *Where to start.* [`Registry::open`], [`serve`], then the module `route`, which names every request.

mod account;
mod blobs;
mod error;
mod lists;
mod manifests;
mod name;
mod range;
mod referrers;
mod route;
mod serve;
mod store;
#[cfg(test)]
mod tests;
mod uploads;

use std::{path::PathBuf, sync::Arc};

use axum::{
    Router,
    routing::{any, get},
};

pub use crate::serve::{Running, serve, serve_listener, serve_router};
use crate::{account::Account, store::Store, uploads::ActiveUploads};

/// Longest list that one answer carries when nothing else is asked for: well under what clients buffer.
const DEFAULT_PAGE_SIZE: usize = 1000;

/// Returns what can go wrong before a registry answers requests.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The storage folder cannot be created or cleaned.
    #[error("failed to prepare registry folder {path:?}")]
    PrepareFolder {
        /// The folder in question.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The address is taken or not allowed.
    #[error("failed to listen on {address:?}")]
    Listen {
        /// The address asked for.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// Which of the optional parts of the specification this registry has, so that both real-world kinds can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a part of the specification by itself")]
pub struct Options {
    /// Answers `/referrers/` and `OCI-Subject`; off, it is a registry of the older kind (404 and no header).
    pub referrers_api: bool,
    /// Mounts blobs from other repositories (201); off, every mount falls back to an upload (202).
    pub mount: bool,
    /// Refuses manifests whose blobs or children are missing in the repository.
    pub check_references: bool,
    /// Deletes tags, manifests and blobs; off, it answers 405 as many registries do.
    pub delete: bool,
    /// Answers `Range` of a download with that part; off, always with the whole.
    pub ranges: bool,
    /// Takes a whole blob with the POST that opens an upload; off, the content is ignored and an upload is opened.
    pub single_post: bool,
    /// Lists its repositories; off, it answers 404.
    pub catalog: bool,
    /// Longest page of tags, repositories or referrers; more is announced by `Link`.
    pub page_size: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            referrers_api: true,
            mount: true,
            check_references: true,
            delete: true,
            ranges: true,
            single_post: true,
            catalog: true,
            page_size: DEFAULT_PAGE_SIZE,
        }
    }
}

/// A registry in a folder; clones share the folder.
#[derive(Debug, Clone)]
pub struct Registry {
    shared: Arc<Shared>,
}

#[derive(Debug, Clone)]
struct Shared {
    store: Store,
    options: Options,
    active_uploads: ActiveUploads,
    account: Option<Account>,
}

impl Registry {
    /// Opens the registry kept in `folder`, which is created when it does not exist.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        let store = Store::open(folder.into())?;
        let shared = Shared {
            store,
            options: Options::default(),
            active_uploads: ActiveUploads::default(),
            account: None,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Returns the same registry behaving as `options` say.
    #[must_use]
    pub fn with_options(self, options: Options) -> Self {
        Self { shared: Arc::new(Shared { options, ..(*self.shared).clone() }) }
    }

    /// Returns the same registry for one account only, which logs in with Basic.
    #[must_use]
    pub fn with_account(self, username: &str, password: &str) -> Self {
        let account = Some(Account::new(username, password));
        Self { shared: Arc::new(Shared { account, ..(*self.shared).clone() }) }
    }

    /// Returns the routes of this registry, all under `/v2/`.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/v2", get(route::version))
            .route("/v2/", get(route::version))
            .route("/v2/{*rest}", any(route::dispatch))
            .with_state(self.clone())
    }

    pub(crate) fn store(&self) -> &Store {
        &self.shared.store
    }

    pub(crate) fn options(&self) -> &Options {
        &self.shared.options
    }

    pub(crate) fn account(&self) -> Option<&Account> {
        self.shared.account.as_ref()
    }

    pub(crate) fn active_uploads(&self) -> &ActiveUploads {
        &self.shared.active_uploads
    }
}
