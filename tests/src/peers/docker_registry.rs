//! Runs a real registry: its own configuration file, a temporary folder, a free loopback port.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    time::{Duration, Instant},
};

use http::StatusCode;
use tempfile::TempDir;

use crate::{
    arc::{Arc, Process},
    certs::Certificates,
    client::Client,
};

/// The bcrypt hash of the harness's password, in the only format this registry reads.
const HTPASSWD: &str = include_str!("htpasswd");
/// It needs some tenths of a second; more means that it did not start at all.
const START_LIMIT: Duration = Duration::from_secs(20);
/// By how many per cent its heap grows before a lean one collects garbage: its small heap fills with every other request.
const LEAN_GARBAGE: &str = "800";
/// Another program may take the port between our look and its start.
const ATTEMPTS: usize = 5;

/// How the registry is configured.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// Serves TLS with this certificate.
    pub tls: Option<Certificates>,
    /// Wants the harness's account (Basic auth).
    pub has_account: bool,
    /// Keeps its content in memory, logs errors only and collects garbage seldom, so that a measurement of its clients is
    /// not one of itself.
    pub is_lean: bool,
}

/// A registry that runs until it is dropped.
#[derive(Debug)]
pub struct DockerRegistry {
    host: String,
    setup: Setup,
    process: Process,
    _folder: TempDir,
}

impl DockerRegistry {
    /// Starts `program` and waits until it answers.
    pub async fn start(program: &Path, setup: Setup) -> Self {
        let mut errors = String::new();
        for _ in 0..ATTEMPTS {
            match Self::try_start(program, setup.clone()).await {
                Ok(registry) => return registry,
                Err(error) => errors.push_str(&error),
            }
        }
        panic!("docker-registry did not start:\n{errors}");
    }

    async fn try_start(program: &Path, setup: Setup) -> Result<Self, String> {
        let memory = Path::new("/dev/shm");
        let folder = if setup.is_lean && memory.is_dir() {
            tempfile::tempdir_in(memory).unwrap()
        } else {
            tempfile::tempdir().unwrap()
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let host = format!("127.0.0.1:{port}");
        fs::write(folder.path().join("config.yml"), configuration(folder.path(), &host, &setup))
            .unwrap();
        let mut run = Arc::new(program).current_dir(folder.path());
        if setup.is_lean {
            run = run.env("GOGC", LEAN_GARBAGE);
        }
        let process = run.spawn(&["serve", "config.yml"]);
        let registry = Self { host, setup, process, _folder: folder };
        let started = Instant::now();
        while started.elapsed() < START_LIMIT && registry.process.is_running() {
            let answer = registry.client().try_get("/v2/").await;
            if answer.is_ok_and(|answer| answer.status == StatusCode::OK) {
                return Ok(registry);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(registry.process.stderr())
    }

    /// Returns `127.0.0.1:<port>`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the base URL.
    pub fn url(&self) -> String {
        let scheme = if self.setup.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.host)
    }

    /// Returns the authority clients must trust, with TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.setup.tls.as_ref().map(|tls| tls.ca_pem.as_str())
    }

    /// Returns a client that trusts it and has the account, if one is wanted.
    pub fn client(&self) -> Client {
        let client = Client::with_ca(self.url(), self.ca_pem());
        if self.setup.has_account { client.with_account() } else { client }
    }

    /// Returns what it logged so far: one line for every request.
    pub fn log(&self) -> String {
        self.process.stdout() + &self.process.stderr()
    }
}

/// Writes the configuration file and the files it refers to.
fn configuration(folder: &Path, host: &str, setup: &Setup) -> String {
    let storage = folder.join("storage").display().to_string();
    let log = if setup.is_lean {
        "  level: error\n  accesslog:\n    disabled: true\n"
    } else {
        "  level: info\n"
    };
    let mut text = format!(
        "version: 0.1\nlog:\n{log}storage:\n  filesystem:\n    rootdirectory: {storage}\n  delete:\n    enabled: true\nhttp:\n  addr: {host}\n  secret: arc-test\n"
    );
    if let Some(tls) = &setup.tls {
        fs::write(folder.join("server.pem"), &tls.certificate_pem).unwrap();
        fs::write(folder.join("server.key"), &tls.key_pem).unwrap();
        text.push_str("  tls:\n    certificate: server.pem\n    key: server.key\n");
    }
    if setup.has_account {
        fs::write(folder.join("htpasswd"), HTPASSWD).unwrap();
        text.push_str("auth:\n  htpasswd:\n    realm: arc\n    path: htpasswd\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::{
        images::{Content, Layer},
        peers::{Peer, require},
    };

    #[tokio::test]
    async fn real_registry_takes_our_images_over_plain_http() {
        let Some(program) = require(Peer::DockerRegistry) else { return };
        let registry = DockerRegistry::start(&program, Setup::default()).await;
        let content = Content::multi_arch(&[Layer::files(&[("a", "b")])]);
        content.push(&registry.client(), "team/a", "v1").await;
        assert_eq!(
            registry.client().digest("team/a", "v1").await.as_deref(),
            Some(content.digest())
        );
    }

    #[tokio::test]
    async fn real_registry_takes_our_images_over_tls_with_an_account() {
        let Some(program) = require(Peer::DockerRegistry) else { return };
        let setup =
            Setup { tls: Some(Certificates::generate()), has_account: true, ..Setup::default() };
        let registry = DockerRegistry::start(&program, setup).await;
        let content = Content::image("linux/amd64", [Layer::Random { mebibytes: 2, seed: 1 }]);
        content.push(&registry.client(), "team/a", "v1").await;
        assert_eq!(
            registry.client().digest("team/a", "v1").await.as_deref(),
            Some(content.digest())
        );
        let stranger = Client::with_ca(registry.url(), registry.ca_pem());
        assert_eq!(stranger.get("/v2/").await.status, StatusCode::UNAUTHORIZED);
    }
}
