//! Real programs to be compatible with: a registry, and other people's clients and verifiers.
//!
//! `.ci/peers` puts them into `target/peers/bin`; tests that need one begin with [`require`].

mod docker_registry;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    path::{Path, PathBuf},
    process::Command,
};

pub use crate::peers::docker_registry::{DockerRegistry, Setup};

/// A program of somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// The CNCF distribution registry 2.8.
    DockerRegistry,
    /// Copies and inspects images.
    Skopeo,
    /// cosign 2.x: tags `.sig` and `.att`.
    Cosign2,
    /// cosign 3.x: bundles.
    Cosign3,
    /// Works with artifacts and referrers.
    Oras,
    /// go-containerregistry's tool.
    Crane,
}

impl Peer {
    /// Returns the file name in `target/peers/bin`, the environment variable that wins over it, and the name on `PATH`.
    fn places(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::DockerRegistry => ("docker-registry", "ARC_DOCKER_REGISTRY", "docker-registry"),
            Self::Skopeo => ("skopeo", "ARC_SKOPEO", "skopeo"),
            Self::Cosign2 => ("cosign2", "ARC_COSIGN2", "cosign"),
            Self::Cosign3 => ("cosign3", "ARC_COSIGN3", "cosign"),
            Self::Oras => ("oras", "ARC_ORAS", "oras"),
            Self::Crane => ("crane", "ARC_CRANE", "crane"),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.places().0)
    }
}

/// Returns the program, or says that the test is skipped. In CI (`CI=true`) a missing program fails the test.
///
/// ```ignore
/// let Some(skopeo) = require(Peer::Skopeo) else { return };
/// ```
#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
pub fn require(peer: Peer) -> Option<PathBuf> {
    let found = find(peer);
    if found.is_none() {
        let message = format!("skipped: {peer} is not installed (run .ci/peers to get it)");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{message}");
        eprintln!("{message}");
    }
    found
}

fn find(peer: Peer) -> Option<PathBuf> {
    let (file, variable, name) = peer.places();
    if let Some(given) = std::env::var_os(variable) {
        return Some(given.into());
    }
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers/bin").join(file);
    if unpacked.is_file() {
        return Some(unpacked);
    }
    let path = std::env::var_os("PATH")?;
    let installed =
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())?;
    is_version(&installed, peer).then_some(installed)
}

/// Tells whether a cosign found by chance has the right major version; for others any version will do.
fn is_version(program: &Path, peer: Peer) -> bool {
    let major = match peer {
        Peer::Cosign2 => "v2.",
        Peer::Cosign3 => "v3.",
        Peer::DockerRegistry | Peer::Skopeo | Peer::Oras | Peer::Crane => return true,
    };
    let output = Command::new(program).arg("version").output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(major))
}
