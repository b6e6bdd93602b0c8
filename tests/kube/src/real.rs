//! A real API server for the tests: etcd and kube-apiserver, as a child process each, with a data folder of their own.
//!
//! The programs are those of the envtest bundle: `KUBEBUILDER_ASSETS` names their folder, or they are in
//! `/usr/local/kubebuilder/bin`. Where they are not, tests say that they are skipped and pass, in CI too: there is no
//! Debian package of kube-apiserver, so `.ci/peers` cannot get one.
//! A server that is newer than [`JUDGED`] is told to behave like that version.
//!
//! *Left out.* Nodes, a scheduler and every controller, except [`RealServer::start_controllers`] where the folder has
//! kube-controller-manager, which the envtest bundle has not. A program outlives its test only if the test is killed
//! alone; a test runner kills the process group, and they are in it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::unwrap_in_result,
    reason = "test code: whatever goes wrong here ends the test"
)]

mod keys;
mod kubectl;
mod process;

use std::{
    ffi::OsString,
    fmt,
    net::TcpListener,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use self::process::Process;

pub use self::kubectl::Said;

/// The minor version that ARC is judged by, and whose answers are recorded.
pub const JUDGED: u32 = 35;
/// Where setup-envtest and kubebuilder put the programs.
const DEFAULT_FOLDER: &str = "/usr/local/kubebuilder/bin";
/// It needs three seconds; more than a minute means that it did not start at all.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How often to look whether something happened.
const PAUSE: Duration = Duration::from_millis(50);
/// Another program may take a port between our look and the start.
const ATTEMPTS: usize = 5;

/// Where the programs are.
#[derive(Debug, Clone)]
pub struct Programs {
    folder: PathBuf,
    /// The minor version of the API server.
    pub minor: u32,
}

/// Returns the programs, or says that the test is skipped.
///
/// ```ignore
/// let Some(programs) = real::require() else { return };
/// ```
#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
pub fn require() -> Option<Programs> {
    let given = std::env::var_os("KUBEBUILDER_ASSETS").unwrap_or_else(|| DEFAULT_FOLDER.into());
    let folder = PathBuf::from(given);
    let missing = ["etcd", "kube-apiserver", "kubectl"]
        .into_iter()
        .find(|program| !folder.join(program).is_file());
    if let Some(missing) = missing {
        eprintln!(
            "skipped: {} has no {missing} (set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl)",
            folder.display()
        );
        return None;
    }
    let said = process::output(&folder.join("kube-apiserver"), &["--version"]);
    let minor = said.split('.').nth(1).and_then(|minor| minor.parse().ok());
    Some(Programs {
        folder,
        minor: minor.expect("kube-apiserver --version tells v1.<minor>.<patch>"),
    })
}

impl Programs {
    fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }

    /// Whether garbage can be collected here; says that the test is skipped where it cannot.
    ///
    /// ```ignore
    /// if !programs.require_controllers() {
    ///     return;
    /// }
    /// ```
    #[expect(clippy::print_stderr, reason = "a skipped test must say so")]
    pub fn require_controllers(&self) -> bool {
        let have = self.have_controllers();
        if !have {
            eprintln!("skipped: {} has no kube-controller-manager", self.folder.display());
        }
        have
    }

    fn have_controllers(&self) -> bool {
        self.path("kube-controller-manager").is_file()
    }
}

/// A real API server that runs until it is dropped.
pub struct RealServer {
    // Dropped in this order: first who writes, then what is written to.
    controllers: Option<Process>,
    api_server: Process,
    etcd: Process,
    /// Of the API server.
    arguments: Vec<OsString>,
    client: Client,
    kubeconfig: Kubeconfig,
    programs: Programs,
    folder: TempDir,
}

