//! What a probe of an endpoint finds, what it must never do, and that the controller can read its result.

use std::path::Path;
use std::sync::{Arc, Mutex};

use arc_steps::{Console, Environment, Place, ProbeReason, ProbeResult};
use arc_tests::certs::Certificates;
use arc_tests::lying::{Auth, Behaviour, Fault, LyingRegistry, Setup};
use arc_tests::{PASSWORD, USERNAME};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Where loopback is open, as the tests need it.
const OPEN: &[(&str, &str)] = &[("PROBE_ALLOW_CIDRS", "127.0.0.0/8,::1")];

struct Probe {
    environment: Environment,
    root: tempfile::TempDir,
}

impl Probe {
    fn of(url: &str, more: &[(&str, &str)]) -> Self {
        let pairs = [("SRC_TYPE", "oci"), ("SRC_REMOTE_URL", url)];
        let pairs = pairs.iter().chain(more);
        let environment =
            pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("work")).unwrap();
        Self { environment, root }
    }

    /// An endpoint whose authority is trusted.
    fn of_registry(registry: &LyingRegistry) -> Self {
        let mut probe = Self::of(registry.url(), OPEN);
        let ca = registry.ca_pem().unwrap_or_default().to_owned();
        probe.environment.insert("SRC_CA_BUNDLE".to_owned(), ca);
        probe
    }

    fn with_secret(mut self, password: &str) -> Self {
        let folder = self.root.path().join("secrets/src");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("username"), USERNAME).unwrap();
        std::fs::write(folder.join("password"), password).unwrap();
        self.environment.insert("SRC_SECRET".to_owned(), "true".to_owned());
        self
    }

    async fn run(&self) -> ProbeResult {
        let place = Place::new(self.root.path());
        let result =
            arc_steps::probe(&self.environment, &place, Console::new(false)).await.unwrap();
        let written = std::fs::read(self.root.path().join("work/result.json")).unwrap();
        assert_eq!(serde_json::from_slice::<ProbeResult>(&written).unwrap(), result);
        result
    }
}

async fn registry(auth: Auth, tls: bool, faults: Vec<Fault>) -> LyingRegistry {
    let tls = tls.then(Certificates::generate);
    LyingRegistry::start(Setup { auth, tls, faults, ..Setup::default() }).await
}

fn result(
    reachable: bool,
    authenticated: Option<bool>,
    reason: Option<ProbeReason>,
    message: Option<&str>,
) -> ProbeResult {
    ProbeResult { reachable, authenticated, reason, message: message.map(str::to_owned) }
}

/// Credentials that a registry was shown.
fn shown(registry: &LyingRegistry) -> Vec<String> {
    registry.requests().into_iter().filter_map(|request| request.authorization).collect()
}

#[tokio::test]
async fn a_registry_that_accepts_the_credentials_is_all_well() {
    for auth in [Auth::Basic, Auth::bearer()] {
        let registry = registry(auth, true, Vec::new()).await;
        let found = Probe::of_registry(&registry).with_secret(PASSWORD).run().await;
        assert_eq!(found, result(true, Some(true), None, None));
        assert_eq!(registry.requests()[0].authorization, None, "the first question is anonymous");
    }
}

#[tokio::test]
async fn wrong_credentials_are_a_verdict_and_not_a_failure() {
    for (auth, part) in [(Auth::Basic, "it answers 401"), (Auth::bearer(), "/token")] {
        let registry = registry(auth, true, Vec::new()).await;
        let found = Probe::of_registry(&registry).with_secret("wrong").run().await;
        assert_eq!(found.authenticated, Some(false));
        assert_eq!(found.reason, Some(ProbeReason::Unauthorized));
        let message = found.message.unwrap();
        let part = part.trim_start_matches("/token");
        assert!(message.starts_with("does not accept the credentials") && message.contains(part));
        assert!(!message.contains("wrong"), "{message}");
    }
}

#[tokio::test]
async fn who_does_not_ask_for_credentials_does_not_get_them() {
    let registry = registry(Auth::None, true, Vec::new()).await;
    let found = Probe::of_registry(&registry).with_secret(PASSWORD).run().await;
    let message = "answers and asks for no credentials, so those of the secret were not sent";
    assert_eq!(found, result(true, None, None, Some(message)));
    assert_eq!(shown(&registry), Vec::<String>::new());
}

