//! `arc sync`: many images as a file says, in one process that knows what it has sent already.

mod config;
mod expand;
pub(crate) mod filter;
mod print;

use arc_oci::Progress;
use arc_oci::copy::BlobMap;
use arc_steps::Exit;
use futures::StreamExt as _;

use crate::cli::{Output, Sync};
use crate::copy::{Copied, Task, watched};
use crate::progress::Display;
use crate::report::Failure;

/// One image, and what became of it.
pub(crate) struct Row {
    pub(crate) source: String,
    pub(crate) destination: String,
    pub(crate) result: Result<Copied, Failure>,
}

/// Runs the command.
pub(crate) async fn run(args: &Sync) -> Result<Exit, Failure> {
    let config = config::Config::read(&args.file)?;
    let blobs = BlobMap::with_memory(args.how.memory());
    let progress = Progress::new();
    let display = Display::new().artifact("sync");
    let work = async {
        let found = expand::expand(&config, &args.how, &blobs).await;
        let (parallel, progress) = (args.parallel.max(1), &progress);
        let mut rows: Vec<_> = futures::stream::iter(found.into_iter().enumerate())
            .map(|(number, found)| async move {
                let row = match found {
                    expand::Wanted::Copy(task) => copy(&task, progress).await,
                    expand::Wanted::Failed(row) => *row,
                };
                (number, row)
            })
            .buffer_unordered(parallel)
            .collect()
            .await;
        // In the order of the file, whatever ended first.
        rows.sort_by_key(|(number, _)| *number);
        rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>()
    };
    let rows = watched(&display, &progress, Box::pin(work)).await;
    match args.output {
        Output::Text => print::text(&rows),
        Output::Json => print::json(&rows)?,
    }
    Ok(exit(&rows))
}

async fn copy(task: &Task, progress: &Progress) -> Row {
    let (source, destination) = (task.from.to_string(), task.to.to_string());
    Row { source, destination, result: Box::pin(task.run(progress)).await }
}

/// A failure that may pass wins over one that stays: running again is worth it.
fn exit(rows: &[Row]) -> Exit {
    let exits = || rows.iter().filter_map(|row| row.result.as_ref().err()).map(|error| error.exit);
    if exits().any(|exit| exit == Exit::Failed) {
        return Exit::Failed;
    }
    exits().next().unwrap_or(Exit::Done)
}
