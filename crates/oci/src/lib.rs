//! Carries OCI content between registries and image layouts, byte for byte.
//!
//! *Invariants*: manifests are never written again by us, every digest and size is checked while bytes stream,
//! nothing wrong is ever committed to a layout or a destination, a credential never leaves the host it was given for,
//! memory does not grow with the image. No Kubernetes types, no decision about orders.
//!
//! *Where to start*: [`copy`] (what moves and in which order), [`Client`] (one registry), [`Layout`] (one folder).

pub mod copy;
pub mod tags;

mod archive;
mod auth;
mod client;
mod credentials;
mod descriptor;
mod digest;
mod error;
mod fetch;
mod layout;
mod limiter;
mod listing;
mod manifest;
mod options;
mod progress;
mod reference;
mod referrers;
mod remote;
mod request;
mod resolver;
mod retry;
mod tls;
mod upload;

#[cfg(test)]
mod tests;

pub use crate::archive::DockerImage;
pub use crate::auth::Challenge;
pub use crate::client::{Client, MAX_MANIFEST_SIZE};
pub use crate::credentials::{Credentials, DockerConfigError};
pub use crate::descriptor::{Descriptor, Platform, media_type};
pub use crate::digest::{Algorithm, Digest, DigestError, Hasher};
pub use crate::error::{Context, Error, Rejection, is_certificate_problem};
pub use crate::fetch::BlobReader;
pub use crate::layout::Layout;
pub use crate::manifest::{Kind, Manifest, ManifestError, RawManifest};
pub use crate::options::ClientOptions;
pub use crate::progress::Progress;
pub use crate::reference::{NameError, Reference, validate_repository, validate_tag};
pub use crate::remote::{Remote, Scheme};
pub use crate::tls::{client_config, install_crypto_provider};
pub use crate::upload::{BlobSource, PushOptions};