impl fmt::Debug for RealServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RealServer").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl RealServer {
    /// An empty cluster: the built-in kinds and namespaces, RBAC, a client that may do everything.
    pub async fn start(programs: &Programs) -> Self {
        let mut errors = String::new();
        for _ in 0..ATTEMPTS {
            match Self::try_start(programs).await {
                Ok(server) => return server,
                Err(error) => errors.push_str(&error),
            }
        }
        panic!("no API server started:\n{errors}");
    }

    /// A cluster with ARC's kinds and Argo's.
    pub async fn with_arc(programs: &Programs) -> Self {
        let server = Self::start(programs).await;
        let ours = arc_api::crds().into_iter().map(|crd| serde_json::to_value(crd).unwrap());
        for definition in ours.chain(crate::argo::definitions()) {
            server.define(&definition).await;
        }
        server
    }

    async fn try_start(programs: &Programs) -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        keys::write(folder.path());
        let [port, client_port, peer_port] = free_ports();
        let etcd = Process::start(
            &programs.path("etcd"),
            &etcd_arguments(client_port, peer_port),
            folder.path(),
        );
        let arguments = api_server_arguments(port, client_port, programs.minor);
        let api_server =
            Process::start(&programs.path("kube-apiserver"), &arguments, folder.path());
        let url = format!("https://127.0.0.1:{port}");
        let kubeconfig = keys::kubeconfig(folder.path(), &url);
        let text = serde_json::to_string(&kubeconfig).unwrap();
        std::fs::write(folder.path().join("kubeconfig"), text).unwrap();
        let kubeconfig: Kubeconfig = serde_json::from_value(kubeconfig).unwrap();
        let server = Self {
            controllers: None,
            api_server,
            etcd,
            arguments,
            client: client(&kubeconfig, "", &[]).await,
            kubeconfig,
            programs: programs.clone(),
            folder,
        };
        if server.is_ready().await {
            return Ok(server);
        }
        Err(format!("{}\n{}\n", server.etcd.log_end(), server.api_server.log_end()))
    }

    async fn is_ready(&self) -> bool {
        let started = Instant::now();
        while started.elapsed() < START_LIMIT && self.api_server.is_running() {
            let ready = http::Request::get("/readyz").body(Vec::new()).unwrap();
            if self.client.request_text(ready).await.is_ok_and(|text| text == "ok") {
                return true;
            }
            tokio::time::sleep(PAUSE).await;
        }
        false
    }

    /// Kills the API server; what it has answered is in etcd.
    pub fn kill_api_server(&self) {
        self.api_server.kill();
    }

    /// Starts an API server on the same port, after the other was [killed](Self::kill_api_server).
    pub async fn restart_api_server(&mut self) {
        let program = self.programs.path("kube-apiserver");
        self.api_server = Process::start(&program, &self.arguments, self.folder.path());
        assert!(self.is_ready().await, "{}", self.api_server.log_end());
    }

    /// Starts garbage collection, the deletion of what is in deleted namespaces, the aggregation of roles and the type
    /// checks of admission policies, and tells whether it could.
    ///
    /// Kinds that are defined later are noticed half a minute later.
    pub fn start_controllers(&mut self) -> bool {
        if !self.programs.have_controllers() {
            return false;
        }
        let arguments = [
            "--kubeconfig=kubeconfig",
            concat!(
                "--controllers=garbage-collector-controller,namespace-controller,",
                "clusterrole-aggregation-controller,validatingadmissionpolicy-status-controller",
            ),
            "--leader-elect=false",
            "--secure-port=0",
        ];
        let program = self.programs.path("kube-controller-manager");
        let arguments = arguments.map(OsString::from);
        self.controllers = Some(Process::start(&program, &arguments, self.folder.path()));
        true
    }

    /// Whether controllers run, or could; says that the test is skipped where they cannot.
    pub fn require_controllers(&self) -> bool {
        self.programs.require_controllers()
    }

    /// A client of the administrator.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// A client of a user, who may do what RBAC says.
    pub async fn client_as(&self, user: &str, groups: &[&str]) -> Client {
        client(&self.kubeconfig, user, groups).await
    }

    /// Creates a `CustomResourceDefinition` and waits until it is served.
    pub async fn define(&self, definition: &Value) {
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let (status, made) = self.call("POST", path, definition).await;
        assert_eq!(status, 201, "{made}");
        let path = format!("{path}/{}", definition["metadata"]["name"].as_str().unwrap());
        self.until("the definition is served", async || {
            let (_, found) = self.call("GET", &path, &Value::Null).await;
            let conditions = found["status"]["conditions"].as_array().cloned().unwrap_or_default();
            conditions
                .contains(&json!({
                    "type": "Established",
                    "status": "True",
                    "reason": "InitialNamesAccepted",
                    "message": "the initial names have been accepted",
                    "lastTransitionTime": conditions.last()?["lastTransitionTime"],
                }))
                .then_some(())
        })
        .await;
    }

    /// Does one request as the administrator, and gives the status and the body of the answer.
    pub async fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        call(&self.client, method, path, body).await
    }

    /// Looks until something is there.
    pub async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            let log = || self.api_server.log_end();
            assert!(started.elapsed() < START_LIMIT, "waited in vain until {what}\n{}", log());
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Runs kubectl as the administrator.
    pub fn kubectl(&self, arguments: &[&str]) -> Said {
        kubectl::run(&self.programs.path("kubectl"), self.folder.path(), arguments)
    }

    /// A folder that goes with the server.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

