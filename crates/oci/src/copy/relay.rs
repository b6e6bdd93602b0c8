//! Copies from one layout to another.

use std::{fs, io::Read as _, io::Write as _};

use super::{
    CopyOptions, CopyReport,
    discover::{Graph, discover},
    select::select,
    source::Source,
};
use crate::{Descriptor, Digest, Error, Layout, Progress};

/// How much is read at a time, in bytes.
const CHUNK_SIZE: usize = 256 << 10;

/// Copies an image from one layout to another; [`CopyOptions::tag`] becomes its name there, as the last write.
pub async fn between_layouts(
    from: &Layout,
    root: &Digest,
    to: &Layout,
    options: &CopyOptions,
    progress: &Progress,
) -> Result<CopyReport, Error> {
    let (raw, selection) = select(from.manifest(root)?, &options.platforms)?;
    let graph = discover(&Source::layout(from, &raw)?, &options.referrers, 1).await?;
    let (from, to, progress) = (from.clone(), to.clone(), progress.clone());
    let (source, options) = (root.clone(), options.clone());
    let target = to.clone();
    let work = move || {
        let mut report = CopyReport::new(source, raw.digest.clone());
        report.selection = selection;
        copy_blobs(&graph, [&from, &to], &progress, &mut report)?;
        for node in graph.nodes() {
            let digest = &node.descriptor.digest;
            if to.manifest(digest).is_ok() {
                report.manifests_present += 1;
                continue;
            }
            let manifest = if *digest == raw.digest { raw.clone() } else { from.manifest(digest)? };
            to.put_manifest(&manifest)?;
            report.manifests_written += 1;
        }
        for digest in &graph.referrers {
            if let Some(node) = graph.manifests.get(digest) {
                to.add_unnamed(&node.descriptor)?;
            }
        }
        for (tag, descriptor) in &graph.legacy {
            to.set_ref(tag, descriptor)?;
        }
        to.name(&raw, options.tag.as_deref())?;
        report.is_unchanged = report.blobs_sent == 0 && report.manifests_written == 0;
        report.referrers = graph.referrers.len() as u64;
        report.legacy_tags = graph.legacy.into_iter().map(|(tag, _)| tag).collect();
        Ok(report)
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::WriteLayout {
        path: target.dir().to_owned(),
        source: error.into(),
    })?
}

fn copy_blobs(
    graph: &Graph,
    [from, to]: [&Layout; 2],
    progress: &Progress,
    report: &mut CopyReport,
) -> Result<(), Error> {
    for blob in graph.blobs.values() {
        if blob.is_foreign() && !from.has_blob(&blob.digest, blob.size) {
            report.foreign.push(blob.digest.clone());
            continue;
        }
        progress.add_total(blob.size);
        if to.has_blob(&blob.digest, blob.size) {
            progress.add_done(blob.size);
            report.blobs_present += 1;
            continue;
        }
        copy_blob(from, to, blob, progress)?;
        report.blobs_sent += 1;
        report.bytes_sent += blob.size;
    }
    Ok(())
}

/// Copies one blob; what is wrong never gets its final name.
fn copy_blob(
    from: &Layout,
    to: &Layout,
    blob: &Descriptor,
    progress: &Progress,
) -> Result<(), Error> {
    if to.put_inline(blob)? {
        progress.add_done(blob.size);
        return Ok(());
    }
    let path = from.blob_path(&blob.digest);
    let failed = |source| Error::ReadLayout { path: path.clone(), source };
    let mut file = match fs::File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let path = from.dir().to_owned();
            return Err(Error::FindContent { path, digest: blob.digest.clone() });
        }
        Err(error) => return Err(failed(error)),
    };
    let (ingest, _, _) = to.begin_ingest(blob)?;
    let mut target = ingest.writer()?;
    target.set_len(0).map_err(|source| ingest.failed(source))?;
    std::io::Seek::rewind(&mut target).map_err(|source| ingest.failed(source))?;
    let mut hasher = blob.digest.algorithm().hasher();
    let (mut buffer, mut length) = (vec![0; CHUNK_SIZE], 0);
    loop {
        let count = file.read(&mut buffer).map_err(failed)?;
        let Some(chunk) = buffer.get(..count).filter(|chunk| !chunk.is_empty()) else { break };
        hasher.update(chunk);
        length += count as u64;
        target.write_all(chunk).map_err(|source| ingest.failed(source))?;
        progress.add_done(count as u64);
    }
    let actual = hasher.finish();
    if actual == blob.digest && length == blob.size {
        return ingest.commit();
    }
    ingest.discard();
    Err(Error::VerifyContent {
        what: format!("{}", path.display()),
        expected: format!("{} bytes of {}", blob.size, blob.digest),
        actual: format!("{length} bytes of {actual}"),
    })
}
