//! `arc controller` as a process: what it says, where it answers, how it ends, and how little it needs.

mod traces;

use std::path::PathBuf;
use std::time::Duration;

use arc_kube_fake::{ApiServer, Options, Running};
use arc_tests::arc::{Arc, Process};
use serde_json::{Value, json};

const LEASES: &str = "leases.coordination.k8s.io";
/// What the controller may take while there is nothing to do, in bytes.
const IDLE_MEMORY: u64 = 25 << 20;

struct Site {
    server: ApiServer,
    running: Running,
    arc: Arc,
}

impl Site {
    async fn new(server: ApiServer) -> Self {
        let running = server.serve().await.unwrap();
        let arc = Arc::new(env!("CARGO_BIN_EXE_arc-under-test"));
        let arc = arc.env("POD_NAME", "pod-a");
        Self { server, running, arc }
    }

    fn kubeconfig(&self) -> PathBuf {
        let path = self.arc.home().join("kubeconfig");
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "fake",
            "clusters": [{ "name": "fake", "cluster": { "server": format!("http://{}", self.running.addr) } }],
            "users": [{ "name": "fake", "user": {} }],
            "contexts": [{ "name": "fake", "context": { "cluster": "fake", "user": "fake", "namespace": "default" } }],
        });
        std::fs::write(&path, config.to_string()).unwrap();
        path
    }

    fn start(&self, more: &[&str]) -> (Process, u16, u16) {
        let kubeconfig = self.kubeconfig();
        let (health, metrics) = (free_port(), free_port());
        let (at_health, at_metrics) =
            (format!("127.0.0.1:{health}"), format!("127.0.0.1:{metrics}"));
        let mut args = vec!["controller", "--kubeconfig", kubeconfig.to_str().unwrap()];
        args.extend(["--health-address", &at_health, "--metrics-address", &at_metrics]);
        args.extend(more);
        (self.arc.spawn(&args), health, metrics)
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn get(port: u16, path: &str) -> Option<(u16, String)> {
    arc_oci::install_crypto_provider();
    let answer = reqwest::get(format!("http://127.0.0.1:{port}{path}")).await.ok()?;
    Some((answer.status().as_u16(), answer.text().await.ok()?))
}

async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited in vain until {what}");
}

async fn until_leading(port: u16) {
    until("it leads", async || {
        get(port, "/readyz").await.filter(|answer| *answer == (200, "ok: leading\n".to_owned()))
    })
    .await;
}

fn terminate(process: &Process) {
    let id = rustix::process::Pid::from_raw(i32::try_from(process.id()).unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
}

fn holder(server: &ApiServer) -> String {
    let lease = server.object(LEASES, "default", "arc-controller").unwrap();
    lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn it_leads_answers_works_and_hands_over_when_it_is_told_to_end() {
    let site = Site::new(ApiServer::with_arc(Options::default())).await;
    let (process, health, metrics) = site.start(&[]);
    until_leading(health).await;
    assert_eq!(get(health, "/healthz").await.unwrap().0, 200);
    assert!(holder(&site.server).starts_with("pod-a_"));
    let endpoint = json!({
        "apiVersion": "arc.opendefense.cloud/v1alpha1", "kind": "Endpoint",
        "metadata": { "name": "quay" }, "spec": { "type": "oci", "remoteURL": "quay.io" },
    });
    let path = "/apis/arc.opendefense.cloud/v1alpha1/namespaces/default/endpoints";
    assert_eq!(site.server.call("POST", path, &endpoint)["kind"], "Endpoint");
    until("the endpoint is looked at", async || {
        let text = get(metrics, "/metrics").await?.1;
        text.contains("arc_endpoints{ready=\"True\"} 1.0\n").then_some(())
    })
    .await;
    let text = get(metrics, "/metrics").await.unwrap().1;
    assert!(text.contains("\narc_leader 1\n"), "{text}");
    let counted =
        "arc_api_requests_total{verb=\"patch\",resource=\"endpoints/status\",code=\"200\"} 1\n";
    assert!(text.contains(counted), "{text}");

    terminate(&process);
    let finished = process.wait().await;
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(0), ""), "{}", finished.stderr);
    assert_eq!(holder(&site.server), "");
    let lines: Vec<Value> =
        finished.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["message"] == "arc controller started"));
    assert_eq!(lines.last().unwrap()["message"], "arc controller ended");
}

#[tokio::test]
async fn a_second_one_stands_by_and_takes_over_from_one_that_was_killed() {
    let site = Site::new(ApiServer::with_arc(Options::default())).await;
    let (first, health, _) = site.start(&["--lease-duration=5s"]);
    until_leading(health).await;
    let (second, health, metrics) = site.start(&["--lease-duration=5s"]);
    until("it stands by", async || {
        get(health, "/readyz").await.filter(|answer| answer.1 == "ok: standing by\n")
    })
    .await;
    let text = get(metrics, "/metrics").await.unwrap().1;
    assert!(text.contains("\narc_leader 0\n") && !text.contains("arc_orders{"), "{text}");
    first.kill();
    let start = std::time::Instant::now();
    until_leading(health).await;
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    terminate(&second);
    assert_eq!(second.wait().await.code, Some(0));
}

#[tokio::test]
async fn what_is_missing_is_said_with_its_remedy() {
    let site = Site::new(ApiServer::default()).await;
    let (process, ..) = site.start(&["--log-format=text"]);
    let finished = process.wait().await;
    assert_eq!(finished.code, Some(1));
    let expected = "error: the cluster does not know orders, endpoints, artifacttypes, clusterartifacttypes, \
        artifactworkflows of arc.opendefense.cloud/v1alpha1\nhint: install ARC's kinds: kubectl apply -f crds/\n";
    assert_eq!(finished.stderr, expected);

    let nowhere = Arc::new(env!("CARGO_BIN_EXE_arc-under-test"));
    let finished = nowhere.run(&["controller"]).await;
    assert_eq!(finished.code, Some(2));
    assert!(
        finished.stderr.starts_with("error: failed to find a cluster: "),
        "{}",
        finished.stderr
    );
    assert!(finished.stderr.contains("\nhint: name a kubeconfig"), "{}", finished.stderr);

    let finished = nowhere.run(&["controller", "--lease-duration=1s"]).await;
    assert_eq!(finished.code, Some(2));
    assert!(finished.stderr.contains("a lease lasts whole seconds, 5 or more"));
}

#[tokio::test]
async fn an_empty_cluster_needs_little_memory() {
    let site = Site::new(ApiServer::with_arc(Options::default())).await;
    let (process, health, metrics) = site.start(&[]);
    until_leading(health).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let text = get(metrics, "/metrics").await.unwrap().1;
    let line =
        text.lines().find_map(|line| line.strip_prefix("arc_process_resident_memory_bytes "));
    let bytes: f64 = line.unwrap().parse().unwrap();
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let limit = IDLE_MEMORY as f64;
    eprintln!("resident memory of the controller in an empty cluster: {:.1} MB", bytes / 1e6);
    // Code that is not optimised is larger than what is shipped.
    let limit = if cfg!(debug_assertions) { limit * 4.0 } else { limit };
    assert!(bytes < limit, "{bytes} bytes");
    terminate(&process);
    assert_eq!(process.wait().await.code, Some(0));
}
