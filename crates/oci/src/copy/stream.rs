//! Copies from registry to registry without a temporary copy.
//!
//! Discovery and transfer overlap: each manifest's blobs move while its children and referrers are still being read.
//! [`run`] has the order of writes, [`blobs`] the cheapest way for each blob.

mod belongings;
mod blobs;
mod run;

use self::run::Run;
use super::{CopyOptions, CopyReport, Place, select::select};
use crate::{Descriptor, Digest, Error, Progress, RawManifest, auth::Scope};

/// Copies an image, with everything that belongs to it, from one repository to another.
///
/// `root` is a tag or a digest of the source. Blobs stream through, verified: a blob's last bytes are only sent when its
/// digest is right. Children are written before parents, and [`CopyOptions::tag`] last, so that a copy which is stopped
/// leaves nothing visible. What an earlier copy left behind is not sent again. Dropping the future stops the copy.
///
/// # Errors
/// [`Error::VerifyContent`] when the source gives other content than it names.
pub async fn stream(
    source: Place<'_>,
    root: &str,
    destination: Place<'_>,
    options: &CopyOptions,
    progress: &Progress,
) -> Result<CopyReport, Error> {
    let tagged = match &options.tag {
        Some(tag) => resolve(destination, Scope::push(destination.repository), tag).await?,
        None => None,
    };
    let original = match find_root(source, root, tagged.as_ref(), options).await? {
        Root::Unchanged(digest) => return Ok(unchanged(digest.clone(), digest)),
        Root::Copy(raw) => raw,
    };
    let source_digest = original.digest.clone();
    let (raw, selection) = select(original, &options.platforms)?;
    let digest = raw.digest.clone();
    let before = if options.tag.is_some() {
        tagged
    } else {
        let scope = Scope::push(destination.repository);
        resolve(destination, scope, &digest.to_string()).await?
    };
    let is_there = before.as_ref().is_some_and(|before| before.digest == digest);
    if is_there && !options.recheck {
        return Ok(CopyReport { selection, ..unchanged(source_digest, digest) });
    }
    let mut report = CopyReport::new(source_digest, digest.clone());
    report.selection = selection;
    let mut run = Run::new([source, destination], options, progress, before.is_some(), report);
    run.source_tag = root.parse::<Digest>().is_err().then(|| root.to_owned());
    run.copy_root(&raw, is_there).await?;
    let report = run.into_report();
    tracing::info!(
        source = source.repository,
        destination = destination.repository,
        %digest,
        blobs = report.blobs_sent,
        bytes = report.bytes_sent,
        mounted = report.blobs_mounted,
        manifests = report.manifests_written,
        "image copied"
    );
    Ok(report)
}

enum Root {
    /// The destination has it.
    Unchanged(Digest),
    Copy(RawManifest),
}

/// Reads the root, unless a digest tells that the destination has it: HEAD counts as no pull, and what is absent there
/// needs no HEAD here.
async fn find_root(
    source: Place<'_>,
    root: &str,
    tagged: Option<&Descriptor>,
    options: &CopyOptions,
) -> Result<Root, Error> {
    let Place { client, repository } = source;
    let mut name = root.to_owned();
    if let Some(tagged) = tagged.filter(|_| options.platforms.is_empty() && !options.recheck) {
        if root.parse::<Digest>().is_err()
            && let Some(found) = resolve(source, Scope::pull(repository), root).await?
        {
            name = found.digest.to_string();
        }
        if name == tagged.digest.to_string() {
            return Ok(Root::Unchanged(tagged.digest.clone()));
        }
    }
    let _permit = client.inner.reads.permit().await;
    client.manifest(repository, &name).await.map(Root::Copy)
}

async fn resolve(place: Place<'_>, scope: Scope, name: &str) -> Result<Option<Descriptor>, Error> {
    let _permit = place.client.inner.reads.permit().await;
    place.client.resolve_as(scope, name).await
}

fn unchanged(source: Digest, destination: Digest) -> CopyReport {
    CopyReport { is_unchanged: true, manifests_present: 1, ..CopyReport::new(source, destination) }
}
