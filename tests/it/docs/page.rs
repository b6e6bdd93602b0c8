//! Follows one page from top to bottom, as a reader would.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use arc_tests::arc::{Arc, Process};
use tempfile::TempDir;

use super::blocks::{Block, Kind};

/// How the demo's first line begins.
const ADDRESS_BEGINS: &str = "registry of our own on http://";
/// How the demo says that everything is there.
const DEMO_IS_READY: &str = "The registry stays up";

/// Runs the page's blocks and returns how many were run.
pub(super) async fn follow(page: &str, blocks: &[Block]) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let (_demo, address) = demo(&folder).await;
    let shell = Arc::new("/bin/sh")
        .current_dir(folder.path())
        .env("PATH", path_with_arc(&folder))
        .env("REGISTRY", Path::new(&address));
    let mut run = 0;
    for block in blocks {
        match &block.kind {
            Kind::Run => {
                let finished = shell.run(&["-euc", &block.text]).await;
                assert_eq!(
                    finished.code,
                    Some(expected(&block.text)),
                    "{page}:{}\n{}\n--- stdout\n{}\n--- stderr\n{}",
                    block.line,
                    block.text,
                    finished.stdout,
                    finished.stderr
                );
                run += 1;
            }
            Kind::File(name) => {
                let path = folder.path().join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, block.text.replace("$REGISTRY", &address)).unwrap();
            }
            Kind::Left(_) | Kind::Fragment | Kind::Prose => {}
        }
    }
    run
}

/// The exit code that the block announces.
fn expected(commands: &str) -> i32 {
    let announced = commands.lines().find_map(|line| line.trim().split("# exits with ").nth(1));
    announced.map_or(0, |code| code.trim().parse().expect("`# exits with` is followed by a number"))
}

/// Starts a demo in the page's folder, and returns it with its address once it serves.
async fn demo(folder: &TempDir) -> (Process, String) {
    let arc = Arc::new(env!("CARGO_BIN_EXE_arc-under-test")).current_dir(folder.path());
    let demo = arc.spawn(&["demo", "--keep-serving"]);
    let ready = async {
        while !demo.stdout().contains(DEMO_IS_READY) {
            assert!(demo.is_running(), "the demo ended\n{}{}", demo.stdout(), demo.stderr());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), ready).await.unwrap();
    let told = demo.stdout();
    let address = told.split(ADDRESS_BEGINS).nth(1).unwrap().split(',').next().unwrap();
    (demo, address.to_owned())
}

/// The search path with the binary under test as `arc`.
fn path_with_arc(folder: &TempDir) -> String {
    let programs = folder.path().join(".programs");
    std::fs::create_dir(&programs).unwrap();
    symlink(env!("CARGO_BIN_EXE_arc-under-test"), programs.join("arc")).unwrap();
    format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default())
}
