//! The command line `arc`.
//!
//! *Invariants*: no rule of its own. A command parses, calls one library function, prints, and gives an exit code.
//!
//! *Where to start*: [`main`], then `run`, the command behind `arc run -f order.yaml`.

mod audit;
mod cli;
mod controller;
mod copy;
mod demo;
mod digest;
mod inspect;
mod keys;
mod lint;
mod manifests;
mod manual;
mod order;
mod plan;
mod progress;
mod referrers;
mod registry;
mod registry_access;
mod report;
mod run;
mod schema;
mod step;
mod sync;
mod tags;
mod telemetry;
mod verify;
mod yaml;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};

/// Runs the command that was typed.
pub fn main() -> ExitCode {
    end_quietly_without_reader();
    let cli = Cli::parse();
    arc_oci::install_crypto_provider();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report::conclude(Err(report::Failure::failed(&error))),
    };
    report::conclude(runtime.block_on(async {
        match cli.command {
            Command::Demo(args) => demo::run(&args).await,
            Command::Run(args) => run::run(&args).await,
            Command::Verify(args) => verify::run(&args).await,
            Command::Copy(args) => copy::run(&args).await,
            Command::Sync(args) => sync::run(&args).await,
            Command::Digest(args) => digest::run(&args).await,
            Command::Tags(args) => tags::run(&args).await,
            Command::Inspect(args) => inspect::run(&args).await,
            Command::Referrers(args) => referrers::run(&args).await,
            Command::Audit(args) => audit::run(&args).await,
            Command::Lint(args) => lint::run(&args).await,
            Command::Plan(args) => plan::run(&args),
            Command::Schema(args) => schema::run(&args),
            Command::Keys(command) => keys::run(&command),
            Command::Registry(args) => registry::run(&args).await,
            Command::Order(command) => order::run(&command).await,
            Command::Completions(args) => Ok(manual::completions(&args)),
            Command::Man(args) => manual::pages(&args),
            Command::Controller(args) => controller::run(&args).await,
            Command::Step(args) => step::run(&args).await,
        }
    }))
}

/// Ends without a stack trace when the reader of our output is gone, as in `arc inspect … | head`.
///
/// With the code of a failure and not of success: whoever asks a verdict through a closed pipe has not read one.
fn end_quietly_without_reader() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.payload().downcast_ref::<String>().map_or("", String::as_str);
        if text.starts_with("failed printing to std") && text.contains("Broken pipe") {
            #[expect(clippy::exit, reason = "nobody reads what could still be said")]
            std::process::exit(report::Exit::Failed as i32);
        }
        usual(panic);
    }));
}
