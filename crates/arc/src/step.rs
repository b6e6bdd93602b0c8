//! `arc step fetch|scan|publish|probe`: one step of a pipeline, from environment to exit code.

use std::path::PathBuf;

use arc_steps::{Console, Environment, Exit, Place, Step};
use serde::Serialize;

use crate::cli;
use crate::report::Failure;

/// Set by the engine: the folder that stands for `/` on one machine.
const MOUNT_ROOT: &str = "ARC_MOUNT_ROOT";

/// Runs the command.
pub(crate) async fn run(args: &cli::Step) -> Result<Exit, Failure> {
    let root = std::env::var_os(MOUNT_ROOT).map(PathBuf::from);
    let console = Console::new(root.is_some());
    if root.is_some() {
        end_with_engine();
    }
    leave_no_core();
    let place = Place::new(root.unwrap_or_else(|| PathBuf::from("/")));
    // Names and values that are not text cannot be ours.
    let environment: Environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let step = match args.step {
        cli::StepName::Fetch => Step::Fetch,
        cli::StepName::Scan => Step::Scan,
        cli::StepName::Publish => Step::Publish,
        cli::StepName::Probe => {
            return print(&arc_steps::probe(&environment, &place, console).await?);
        }
    };
    print(&arc_steps::run(step, &environment, &place, console).await?)
}

#[expect(clippy::print_stdout, reason = "standard output is the step's result")]
fn print(result: &impl Serialize) -> Result<Exit, Failure> {
    let text = serde_json::to_string(result).map_err(|error| Failure::failed(&error))?;
    println!("{text}");
    Ok(Exit::Done)
}

/// Forbids core dumps: a step holds keys and passwords, and a core would be a copy of them in a file.
#[cfg(unix)]
fn leave_no_core() {
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    // Lowering a limit is always allowed; where it is not, the step is none the worse.
    let _refused = rustix::process::setrlimit(rustix::process::Resource::Core, none);
}

#[cfg(not(unix))]
fn leave_no_core() {}

/// Asks the kernel to end this step with the engine that started it: a killed `arc run` must not go on publishing.
#[cfg(target_os = "linux")]
fn end_with_engine() {
    // Where the kernel refuses, the step merely ends by itself.
    let _refused =
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
}

#[cfg(not(target_os = "linux"))]
fn end_with_engine() {}
