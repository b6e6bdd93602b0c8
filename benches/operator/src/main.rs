//! Measures the operator against the API server it is pointed at.
//!
//! `cargo run --release -p arc-bench-operator` serves the API server in memory from a process of its own; with
//! `--kubeconfig` it is a real one. The operator runs in a process of its own too, so its memory and processor time are
//! its own. What was measured goes to `docs/benchmarks-operator.md` and to `benches/operator/results/`.
//! *Where to start*: [`measure`], then one file for each thing measured.
#![allow(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::exit,
    reason = "a bench: whatever goes wrong here ends it"
)]

mod bare;
mod burst;
mod child;
mod count;
mod idle;
mod machine;
mod measure;
mod observe;
mod report;
mod scene;
mod single;
mod steady;
mod wide;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Measures the operator against the API server it is pointed at.
#[derive(Debug, Parser)]
struct Options {
    /// The API server to use. Default: one in memory, served from a process of its own.
    #[arg(long, value_name = "FILE", global = true)]
    kubeconfig: Option<PathBuf>,
    /// Small numbers: tells that everything works, and nothing else.
    #[arg(long)]
    quick: bool,
    /// Only what has this text in its name: single, burst, steady, wide, idle.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// An `arc` whose `controller` is measured instead of the same code in the bench's own binary; memory counts then.
    #[arg(long, value_name = "FILE")]
    arc: Option<PathBuf>,
    /// Print the report and leave the files of the repository as they are.
    #[arg(long)]
    no_write: bool,
    #[command(subcommand)]
    part: Option<Part>,
}

/// What the bench starts as processes of its own.
#[derive(Debug, Subcommand)]
enum Part {
    /// The API server in memory; prints a kubeconfig.
    #[command(hide = true)]
    Server,
    /// The operator.
    #[command(hide = true)]
    Operator,
    /// A client that creates objects from a file, two a line, and nothing else.
    #[command(hide = true)]
    Bare {
        /// Objects, two a line.
        file: PathBuf,
    },
}

fn main() {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    match &options.part {
        Some(Part::Server) => runtime.block_on(child::serve()),
        Some(Part::Operator) => runtime.block_on(child::operate(options.kubeconfig.as_deref())),
        Some(Part::Bare { file }) => {
            runtime.block_on(bare::run(options.kubeconfig.as_deref(), file));
        }
        None => runtime.block_on(measure::run(&options)),
    }
    // Nothing of a child is left to do, and its blocking read of the standard input would keep it here.
    std::process::exit(0);
}
