//! Turns what was ordered into one digest at the source and one name at the destination.

use arc_oci::{Client, Descriptor, tags};

use crate::destination::{Destination, destination};
use crate::environment::{Request, Wanted};
use crate::error::Error;

/// One artifact, resolved.
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    /// The root manifest.
    pub(crate) root: Descriptor,
    /// Full path of the source repository in its registry.
    pub(crate) source_repository: String,
    /// The tag that was chosen.
    pub(crate) tag: Option<String>,
    /// Full path of the destination repository in its registry.
    pub(crate) destination_repository: String,
    /// The destination tag.
    pub(crate) destination_tag: String,
}

/// Resolves the request's artifact at the source: a digest as given; a tag as given if it exists; else the highest
/// tag that satisfies the constraint.
pub(crate) async fn resolve(request: &Request, source: &Client) -> Result<Resolved, Error> {
    let wanted = &request.wanted;
    let source_repository = path(&request.source.remote, &wanted.repository, "SPEC_REPOSITORY")?;
    let (root, tag) = match &wanted.digest {
        Some(digest) => {
            let root = source.resolve(&source_repository, &digest.to_string()).await?;
            let root =
                root.ok_or_else(|| missing(&source_repository, &digest.to_string(), request))?;
            (root, wanted.tag.clone())
        }
        None => by_tag(request, source, &source_repository, wanted).await?,
    };
    let Destination { repository, tag: destination_tag } =
        destination(&request.override_template, &wanted.repository, tag.as_deref())?;
    let destination_repository = path(&request.destination.remote, &repository, "SPEC_OVERRIDE")?;
    refuse_self_delivery(
        request,
        &source_repository,
        &destination_repository,
        tag.as_deref(),
        &destination_tag,
    )?;
    Ok(Resolved { root, source_repository, tag, destination_repository, destination_tag })
}

async fn by_tag(
    request: &Request,
    source: &Client,
    repository: &str,
    wanted: &Wanted,
) -> Result<(Descriptor, Option<String>), Error> {
    let expression = wanted.tag.as_deref().unwrap_or_default();
    if arc_oci::validate_tag(expression).is_ok()
        && let Some(root) = source.resolve(repository, expression).await?
    {
        return Ok((root, Some(expression.to_owned())));
    }
    let known = source.tags(repository).await?;
    let chosen = tags::select(expression, &known).map_err(|error| {
        let hint = "write a tag that exists, a digest, or a constraint such as \">=3.18 <3.19\"";
        let message =
            format!("{repository:?} has no tag {expression:?}, and as a constraint {error}");
        Error::input("SPEC_TAG", message, hint)
    })?;
    let Some(chosen) = chosen else {
        let registry = &request.source.remote.host;
        let message = format!(
            "none of the {} tags of {registry}/{repository} satisfies {expression:?}",
            known.len()
        );
        return Err(Error::input("SPEC_TAG", message, nearby(&known)));
    };
    let root = source.resolve(repository, chosen).await?;
    root.map(|root| (root, Some(chosen.to_owned())))
        .ok_or_else(|| missing(repository, chosen, request))
}

/// A delivery onto its own source would sign in place, which nobody ordered.
fn refuse_self_delivery(
    request: &Request,
    source_repository: &str,
    destination_repository: &str,
    tag: Option<&str>,
    destination_tag: &str,
) -> Result<(), Error> {
    let same_registry = request.source.remote.host == request.destination.remote.host;
    if same_registry && source_repository == destination_repository && tag == Some(destination_tag)
    {
        let message =
            format!("source and destination are both {destination_repository}:{destination_tag}");
        return Err(Error::input(
            "DST_REMOTE_URL",
            message,
            "choose another destination endpoint, or an override",
        ));
    }
    Ok(())
}

fn path(remote: &arc_oci::Remote, repository: &str, field: &str) -> Result<String, Error> {
    remote.repository(repository).map_err(|error| {
        Error::input(
            field,
            error.to_string(),
            "write lower-case path components such as library/alpine",
        )
    })
}

fn missing(repository: &str, name: &str, request: &Request) -> Error {
    let message = format!("{}/{repository} has no manifest {name:?}", request.source.remote.host);
    Error::input(
        "SPEC_TAG",
        message,
        "check the repository and the tag; a private one may also need credentials",
    )
}

/// Names a few of the tags that exist, so that a typo shows.
fn nearby(known: &[String]) -> String {
    const SHOWN: usize = 8;
    if known.is_empty() {
        return "the repository has no tags".to_owned();
    }
    let last: Vec<_> = known.iter().rev().take(SHOWN).map(String::as_str).collect();
    format!("tags there are, among others, {}", last.join(", "))
}