async fn client(kubeconfig: &Kubeconfig, user: &str, groups: &[&str]) -> Client {
    let options = KubeConfigOptions::default();
    let mut config = Config::from_custom_kubeconfig(kubeconfig.clone(), &options).await.unwrap();
    if !user.is_empty() {
        config.auth_info.impersonate = Some(user.to_owned());
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        config.auth_info.impersonate_groups = Some(groups);
    }
    Client::try_from(config).unwrap()
}

/// Does one request, and gives the status and the body of the answer.
pub async fn call(client: &Client, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let kind = match method {
        "PATCH" => "application/merge-patch+json",
        _ => "application/json",
    };
    send(client, (method, kind), path, body).await
}

/// Does one request with a content type.
pub async fn send(
    client: &Client,
    (method, kind): (&str, &str),
    path: &str,
    body: &Value,
) -> (u16, Value) {
    use http_body_util::BodyExt;

    let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let request = http::Request::builder().method(method).uri(path).header("content-type", kind);
    let response = client.send(request.body(bytes.into()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let text = || Value::from(String::from_utf8_lossy(&bytes).into_owned());
    (status, serde_json::from_slice(&bytes).unwrap_or_else(|_| text()))
}

fn free_ports<const N: usize>() -> [u16; N] {
    let listeners: [_; N] = std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

fn etcd_arguments(port: u16, peer_port: u16) -> Vec<OsString> {
    let (url, peer_url) =
        (format!("http://127.0.0.1:{port}"), format!("http://127.0.0.1:{peer_port}"));
    let arguments = [
        "--data-dir=etcd".to_owned(),
        // What is lost with the machine is lost with the test.
        "--unsafe-no-fsync".to_owned(),
        format!("--listen-client-urls={url}"),
        format!("--advertise-client-urls={url}"),
        format!("--listen-peer-urls={peer_url}"),
        format!("--initial-advertise-peer-urls={peer_url}"),
        format!("--initial-cluster=default={peer_url}"),
    ];
    arguments.map(OsString::from).to_vec()
}

fn api_server_arguments(port: u16, etcd_port: u16, minor: u32) -> Vec<OsString> {
    let mut arguments = vec![
        format!("--etcd-servers=http://127.0.0.1:{etcd_port}"),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        "--cert-dir=.".to_owned(),
        "--tls-cert-file=server.pem".to_owned(),
        "--tls-private-key-file=server.key".to_owned(),
        "--client-ca-file=authority.pem".to_owned(),
        "--service-account-issuer=https://localhost".to_owned(),
        "--service-account-key-file=accounts.pub".to_owned(),
        "--service-account-signing-key-file=accounts.key".to_owned(),
        "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
        "--authorization-mode=RBAC".to_owned(),
        // Nobody makes the account that this plugin wants every pod to have.
        "--disable-admission-plugins=ServiceAccount".to_owned(),
    ];
    if minor > JUDGED {
        arguments.push(format!("--emulated-version=1.{JUDGED}"));
    }
    arguments.into_iter().map(OsString::from).collect()
}
