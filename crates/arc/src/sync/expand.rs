//! From the entries of a file to single images: asks the sources for repositories and tags where the file does not name them.

use std::sync::{Mutex, PoisonError};

use arc_oci::copy::{BlobMap, Referrers};
use arc_oci::{Client, Credentials, Reference, Remote, validate_repository};
use arc_steps::Exit;
use futures::StreamExt as _;

use super::Row;
use super::config::{Config, Entry, Scope};
use crate::cli::{CopyHow, RegistryAccess};
use crate::copy::{Rules, Task};
use crate::registry_access::{connect_as, credentials, failed};
use crate::report::Failure;

/// How many entries ask their source at the same time.
const TOGETHER: usize = 8;

/// What came of an entry.
pub(super) enum Wanted {
    /// An image to copy.
    Copy(Box<Task>),
    /// What it wants cannot be found out.
    Failed(Box<Row>),
}

/// Finds every image to copy; an entry that fails leaves the others alone.
pub(super) async fn expand(config: &Config, how: &CopyHow, blobs: &BlobMap) -> Vec<Wanted> {
    let sides = Sides {
        source: Clients::new(how.source()),
        destination: Clients::new(how.destination()),
        how,
        blobs,
    };
    let sides = &sides;
    let found: Vec<Vec<Wanted>> = futures::stream::iter(&config.entries)
        .map(|entry| async move {
            match sides.expand(entry).await {
                Ok(tasks) => tasks.into_iter().map(|task| Wanted::Copy(Box::new(task))).collect(),
                Err(failure) => vec![Wanted::Failed(Box::new(row(entry, failure)))],
            }
        })
        .buffered(TOGETHER)
        .collect()
        .await;
    found.into_iter().flatten().collect()
}

fn row(entry: &Entry, failure: Failure) -> Row {
    let source = match &entry.source {
        Scope::Repository(remote) | Scope::Registry { remote, .. } => remote.to_string(),
    };
    Row { source, destination: entry.destination.to_string(), result: Err(failure) }
}

struct Sides<'a> {
    source: Clients,
    destination: Clients,
    how: &'a CopyHow,
    blobs: &'a BlobMap,
}

impl Sides<'_> {
    async fn expand(&self, entry: &Entry) -> Result<Vec<Task>, Failure> {
        let pairs = match &entry.source {
            Scope::Repository(remote) => vec![(remote.clone(), entry.destination.prefix.clone())],
            Scope::Registry { remote, patterns } => {
                let client = self.source.get(remote, "")?;
                let all = client.catalog().await.map_err(|error| {
                    failed(error)
                        .hint("where a registry lists nothing, name the repositories one by one")
                })?;
                repositories(&all, remote, patterns, &entry.destination)?
            }
        };
        let mut tasks = Vec::new();
        for (source, target) in pairs {
            let reader = self.source.get(&source, &source.prefix)?;
            let tags = if let Some(tags) = entry.tags.known() {
                tags
            } else {
                entry.tags.choose(&reader.tags(&source.prefix).await.map_err(failed)?)
            };
            for tag in tags {
                tasks.push(Task {
                    source: reader.clone(),
                    destination: self.destination.get(&entry.destination, &target)?,
                    from: reference(&source, &source.prefix, &tag),
                    to: reference(&entry.destination, &target, &tag),
                    rules: Rules {
                        platforms: entry.platforms.clone(),
                        // What is typed wins over the file.
                        referrers: match self.how.referrers() {
                            Referrers::All => entry.referrers.clone(),
                            chosen => chosen,
                        },
                        recheck: self.how.recheck,
                        dry_run: self.how.dry_run,
                    },
                    blobs: self.blobs.clone(),
                });
            }
        }
        Ok(tasks)
    }
}

fn reference(remote: &Remote, repository: &str, tag: &str) -> Reference {
    Reference {
        registry: remote.host.clone(),
        repository: repository.to_owned(),
        tag: Some(tag.to_owned()),
        digest: None,
    }
}

/// Chooses repositories, and pairs each with its path at the destination.
fn repositories(
    all: &[String],
    remote: &Remote,
    patterns: &[regex::Regex],
    destination: &Remote,
) -> Result<Vec<(Remote, String)>, Failure> {
    let mut pairs = Vec::new();
    for repository in all {
        let below = match remote.prefix.as_str() {
            "" => Some(repository.as_str()),
            prefix => repository.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('/')),
        };
        let Some(below) = below else { continue };
        if !patterns.iter().any(|pattern| pattern.is_match(below)) {
            continue;
        }
        // A registry may list anything; only names lead on.
        let target = match destination.prefix.as_str() {
            "" => below.to_owned(),
            prefix => format!("{prefix}/{below}"),
        };
        for name in [repository, &target] {
            validate_repository(name).map_err(|error| Failure::input(&error))?;
        }
        pairs.push((Remote { prefix: repository.clone(), ..remote.clone() }, target));
    }
    if pairs.is_empty() {
        let message = format!("no repository that {} lists is asked for", remote.host);
        return Err(Failure::new(Exit::WrongInput, message));
    }
    Ok(pairs)
}

/// The clients of one side: one for every registry and account, so that connections, logins and limits are shared.
struct Clients {
    access: RegistryAccess,
    known: Mutex<Vec<(Remote, Option<Credentials>, Client)>>,
}

impl Clients {
    fn new(access: RegistryAccess) -> Self {
        Self { access, known: Mutex::default() }
    }

    fn get(&self, remote: &Remote, repository: &str) -> Result<Client, Failure> {
        let remote = Remote { prefix: String::new(), ..remote.clone() };
        let account = credentials(&self.access, &remote, repository)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().find(|known| known.0 == remote && known.1 == account);
        if let Some((.., client)) = found {
            return Ok(client.clone());
        }
        let client = connect_as(&self.access, remote.clone(), account.clone())?;
        known.push((remote, account, client.clone()));
        Ok(client)
    }
}
