//! From what was typed to a client: references, credentials, certificates; shared by all commands that reach a registry.

use std::path::Path;

use arc_oci::{Client, ClientOptions, Credentials, Platform, Reference, Remote};
use arc_steps::Exit;

use crate::cli::RegistryAccess;
use crate::report::Failure;

/// A failure of a registry, with the exit code that says whether a retry may help.
pub(crate) fn failed(error: arc_oci::Error) -> Failure {
    Failure::from(arc_steps::Error::from(error))
}

/// Reads `registry/repository:tag` or `@digest`, with `http://` before it for a registry without TLS.
pub(crate) fn parse_reference(text: &str) -> Result<(Remote, Reference), Failure> {
    let (scheme, name) = text.split_once("://").unwrap_or(("https", text));
    let invalid = |error: arc_oci::NameError| {
        Failure::input(&error).hint("write registry/repository:tag or registry/repository@digest")
    };
    let reference: Reference = name.parse().map_err(invalid)?;
    let remote = Remote::parse(&format!("{scheme}://{}", reference.registry)).map_err(invalid)?;
    Ok((remote, reference))
}

/// Reads `registry/repository`, which names no tag and no digest.
pub(crate) fn parse_repository(text: &str) -> Result<(Remote, String), Failure> {
    let (remote, reference) = parse_reference(text)?;
    if reference.tag.is_some() || reference.digest.is_some() {
        let message = format!("{text:?} names one image; expected a repository");
        return Err(Failure::new(Exit::WrongInput, message).hint("leave out what follows the name"));
    }
    Ok((remote, reference.repository))
}

/// The failure of a reference that leads nowhere.
pub(crate) fn nothing_at(reference: &Reference) -> Failure {
    Failure::new(Exit::WrongInput, format!("there is nothing at {reference}"))
}

/// Reads `os/architecture` or `os/architecture/variant`.
pub(crate) fn parse_platform(text: &str) -> Result<Platform, Failure> {
    let mut parts = text.split('/').map(str::to_owned);
    let mut part = || parts.next().unwrap_or_default();
    let platform =
        Platform { os: part(), architecture: part(), variant: part(), ..Platform::default() };
    if platform.os.is_empty() || platform.architecture.is_empty() || parts.next().is_some() {
        let message = format!("{text:?} is not a platform; expected os/architecture");
        return Err(Failure::new(Exit::WrongInput, message).hint("for example linux/amd64"));
    }
    Ok(platform)
}

/// Who we are in a registry; `repository` finds credentials that are for a part of it only.
pub(crate) fn credentials(
    access: &RegistryAccess,
    remote: &Remote,
    repository: &str,
) -> Result<Option<Credentials>, Failure> {
    let within = Remote { prefix: repository.to_owned(), ..remote.clone() };
    match &access.credentials {
        Some(folder) => Ok(arc_steps::read_credentials(folder, &within)?),
        None => user_credentials(&within),
    }
}

/// Makes a client for one registry; `repository` finds credentials that are for a part of it only.
pub(crate) fn connect(
    access: &RegistryAccess,
    remote: Remote,
    repository: &str,
) -> Result<Client, Failure> {
    let credentials = credentials(access, &remote, repository)?;
    connect_as(access, remote, credentials)
}

/// Makes a client for one registry with credentials that were found before.
pub(crate) fn connect_as(
    access: &RegistryAccess,
    remote: Remote,
    credentials: Option<Credentials>,
) -> Result<Client, Failure> {
    let mut options = ClientOptions::new(remote);
    options.credentials = credentials;
    options.ca_bundle = access.ca_bundle.as_deref().map(read).transpose()?;
    Client::new(options).map_err(|error| Failure::input(&error))
}

/// Reads a file that was named on the command line.
pub(crate) fn read(path: impl AsRef<Path>) -> Result<String, Failure> {
    let path = path.as_ref();
    std::fs::read_to_string(path).map_err(|error| {
        Failure::new(Exit::WrongInput, format!("failed to read {}: {error}", path.display()))
    })
}

/// What `docker login` left for this registry.
fn user_credentials(remote: &Remote) -> Result<Option<Credentials>, Failure> {
    let folder = std::env::var_os("DOCKER_CONFIG").map(std::path::PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".docker"));
    let Some(path) = folder.or_else(home).map(|folder| folder.join("config.json")) else {
        return Ok(None);
    };
    let Ok(text) = std::fs::read_to_string(&path) else { return Ok(None) };
    Credentials::from_docker_config(&text, remote)
        .map_err(|error| Failure::new(Exit::WrongInput, format!("{}: {error}", path.display())))
}
