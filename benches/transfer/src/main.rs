//! Measures `arc copy` and `arc sync` side by side with the tools people use today.
//!
//! `cargo run --release -p arc-bench` starts real registries, puts a counting and delaying proxy in front of each, makes
//! the images, runs every tool several times in turn, and writes `docs/benchmarks.md` and the raw figures.
//! *Where to start*: [`run`], then [`workloads`] for what is copied and [`tools`] for what is typed.
#![allow(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench: whatever goes wrong here ends it"
)]

mod machine;
mod measure;
mod proxy;
mod report;
mod run;
mod tools;
mod workloads;

use std::path::{Path, PathBuf};

use clap::Parser;

/// Measures `arc copy` and `arc sync` side by side with the tools people use today.
#[derive(Debug, Parser)]
struct Options {
    /// Small images, no delay worth naming, one repetition: tells that everything works, and nothing else.
    #[arg(long)]
    quick: bool,
    /// How often each tool does each piece of work; the median counts.
    #[arg(long, default_value_t = 5, value_name = "N")]
    repetitions: usize,
    /// Only the workloads whose name contains this.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Only the tools whose name contains this.
    #[arg(long, value_name = "TEXT")]
    tool: Option<String>,
    /// Added to every request in all workloads, in milliseconds, instead of what each has.
    #[arg(long, value_name = "MS")]
    delay: Option<u64>,
    /// The `arc` to measure. Default: built in release mode.
    #[arg(long, value_name = "FILE")]
    arc: Option<PathBuf>,
    /// Print the report and leave the files of the repository as they are.
    #[arg(long)]
    no_write: bool,
}

fn main() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == measure::ARGUMENT) {
        measure::in_this_process(Path::new(&arguments.next().expect("a file is given")));
        return;
    }
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run::run(&options));
}
