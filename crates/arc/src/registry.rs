//! `arc registry`: serves a folder as an OCI registry.

use arc_steps::Exit;

use crate::cli;
use crate::report::Failure;

/// Runs the command until it is interrupted.
#[expect(clippy::print_stdout, reason = "the address is what one starts this command for")]
pub(crate) async fn run(args: &cli::Registry) -> Result<Exit, Failure> {
    let registry =
        arc_registry::Registry::open(&args.dir).map_err(|error| Failure::failed(&error))?;
    let running = arc_registry::serve(args.listen, &registry)
        .await
        .map_err(|error| Failure::failed(&error))?;
    println!("serving {} on http://{}", args.dir.display(), running.addr);
    interrupted().await;
    running.shutdown().await;
    Ok(Exit::Done)
}

/// Waits for Ctrl-C or the polite signal of a supervisor.
pub(crate) async fn interrupted() {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => (),
        () = terminate => (),
    }
}