#[tokio::test]
async fn credentials_never_go_over_plain_http() {
    for auth in [Auth::Basic, Auth::bearer()] {
        let registry = registry(auth, false, Vec::new()).await;
        let found = Probe::of_registry(&registry).with_secret(PASSWORD).run().await;
        let message = "asks for credentials over plain HTTP, so they were not sent";
        let reason = Some(ProbeReason::CredentialsNotSent);
        assert_eq!(found, result(true, None, reason, Some(message)));
        assert_eq!(shown(&registry), Vec::<String>::new());
    }
}

/// Refuses everything with one challenge, and remembers what it was sent.
struct Challenger {
    url: String,
    ca: String,
    sent: Arc<Mutex<String>>,
}

async fn challenger(realm: &str) -> Challenger {
    let certificates = Certificates::generate();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let acceptor = tokio_rustls::TlsAcceptor::from(certificates.server_config());
    let answer = format!(
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"{realm}\",service=\"arc\"\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    );
    let sent = Arc::new(Mutex::new(String::new()));
    let log = Arc::clone(&sent);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = vec![0; 8192];
            let length = stream.read(&mut request).await.unwrap_or_default();
            log.lock().unwrap().push_str(&String::from_utf8_lossy(&request[..length]));
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    Challenger { url, ca: certificates.ca_pem, sent }
}

impl Challenger {
    async fn probe(&self) -> ProbeResult {
        let mut probe = Probe::of(&self.url, OPEN).with_secret(PASSWORD);
        probe.environment.insert("SRC_CA_BUNDLE".to_owned(), self.ca.clone());
        let found = probe.run().await;
        let sent = self.sent.lock().unwrap().to_ascii_lowercase();
        assert!(sent.starts_with("get /v2/ http/1.1\r\n"), "{sent}");
        assert!(!sent.contains("authorization"), "{sent}");
        found
    }
}

#[tokio::test]
async fn a_token_service_without_tls_gets_no_credentials() {
    let thief = registry(Auth::None, false, Vec::new()).await;
    let found = challenger(&format!("{}/token", thief.url())).await.probe().await;
    assert_eq!(found.reason, Some(ProbeReason::CredentialsNotSent));
    assert_eq!(thief.requests(), Vec::new());
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let thief = registry(Auth::None, false, Vec::new()).await;
    let to_thief = Behaviour::Redirect(thief.url().to_owned());
    let registry = registry(Auth::None, true, vec![Fault::on("GET", "/v2/", to_thief)]).await;
    let found = Probe::of_registry(&registry).with_secret(PASSWORD).run().await;
    let message = "answers 307, a redirect, which a probe does not follow";
    assert_eq!(found, result(true, None, None, Some(message)));
    assert_eq!((shown(&registry), thief.requests()), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn without_a_secret_a_login_is_missing_unless_everybody_may_enter() {
    let missing = "asks for credentials, and the endpoint names no secret";
    let missing = result(true, None, Some(ProbeReason::NoCredentials), Some(missing));
    let everybody = result(true, None, None, Some("answers and lets everybody in"));
    let public = Auth::Bearer { anonymous_pull: true, uses: usize::MAX };
    let cases = [(Auth::Basic, &missing), (Auth::bearer(), &missing), (public, &everybody)];
    for (auth, expected) in cases {
        let registry = registry(auth, true, Vec::new()).await;
        assert_eq!(Probe::of_registry(&registry).run().await, *expected);
    }
}

#[tokio::test]
async fn an_impostor_is_told_apart_from_silence() {
    let registry = registry(Auth::Basic, true, Vec::new()).await;
    let found = Probe::of(registry.url(), OPEN).with_secret(PASSWORD).run().await;
    assert_eq!((found.reachable, found.reason), (false, Some(ProbeReason::CertificateNotTrusted)));
    assert_eq!(registry.requests(), Vec::new());
    let url = registry.url().to_owned();
    drop(registry);
    let found = Probe::of(&url, OPEN).run().await;
    assert_eq!((found.reachable, found.reason), (false, Some(ProbeReason::Unreachable)));
    assert!(found.message.unwrap().contains("does not answer"));
    let found = Probe::of("https://no-such-host.invalid", &[]).run().await;
    assert_eq!((found.reachable, found.reason), (false, Some(ProbeReason::Unreachable)));
}

#[tokio::test]
async fn what_answers_like_no_registry_is_none() {
    for (status, kind, reachable) in
        [(404, "oci", false), (500, "oci", false), (404, "helm", true), (503, "helm", false)]
    {
        let fault = Fault::on("GET", "", Behaviour::Status(status));
        let registry = registry(Auth::None, true, vec![fault]).await;
        let mut probe = Probe::of_registry(&registry);
        probe.environment.insert("SRC_TYPE".to_owned(), kind.to_owned());
        assert_eq!(probe.run().await.reachable, reachable, "{status} {kind}");
    }
}

#[tokio::test]
async fn no_probe_reaches_this_machine_by_whatever_name() {
    let registry = registry(Auth::None, false, Vec::new()).await;
    let port = registry.addr.port();
    for host in ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]", "0.0.0.0", "127.1"] {
        // What the registry parser does not take is no danger; what it takes must be closed.
        let probe = Probe::of(&format!("http://{host}:{port}/"), &[("SRC_TYPE", "http")]);
        let place = Place::new(probe.root.path());
        let found = arc_steps::probe(&probe.environment, &place, Console::new(false)).await;
        if let Ok(found) = found {
            assert_eq!(found.reason, Some(ProbeReason::AddressNotAllowed), "{host}: {found:?}");
        }
    }
    let found = Probe::of(&format!("http://localhost:{port}"), &[]).run().await;
    assert_eq!(found.reason, Some(ProbeReason::AddressNotAllowed));
    assert_eq!(registry.requests(), Vec::new());
}

#[tokio::test]
async fn a_token_service_is_guarded_like_the_endpoint() {
    let found = challenger("https://169.254.169.254/latest").await.probe().await;
    assert_eq!(found.reason, Some(ProbeReason::AddressNotAllowed));
}

#[tokio::test]
async fn an_installation_can_close_what_it_wants() {
    let registry = registry(Auth::None, false, Vec::new()).await;
    let everything = [("PROBE_DENY_CIDRS", "0.0.0.0/0"), ("PROBE_ALLOW_CIDRS", "127.0.0.2")];
    let found = Probe::of(registry.url(), &everything).run().await;
    let message = "\"127.0.0.1\" is at 127.0.0.1, where probes may not go";
    let reason = Some(ProbeReason::AddressNotAllowed);
    assert_eq!(found, result(false, None, reason, Some(message)));
}

#[test]
fn the_controller_understands_every_verdict() {
    for reason in [
        ProbeReason::Unreachable,
        ProbeReason::CertificateNotTrusted,
        ProbeReason::AddressNotAllowed,
        ProbeReason::Unauthorized,
        ProbeReason::NoCredentials,
        ProbeReason::CredentialsNotSent,
    ] {
        let found = result(true, Some(false), Some(reason), Some("because"));
        let text = serde_json::to_string(&found).unwrap();
        let read: arc_api::ProbeResult = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        let reason = read.reason.unwrap();
        assert!(arc_api::Reason::ALL.iter().any(|known| known.as_str() == reason), "{reason}");
    }
}

#[test]
fn the_template_runs_the_step_with_every_variable_that_it_reads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text =
        std::fs::read_to_string(root.join("workflow-templates/endpoint-probe.yaml")).unwrap();
    let source = std::fs::read_to_string(root.join("crates/steps/src/probe/wish.rs")).unwrap();
    let code = source.split("#[cfg(test)]").next().unwrap();
    let quoted = code.split('"').skip(1).step_by(2);
    let is_variable = |name: &&str| name.starts_with("SRC_") || name.starts_with("PROBE_");
    for name in quoted.filter(is_variable) {
        assert!(
            text.contains(&format!("- {{name: {name}, value: \"{{{{workflow.parameters.")),
            "{name}"
        );
    }
    for line in [
        "  automountServiceAccountToken: false",
        "    runAsNonRoot: true",
        "          readOnlyRootFilesystem: true",
        "          allowPrivilegeEscalation: false",
        "          capabilities: {drop: [ALL]}",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}");
    }
}
