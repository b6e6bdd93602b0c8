//! `arc demo`: the whole job on this machine, on real formats, with a registry of its own.
//!
//! Nothing is special about it: the manifests are those of `examples/quickstart` with the registry's address filled
//! in, and the order runs through the same functions as `arc run`.

mod images;
mod seed;
mod story;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use arc_steps::Exit;

use crate::cli::Demo;
use crate::manifests::Manifests;
use crate::report::Failure;
use crate::run::{Row, Workshop, local};

/// The address in the manifests of `examples/quickstart`.
const EXAMPLE_ADDRESS: &str = "localhost:5000";
/// The manifests, as files of the demo's folder.
const MANIFESTS: [(&str, &str); 3] = [
    ("endpoints.yaml", include_str!("../../../examples/quickstart/endpoints.yaml")),
    ("artifact-type.yaml", include_str!("../../../examples/quickstart/artifact-type.yaml")),
    ("order.yaml", include_str!("../../../examples/quickstart/order.yaml")),
];
/// The order that ran last week; it is kept apart so that `arc run -f manifests` runs one order.
const EARLIER: (&str, &str) =
    ("earlier-order.yaml", include_str!("../../../examples/quickstart/earlier-order.yaml"));
/// Tells a folder that a demo made, and may therefore be cleared.
const MARKER: &str = "made-by-arc-demo";

/// Where the demo keeps its things.
struct Folders {
    top: PathBuf,
}

impl Folders {
    fn registry(&self) -> PathBuf {
        self.top.join("registry")
    }

    fn manifests(&self) -> PathBuf {
        self.top.join("manifests")
    }

    fn earlier(&self) -> PathBuf {
        self.top.join("earlier")
    }

    fn work(&self) -> PathBuf {
        self.top.join("work")
    }

    fn keys(&self) -> PathBuf {
        self.top.join("keys")
    }
}

/// Runs the command.
pub(crate) async fn run(args: &Demo) -> Result<Exit, Failure> {
    let folders = prepare(&args.dir)?;
    let registry = arc_registry::Registry::open(folders.registry())
        .map_err(|error| Failure::failed(&error))?;
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let running =
        arc_registry::serve(free, &registry).await.map_err(|error| Failure::failed(&error))?;
    let address = running.addr.to_string();
    story::registry(&address, &folders.registry());
    let seeded = seed::seed(&address, &folders.top.join("seed")).await?;
    story::seeded(&seeded);

    write_manifests(&folders, &address)?;
    story::manifests(&folders.manifests())?;
    let earlier =
        deliver(&[folders.earlier(), folders.manifests()], "last-week", &folders.work()).await?;
    story::earlier(&earlier);
    let rows = deliver(&[folders.manifests()], "quickstart", &folders.work()).await?;
    let mut expected = story::outcome(&rows);
    for row in rows.iter().filter(|row| row.outcome == "Refused") {
        expected &= story::refused(row, seed::is_there(&address, row).await?);
    }

    story::commands(&address, &folders, &rows, args.keep_serving);
    if args.keep_serving {
        crate::registry::interrupted().await;
    }
    running.shutdown().await;
    if expected {
        Ok(Exit::Done)
    } else {
        Err(Failure::new(Exit::Failed, "the demo did not end as it should; see above"))
    }
}

/// Makes an empty folder, clearing only what an earlier demo made.
fn prepare(dir: &Path) -> Result<Folders, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(Exit::Failed, format!("failed to prepare {}: {error}", dir.display()))
    };
    let is_ours = dir.join(MARKER).exists();
    if dir.exists() && !is_ours && dir.read_dir().map_err(failed)?.next().is_some() {
        let message = format!("{} holds files that no demo made", dir.display());
        return Err(
            Failure::new(Exit::WrongInput, message).hint("choose an empty folder with --dir")
        );
    }
    if is_ours {
        std::fs::remove_dir_all(dir).map_err(failed)?;
    }
    std::fs::create_dir_all(dir).map_err(failed)?;
    std::fs::write(dir.join(MARKER), "This folder may be deleted at any time.\n")
        .map_err(failed)?;
    Ok(Folders { top: dir.to_owned() })
}

fn write_manifests(folders: &Folders, address: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(Exit::Failed, format!("failed to write the manifests: {error}"))
    };
    for (folder, files) in
        [(folders.manifests(), MANIFESTS.as_slice()), (folders.earlier(), &[EARLIER])]
    {
        std::fs::create_dir_all(&folder).map_err(failed)?;
        for (name, text) in files {
            std::fs::write(folder.join(name), text.replace(EXAMPLE_ADDRESS, address))
                .map_err(failed)?;
        }
    }
    crate::keys::write_pair(&folders.keys(), Some("team-a"))?;
    // Moved and not copied: a private key stands in one place.
    std::fs::rename(
        folders.keys().join("cosign-key.yaml"),
        folders.manifests().join("cosign-key.yaml"),
    )
    .map_err(failed)
}

/// Runs one order, as `arc run -f … --order NAME --work-dir DIR` does.
async fn deliver(files: &[PathBuf], order: &str, work: &Path) -> Result<Vec<Row>, Failure> {
    let manifests = Manifests::read(files).map_err(|error| Failure::input(&error))?;
    let workshop = Workshop::new(&manifests)?;
    let work = std::path::absolute(work).map_err(|error| {
        Failure::new(Exit::Failed, format!("failed to find the work folder: {error}"))
    })?;
    let mut rows = Vec::new();
    for (key, found) in manifests.orders.iter().filter(|((_, name), _)| name == order) {
        rows.extend(workshop.run(&local(key, found), &work).await?);
    }
    Ok(rows)
}
