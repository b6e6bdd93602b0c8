//! Where a step finds its files: fixed paths in a pod, the same paths under a folder on one machine.

use std::path::{Path, PathBuf};

use arc_evidence::{KeyFiles, PublicKey, SigningKey};
use arc_oci::{Client, ClientOptions, Credentials};

use crate::environment::EndpointFacts;
use crate::error::Error;

/// The paths of one run.
#[derive(Debug, Clone)]
pub struct Place {
    root: PathBuf,
}

/// Which endpoint's credentials are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Source,
    Destination,
}

impl Place {
    /// A place whose absolute paths are below `root`; `/` in a pod.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Returns whether this is a folder of one machine and not a pod.
    pub(crate) fn is_local(&self) -> bool {
        self.root != Path::new("/")
    }

    pub(crate) fn image(&self) -> PathBuf {
        self.path("/work/image")
    }

    pub(crate) fn plan(&self) -> PathBuf {
        self.path("/work/plan.json")
    }

    pub(crate) fn scan(&self) -> PathBuf {
        self.path("/work/scan.json")
    }

    pub(crate) fn result(&self) -> PathBuf {
        self.path("/work/result.json")
    }

    /// The verification summary as one DSSE file, for verifiers that read no registry.
    pub(crate) fn summary(&self) -> PathBuf {
        self.path("/work/vsa.dsse.json")
    }

    /// Where `fetch` puts advisories that come from a registry.
    pub(crate) fn fetched_advisories(&self) -> PathBuf {
        self.path("/work/advisories")
    }

    /// Finds a file that a parameter names: under the mounts if it is there, else, on one machine, as it is.
    pub(crate) fn find(&self, path: &str) -> PathBuf {
        let mounted = self.path(path);
        if self.is_local() && !mounted.exists() { PathBuf::from(path) } else { mounted }
    }

    /// The key pair to sign with. A missing key is a failure, never a skip.
    pub(crate) fn signing_key(&self) -> Result<SigningKey, Error> {
        let folder = self.path("/secrets/cosign");
        let files = KeyFiles::read(&folder)
            .map_err(|source| Error::Key { action: "read the signing key", source })?;
        files.open().map_err(|source| Error::Key { action: "open the signing key", source })
    }

    /// The public key that destinations are judged by, where it is mounted: a pod without the signing secret has none.
    pub(crate) fn public_key(&self) -> Result<Option<PublicKey>, Error> {
        let path = self.path("/secrets/cosign").join(KeyFiles::PUBLIC);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::File { action: "read", path, source }),
        };
        PublicKey::from_pem(&text)
            .map(Some)
            .map_err(|source| Error::Key { action: "read the public key", source })
    }

    /// Opens a connection to an endpoint with its mounted credentials.
    pub(crate) fn connect(&self, side: Side, endpoint: &EndpointFacts) -> Result<Client, Error> {
        let credentials =
            if endpoint.has_secret { self.credentials(side, endpoint)? } else { None };
        let mut options = ClientOptions::new(endpoint.remote.clone());
        options.credentials = credentials;
        options.ca_bundle.clone_from(&endpoint.ca_bundle);
        options.insecure_skip_verify = endpoint.insecure_skip_verify;
        Ok(Client::new(options)?)
    }

    /// Reads mounted credentials; `None` where the folder is not mounted in this pod.
    pub(crate) fn credentials(
        &self,
        side: Side,
        endpoint: &EndpointFacts,
    ) -> Result<Option<Credentials>, Error> {
        let folder = match side {
            Side::Source => "/secrets/src",
            Side::Destination => "/secrets/dst",
        };
        let path = self.path(folder);
        if !path.exists() {
            return Ok(None);
        }
        read_credentials(&path, &endpoint.remote)
    }

    fn path(&self, absolute: &str) -> PathBuf {
        self.root.join(absolute.trim_start_matches('/'))
    }
}

/// Reads `username` and `password`, or `.dockerconfigjson`, from a folder as Kubernetes mounts a Secret.
///
/// # Errors
/// [`Error::Input`] naming the folder where neither form is complete.
pub fn read_credentials(
    folder: &Path,
    remote: &arc_oci::Remote,
) -> Result<Option<Credentials>, Error> {
    let username = read_optional(&folder.join("username"))?;
    let password = read_optional(&folder.join("password"))?;
    if let (Some(username), Some(password)) = (&username, &password) {
        // Secrets made with `echo` end in a newline that no registry expects.
        let trim = |text: &str| text.trim_end_matches(['\r', '\n']).to_owned();
        return Ok(Some(Credentials::new(trim(username), trim(password))));
    }
    let field = folder.display().to_string();
    let hint = "the secret needs the keys username and password, or .dockerconfigjson with an entry for this registry";
    match read_optional(&folder.join(".dockerconfigjson"))? {
        Some(json) => match Credentials::from_docker_config(&json, remote) {
            Ok(Some(credentials)) => Ok(Some(credentials)),
            Ok(None) => {
                Err(Error::input(&field, format!("no entry for registry {:?}", remote.host), hint))
            }
            Err(error) => Err(Error::input(&field, error.to_string(), hint)),
        },
        None => {
            Err(Error::input(&field, "the secret holds no credentials that a registry takes", hint))
        }
    }
}

fn read_optional(path: &Path) -> Result<Option<String>, Error> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::File { action: "read", path: path.to_owned(), source }),
    }
}
