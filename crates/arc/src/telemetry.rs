//! What a long-running command says: lines for people on a terminal, one JSON object per line elsewhere.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::cli::LogFormat;
use crate::report::Failure;

/// Logs to standard error from now on; `RUST_LOG` chooses what, else `info`.
///
/// # Errors
/// When `RUST_LOG` cannot be read.
pub(crate) fn log(format: Option<LogFormat>) -> Result<(), Failure> {
    let default = if io::stderr().is_terminal() { LogFormat::Text } else { LogFormat::Json };
    let filter =
        EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env().map_err(
            |error| Failure::input(&error).hint("write RUST_LOG such as info,kube=debug"),
        )?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let installed = match format.unwrap_or(default) {
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).try_init(),
    };
    installed.map_err(|error| Failure::failed(&*error))
}
