//! `arc registry`: serves a folder as an OCI registry, open or for one account.

use std::path::Path;

use arc_steps::Exit;

use crate::cli;
use crate::registry_access::read;
use crate::report::Failure;

/// Runs the command until it is interrupted.
#[expect(clippy::print_stdout, reason = "the address is what one starts this command for")]
pub(crate) async fn run(args: &cli::Registry) -> Result<Exit, Failure> {
    let account = match (&args.user, &args.password_file) {
        (Some(user), Some(file)) => Some((user, password(file)?)),
        _ => None,
    };
    let mut registry =
        arc_registry::Registry::open(&args.dir).map_err(|error| Failure::failed(&error))?;
    if let Some((user, password)) = account {
        registry = registry.with_account(user, &password);
    }
    let running = arc_registry::serve(args.listen, &registry)
        .await
        .map_err(|error| Failure::failed(&error))?;
    println!("serving {} on http://{}", args.dir.display(), running.addr);
    interrupted().await;
    running.shutdown().await;
    Ok(Exit::Done)
}

/// Reads the password of the account; an empty one would look like a login and be none.
fn password(file: &Path) -> Result<String, Failure> {
    let password = read(file)?.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() {
        let message = format!("{} holds no password", file.display());
        return Err(Failure::new(Exit::WrongInput, message).hint("write one into it"));
    }
    Ok(password)
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
