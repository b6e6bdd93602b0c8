//! The arguments of `arc order`: write an order, watch it, and change its mind.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum Order {
    /// Write an order and create it, or print it.
    Create(Box<OrderCreate>),
    /// List orders: is it done, what is stuck, why.
    List(OrderList),
    /// Show an order as a tree: its artifacts, their attempts and steps.
    Status(OrderStatus),
    /// Follow an order to its end; the exit code tells how it ended.
    Watch(OrderWatch),
    /// Do once more what failed, or everything.
    Retry(OrderRetry),
    /// Suspend an order and stop what runs.
    Cancel(OrderCancel),
    /// Print what the steps of an order write.
    Logs(OrderLogs),
}

/// Which cluster and namespace.
#[derive(Debug, Args)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct Place {
    /// Namespace. Default: the one of the context.
    #[arg(short, long, value_name = "NAME")]
    pub(crate) namespace: Option<String>,
    /// Kubeconfig file. Default: KUBECONFIG, ~/.kube/config, or the service account of this pod.
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig. Default: its current one.
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OrderOutput {
    /// For people.
    Text,
    /// For people with wide screens: digests and destinations too.
    Wide,
    /// The objects as JSON.
    Json,
    /// The objects as YAML.
    Yaml,
}

#[derive(Debug, Args)]
#[command(
    after_help = "What is ordered is written as REPOSITORY:TAG, REPOSITORY:CONSTRAINT or REPOSITORY@DIGEST.
The name derives from what is ordered, so that the same command twice is one order.

Examples:
  arc order create --type oci --from dockerhub --to internal library/alpine:'>3.18 <3.20'
  arc order create --type oci --from quay --to internal --name tools --override 'tools/{{.tag}}' team/a:1.2 team/b:1.4
  arc order create --type oci --from quay --to internal --cron '0 3 * * *' team/app:'^2' --dry-run"
)]
pub(crate) struct OrderCreate {
    /// What to deliver; may be repeated.
    #[arg(required = true, value_name = "REPOSITORY[:TAG]")]
    pub(crate) artifacts: Vec<String>,
    /// Artifact type.
    #[arg(long = "type", value_name = "NAME")]
    pub(crate) type_: String,
    /// Endpoint to take from.
    #[arg(long, value_name = "ENDPOINT")]
    pub(crate) from: String,
    /// Endpoint to bring to.
    #[arg(long, value_name = "ENDPOINT")]
    pub(crate) to: String,
    /// Name of the order. Default: one that derives from what is ordered.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Repository and tag at the destination, as a template such as `team/app:{{.tag}}`.
    #[arg(long = "override", value_name = "TEMPLATE")]
    pub(crate) override_: Option<String>,
    /// Repeat on this schedule, five cron fields; may be repeated.
    #[arg(long, value_name = "SCHEDULE")]
    pub(crate) cron: Vec<String>,
    /// Delete the order this long after its creation, for example 72h.
    #[arg(long, value_name = "DURATION")]
    pub(crate) ttl: Option<String>,
    /// Print the manifest and create nothing; needs no cluster.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Follow the order to its end, as `arc order watch` does.
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) watch: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  arc order list\n  arc order list --all-namespaces -o wide")]
pub(crate) struct OrderList {
    /// Orders of all namespaces.
    #[arg(short = 'A', long)]
    pub(crate) all_namespaces: bool,
    /// How to print.
    #[arg(short, long, default_value = "text")]
    pub(crate) output: OrderOutput,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  arc order status quickstart -n team-a -o wide")]
pub(crate) struct OrderStatus {
    /// Name of the order.
    pub(crate) name: String,
    /// How to print.
    #[arg(short, long, default_value = "text")]
    pub(crate) output: OrderOutput,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit codes:
  0  everything is delivered
  1  something failed, or the time is over
  2  an artifact is held, or was given what cannot work
  3  refused by policy

Example:
  arc order watch quickstart -n team-a --timeout 30m")]
pub(crate) struct OrderWatch {
    /// Name of the order.
    pub(crate) name: String,
    /// Give up after this long, for example 30m. Default: never.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  arc order retry quickstart
  arc order retry quickstart --artifact alpine --all")]
pub(crate) struct OrderRetry {
    /// Name of the order.
    pub(crate) name: String,
    /// Only this artifact.
    #[arg(long, value_name = "NAME")]
    pub(crate) artifact: Option<String>,
    /// Also what succeeded.
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Without --artifact the order is suspended too, so that nothing new begins; `arc order retry` \
does not lift that, `spec.suspend: false` does.

Example:
  arc order cancel quickstart --artifact alpine"
)]
pub(crate) struct OrderCancel {
    /// Name of the order.
    pub(crate) name: String,
    /// Only stop this artifact, and leave the order as it is.
    #[arg(long, value_name = "NAME")]
    pub(crate) artifact: Option<String>,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Pods that are gone have left the last lines of what failed in the record; these are printed then.

Example:
  arc order logs quickstart --artifact alpine --step scan"
)]
pub(crate) struct OrderLogs {
    /// Name of the order.
    pub(crate) name: String,
    /// Only this artifact.
    #[arg(long, value_name = "NAME")]
    pub(crate) artifact: Option<String>,
    /// Only this step.
    #[arg(long, value_name = "NAME")]
    pub(crate) step: Option<String>,
    #[command(flatten)]
    pub(crate) place: Place,
}

fn duration(text: &str) -> Result<Duration, String> {
    arc_core::duration::parse(text)
        .ok_or_else(|| "expected a duration such as 90s, 30m or 2h".to_owned())
}
