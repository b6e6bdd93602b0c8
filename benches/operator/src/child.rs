//! Processes of the bench's own: the API server in memory, the operator, a bare client.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use arc_controller::Metrics;
use arc_kube_fake::ApiServer;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{ChildStdin, ChildStdout, Command},
};
use tokio_util::sync::CancellationToken;

use crate::count::{self, Counts};

/// Ticks of a second in `/proc`, fixed in Linux's interface.
const TICKS: u64 = 100;

/// A process that answers a line for each line it is given, and ends when its standard input does.
#[derive(Debug)]
pub(crate) struct Child {
    process: tokio::process::Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

/// What a process has used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Resident memory in MiB.
    pub(crate) resident: f64,
    /// The highest it ever was.
    pub(crate) peak: f64,
    /// Processor time of all its threads.
    pub(crate) processor: Duration,
}

impl Usage {
    /// Processor time since an earlier look.
    pub(crate) fn processor_since(&self, earlier: &Self) -> Duration {
        self.processor.saturating_sub(earlier.processor)
    }
}

impl Child {
    /// Starts a part of the bench.
    pub(crate) fn start(kubeconfig: Option<&Path>, part: &[&str]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        if let Some(file) = kubeconfig {
            command.arg("--kubeconfig").arg(file);
        }
        Self::of(command.args(part))
    }

    fn of(command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, input, output }
    }

    /// Starts `arc controller`.
    pub(crate) fn arc(program: &Path, kubeconfig: &Path) -> Self {
        let mut command = Command::new(program);
        Self::of(command.arg("controller").env("KUBECONFIG", kubeconfig).stderr(Stdio::null()))
    }

    pub(crate) async fn read(&mut self) -> String {
        self.output.next_line().await.unwrap().expect("the child has ended too early")
    }

    pub(crate) async fn ask(&mut self, line: &str) -> String {
        self.input.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        self.read().await
    }

    /// What the operator asked of the API server so far.
    pub(crate) async fn counts(&mut self) -> Counts {
        serde_json::from_str(&self.ask("counts").await).unwrap()
    }

    /// Waits until the operator has asked nothing for a second.
    pub(crate) async fn settle(&mut self) {
        let mut before = Counts::new();
        loop {
            let now = self.counts().await;
            if now == before {
                return;
            }
            before = now;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    pub(crate) fn usage(&self) -> Usage {
        let id = self.process.id().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let mebibytes = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            let number = line.split_whitespace().nth(1).unwrap_or_default();
            number.parse::<f64>().unwrap_or_default() / 1024.0
        };
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
        // The second field is the name in brackets and may hold anything.
        let fields: Vec<&str> =
            stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        let ticks = |field: usize| fields.get(field).and_then(|text| text.parse::<u64>().ok());
        let ticks = ticks(11).unwrap_or_default() + ticks(12).unwrap_or_default();
        Usage {
            resident: mebibytes("VmRSS:"),
            peak: mebibytes("VmHWM:"),
            processor: Duration::from_millis(ticks * 1000 / TICKS),
        }
    }

    pub(crate) async fn stop(self) {
        let Self { mut process, input, .. } = self;
        drop(input);
        let patience = Duration::from_secs(10);
        if tokio::time::timeout(patience, process.wait()).await.is_err() {
            process.kill().await.unwrap();
        }
    }
}

/// Serves the API server in memory; prints the path of nothing but a kubeconfig as one line of JSON.
pub(crate) async fn serve() {
    let server = ApiServer::with_arc(arc_kube_fake::Options::default());
    let running = server.serve().await.unwrap();
    let kubeconfig = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "bench",
        "clusters": [{
            "name": "bench", "cluster": { "server": format!("http://{}", running.addr) },
        }],
        "users": [{ "name": "bench", "user": {} }],
        "contexts": [{ "name": "bench", "context": { "cluster": "bench", "user": "bench" } }],
    });
    println!("{kubeconfig}");
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(_)) = lines.next_line().await {
        // What was asked is of no use to anybody, and grows.
        server.forget_requests();
        println!();
    }
}

/// Runs the operator until the standard input ends; each line asks for the counts.
pub(crate) async fn operate(kubeconfig: Option<&Path>) {
    let (client, counter) = count::client(kubeconfig).await;
    let shutdown = CancellationToken::new();
    let options = arc_controller::Options::default();
    let metrics = Arc::new(Metrics::default());
    let operator = arc_controller::run(client, options, metrics, shutdown.clone());
    let questions = async {
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        while let Ok(Some(_)) = lines.next_line().await {
            println!("{}", serde_json::to_string(&counter.read()).unwrap());
        }
        shutdown.cancel();
    };
    let (result, ()) = tokio::join!(operator, questions);
    result.unwrap();
}

/// A kubeconfig of its own server or of the user's.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) kubeconfig: PathBuf,
    /// The process and the folder of its kubeconfig.
    own: Option<(Child, tempfile::TempDir)>,
}

impl Server {
    pub(crate) async fn new(kubeconfig: Option<&Path>) -> Self {
        if let Some(file) = kubeconfig {
            return Self { kubeconfig: file.to_owned(), own: None };
        }
        let mut child = Child::start(None, &["server"]);
        let text = child.read().await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kubeconfig");
        std::fs::write(&file, text).unwrap();
        Self { kubeconfig: file, own: Some((child, folder)) }
    }

    /// The server in memory forgets what it was asked; a real one needs no such help.
    pub(crate) async fn forget(&mut self) {
        if let Some((child, _)) = &mut self.own {
            child.ask("forget").await;
        }
    }

    pub(crate) fn is_own(&self) -> bool {
        self.own.is_some()
    }
}
