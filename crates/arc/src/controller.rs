//! `arc controller`: the operator, from flags to a process that ends when it is told to.

use std::sync::Arc;

use arc_controller::preflight::{self, Problem};
use arc_controller::serve::Server;
use arc_controller::{Metrics, Options};
use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli;
use crate::report::{Exit, Failure, chain};
use crate::telemetry;

/// Runs the command.
pub(crate) async fn run(args: &cli::Controller) -> Result<Exit, Failure> {
    let traces = telemetry::start(args.serving.log_format, args.serving.otlp_endpoint.as_deref())?;
    let ended = operate(args).await;
    traces.flush().await;
    ended
}

/// Works until it is told to end.
async fn operate(args: &cli::Controller) -> Result<Exit, Failure> {
    let shutdown = end_on_signal()?;
    let metrics = Arc::new(Metrics::new());
    let config = config(&args.cluster).await?;
    let options = options(args, &config);
    let client = connect(config, &metrics)?;
    let health = Server::health(args.serving.health_address, &metrics).await.map_err(input)?;
    let figures = Server::metrics(args.serving.metrics_address, &metrics).await.map_err(input)?;
    // They answer until the work has ended, so not by the same token.
    let served = CancellationToken::new();
    let _until_the_end = served.clone().drop_guard();
    tokio::spawn(health.run(served.clone()));
    tokio::spawn(figures.run(served));
    tokio::select! {
        checked = preflight::check(&client, &options) => checked.map_err(|problem| explain(&problem))?,
        () = shutdown.cancelled() => return Ok(Exit::Done),
    }
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        identity = options.identity,
        lease = format!("{}/{}", options.lease_namespace, options.lease_name),
        "arc controller started"
    );
    let ended = if args.election.is_alone {
        arc_controller::run(client, options, metrics, shutdown).await
    } else {
        arc_controller::run_elected(client, options, metrics, shutdown).await
    };
    ended.map_err(|error| Failure::failed(&error))?;
    tracing::info!("arc controller ended");
    Ok(Exit::Done)
}

/// A token that the first SIGTERM or SIGINT cancels; the second ends the process where it stands.
fn end_on_signal() -> Result<CancellationToken, Failure> {
    let listen = |kind| signal(kind).map_err(|error| Failure::failed(&error));
    let (mut terminate, mut interrupt) =
        (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let shutdown = CancellationToken::new();
    let cancelled = shutdown.clone();
    tokio::spawn(async move {
        for count in 0_u8.. {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if count > 0 {
                #[expect(clippy::exit, reason = "who asks twice does not want to wait")]
                std::process::exit(Exit::Failed as i32);
            }
            tracing::info!("asked to end; ask again to end at once");
            cancelled.cancel();
        }
    });
    Ok(shutdown)
}

/// Finds the cluster: as told, else as kubectl would, else as a pod does.
async fn config(args: &cli::Cluster) -> Result<Config, Failure> {
    let hint =
        "name a kubeconfig with --kubeconfig or KUBECONFIG, or run in a pod with a service account";
    let options =
        KubeConfigOptions { context: args.context.clone(), ..KubeConfigOptions::default() };
    if let Some(path) = &args.kubeconfig {
        let file = Kubeconfig::read_from(path).map_err(|error| input(error).hint(hint))?;
        let config = Config::from_custom_kubeconfig(file, &options).await;
        return config.map_err(|error| input(error).hint(hint));
    }
    if args.context.is_some() {
        let config = Config::from_kubeconfig(&options).await;
        return config.map_err(|error| input(error).hint(hint));
    }
    Config::infer().await.map_err(|error| {
        let message = format!("failed to find a cluster: {}", chain(&error));
        Failure::new(Exit::WrongInput, message).hint(hint)
    })
}

/// A client whose requests are counted.
fn connect(config: Config, metrics: &Metrics) -> Result<Client, Failure> {
    let builder = ClientBuilder::try_from(config).map_err(input)?;
    Ok(builder.with_layer(&metrics.count_requests()).build())
}

fn options(args: &cli::Controller, config: &Config) -> Options {
    let cli::Controller { cluster, election, work, serving: _ } = args;
    let machine = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    Options {
        secret_namespaces: work.secret_namespaces(),
        concurrency: work.concurrency.into(),
        minimum_interval: work.minimum_interval,
        keep_finished: work.keep_finished,
        keep_failed: work.keep_failed,
        log_lines: work.log_lines,
        shutdown_grace: work.shutdown_grace,
        lease_namespace: election
            .lease_namespace
            .clone()
            .unwrap_or_else(|| config.default_namespace.clone()),
        lease_name: election.lease_name.clone(),
        lease_duration: election.lease_duration,
        identity: cluster.identity.clone().unwrap_or_else(machine),
        ..Options::default()
    }
}

fn input(error: impl std::error::Error) -> Failure {
    Failure::input(&error)
}

/// A problem of the cluster, with what to do about it.
fn explain(problem: &Problem) -> Failure {
    Failure::failed(problem).hint(problem.hint())
}
