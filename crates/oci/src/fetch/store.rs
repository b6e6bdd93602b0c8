//! Fetches a blob into a layout, and continues what an earlier fetch left behind.

use tokio::{io::AsyncWriteExt as _, task::JoinError};

use super::BlobReader;
use crate::{Client, Descriptor, Error, Layout, Progress, layout::ingest::Ingest};

impl Client {
    /// Fetches a blob into a layout and returns the bytes that moved, 0 when it was there.
    ///
    /// What an earlier, broken fetch has left behind is continued.
    pub async fn fetch_blob(
        &self,
        repository: &str,
        descriptor: &Descriptor,
        layout: &Layout,
        progress: &Progress,
    ) -> Result<u64, Error> {
        let lock = layout.writer_lock(&descriptor.digest);
        let _only_writer = lock.lock().await;
        if layout.has_blob(&descriptor.digest, descriptor.size) || layout.put_inline(descriptor)? {
            progress.add_done(descriptor.size);
            return Ok(0);
        }
        loop {
            let (ingest, hasher, offset) =
                blocking(layout, descriptor, Layout::begin_ingest).await?;
            let mut reader = self.continue_blob(repository, descriptor, hasher, offset);
            progress.add_done(offset);
            let error = match write_all(&mut reader, &ingest, progress).await {
                Ok(()) => {
                    tokio::task::spawn_blocking(|| ingest.commit())
                        .await
                        .map_err(|error| join_error(layout, error))??;
                    return Ok(descriptor.size - offset);
                }
                Err(error) => error,
            };
            progress.take_back(reader.received);
            if !matches!(error, Error::VerifyContent { .. }) {
                return Err(error);
            }
            ingest.discard();
            // The bytes left from an earlier attempt may be what is wrong: once more without them.
            if offset == 0 {
                return Err(error);
            }
        }
    }
}

async fn write_all(
    reader: &mut BlobReader,
    ingest: &Ingest,
    progress: &Progress,
) -> Result<(), Error> {
    let mut file = tokio::fs::File::from_std(ingest.writer()?);
    let written = async {
        while let Some(bytes) = reader.chunk().await? {
            file.write_all(&bytes).await.map_err(|source| ingest.failed(source))?;
            progress.add_done(bytes.len() as u64);
        }
        Ok(())
    }
    .await;
    // Also after a failure: what is written is what the next attempt starts from.
    file.flush().await.map_err(|source| ingest.failed(source))?;
    written
}

/// Runs file work of a layout where it may block.
async fn blocking<T: Send + 'static>(
    layout: &Layout,
    descriptor: &Descriptor,
    work: fn(&Layout, &Descriptor) -> Result<T, Error>,
) -> Result<T, Error> {
    let (inside, descriptor) = (layout.clone(), descriptor.clone());
    let done = tokio::task::spawn_blocking(move || work(&inside, &descriptor)).await;
    done.map_err(|error| join_error(layout, error))?
}

fn join_error(layout: &Layout, error: JoinError) -> Error {
    Error::WriteLayout { path: layout.dir().to_owned(), source: error.into() }
}
