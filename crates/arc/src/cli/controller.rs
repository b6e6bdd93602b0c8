//! The arguments of `arc controller`; each has an environment variable, so that a manifest need not repeat them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::SignedDuration;

#[derive(Debug, Args)]
#[command(after_help = "Durations are written as 90s, 10m or 1h30m.
What is logged is chosen with RUST_LOG, such as RUST_LOG=info,arc_controller=debug.

Examples:
  arc controller
  arc controller --context kind-arc --log-format text --no-leader-election")]
pub(crate) struct Controller {
    #[command(flatten)]
    pub(crate) cluster: Cluster,
    #[command(flatten)]
    pub(crate) election: Election,
    #[command(flatten)]
    pub(crate) serving: Serving,
    #[command(flatten)]
    pub(crate) work: Work,
}

/// Which cluster.
#[derive(Debug, Args)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct Cluster {
    /// Kubeconfig file. Default: KUBECONFIG, ~/.kube/config, or the service account of this pod.
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig. Default: its current one.
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// Name of this process in the lease and in events. Default: the name of the machine or pod.
    #[arg(long, env = "POD_NAME", value_name = "NAME")]
    pub(crate) identity: Option<String>,
}

/// Who of several works.
#[derive(Debug, Args)]
#[command(next_help_heading = "Leader election")]
pub(crate) struct Election {
    /// Namespace of the lease. Default: the one of this pod or context.
    #[arg(long, env = "ARC_LEASE_NAMESPACE", value_name = "NAMESPACE")]
    pub(crate) lease_namespace: Option<String>,
    /// Name of the lease; several controllers of one cluster must agree on it.
    #[arg(long, env = "ARC_LEASE_NAME", default_value = "arc-controller", value_name = "NAME")]
    pub(crate) lease_name: String,
    /// How long the others wait for a leader that is silent; 5 seconds or more.
    #[arg(long, env = "ARC_LEASE_DURATION", default_value = "15s", value_parser = lease, value_name = "DURATION")]
    pub(crate) lease_duration: Duration,
    /// Work without asking whether somebody else does: for a cluster on your desk.
    #[arg(long = "no-leader-election", env = "ARC_NO_LEADER_ELECTION")]
    pub(crate) is_alone: bool,
}

/// What is told to others.
#[derive(Debug, Args)]
#[command(next_help_heading = "Health, metrics, logs")]
pub(crate) struct Serving {
    /// Where /healthz and /readyz answer.
    #[arg(
        long,
        env = "ARC_HEALTH_ADDRESS",
        default_value = "0.0.0.0:8081",
        value_name = "ADDRESS"
    )]
    pub(crate) health_address: SocketAddr,
    /// Where /metrics answers.
    #[arg(
        long,
        env = "ARC_METRICS_ADDRESS",
        default_value = "0.0.0.0:8080",
        value_name = "ADDRESS"
    )]
    pub(crate) metrics_address: SocketAddr,
    /// How logs are written to standard error. Default: text on a terminal, else json.
    #[arg(long, env = "ARC_LOG_FORMAT", value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
    /// Collector that traces are sent to, as OTLP over HTTP; in builds with the feature `otlp` alone.
    /// Default: `OTEL_EXPORTER_OTLP_ENDPOINT`, else none.
    #[arg(long, value_name = "URL")]
    pub(crate) otlp_endpoint: Option<String>,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// How the work is done.
#[derive(Debug, Args)]
#[command(next_help_heading = "Work")]
pub(crate) struct Work {
    /// Namespaces whose Secrets are seen, never their contents; `*` for all of them, empty for none.
    #[arg(
        long,
        env = "ARC_SECRET_NAMESPACES",
        default_value = "*",
        value_delimiter = ',',
        value_name = "NAMESPACES"
    )]
    pub(crate) secret_namespaces: Vec<String>,
    /// Objects that are looked at at the same time.
    #[arg(long, env = "ARC_CONCURRENCY", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1024), value_name = "N")]
    pub(crate) concurrency: u16,
    /// Shortest distance of two runs that a schedule may have.
    #[arg(long, env = "ARC_MINIMUM_INTERVAL", default_value = "10m", value_parser = span, value_name = "DURATION")]
    pub(crate) minimum_interval: SignedDuration,
    /// How long an Argo Workflow stays after success, where the order says nothing.
    #[arg(long, env = "ARC_KEEP_FINISHED", default_value = "10m", value_parser = span, value_name = "DURATION")]
    pub(crate) keep_finished: SignedDuration,
    /// How long an Argo Workflow stays after failure, where the order says nothing.
    #[arg(long, env = "ARC_KEEP_FAILED", default_value = "24h", value_parser = span, value_name = "DURATION")]
    pub(crate) keep_failed: SignedDuration,
    /// Lines that are kept of the log of a failed step.
    #[arg(long, env = "ARC_LOG_LINES", default_value_t = 40, value_parser = clap::value_parser!(u32).range(0..=500), value_name = "N")]
    pub(crate) log_lines: u32,
    /// How long a shutdown waits for what is under way; less than the pod's grace period.
    #[arg(long, env = "ARC_SHUTDOWN_GRACE", default_value = "20s", value_parser = wait, value_name = "DURATION")]
    pub(crate) shutdown_grace: Duration,
}

impl Work {
    /// The namespaces by name; all of them when `None`.
    pub(crate) fn secret_namespaces(&self) -> Option<Vec<String>> {
        let names = self.secret_namespaces.iter().map(|name| name.trim());
        let names: Vec<String> = names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
        (!names.iter().any(|name| name == "*")).then_some(names)
    }
}

fn span(text: &str) -> Result<SignedDuration, String> {
    let span: SignedDuration = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    if span.is_negative() { Err("a duration is not negative".to_owned()) } else { Ok(span) }
}

fn wait(text: &str) -> Result<Duration, String> {
    Duration::try_from(span(text)?).map_err(|error| error.to_string())
}

/// Shorter ones would be lost whenever the API server takes a breath; fractions are not written into a lease.
fn lease(text: &str) -> Result<Duration, String> {
    let duration = wait(text)?;
    if duration < Duration::from_secs(5) || duration.subsec_nanos() != 0 {
        return Err("a lease lasts whole seconds, 5 or more".to_owned());
    }
    Ok(duration)
}
