//! What a long-running command says: lines for people on a terminal, one JSON object per line elsewhere, and traces
//! where the feature `otlp` is built in.

#[cfg(feature = "otlp")]
mod otlp;

use std::io::{self, IsTerminal as _};

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry};

use crate::cli::LogFormat;
use crate::report::Failure;

#[cfg(not(feature = "otlp"))]
use without as otlp;

/// Where telemetry asks for its collector, whatever the program.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

type Lines = Box<dyn Layer<Registry> + Send + Sync>;

/// Logs to standard error from now on, and sends traces to the collector at `endpoint`; `RUST_LOG` chooses what is
/// logged, else `info`.
///
/// # Errors
/// When `RUST_LOG` or the endpoint cannot be read, or `endpoint` is given and this build has no traces.
pub(crate) fn start(
    format: Option<LogFormat>,
    endpoint: Option<&str>,
) -> Result<otlp::Traces, Failure> {
    let default = if io::stderr().is_terminal() { LogFormat::Text } else { LogFormat::Json };
    let filter =
        EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env().map_err(
            |error| Failure::input(&error).hint("write RUST_LOG such as info,kube=debug"),
        )?;
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines = match format.unwrap_or(default) {
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).with_filter(filter).boxed(),
        LogFormat::Json => {
            lines.json().flatten_event(true).with_span_list(false).with_filter(filter).boxed()
        }
    };
    let mut layers: Vec<Lines> = vec![lines];
    let variable = std::env::var(ENDPOINT).ok().filter(|url| !url.is_empty());
    let traces = otlp::Traces::open(endpoint, variable.as_deref(), &mut layers)?;
    let installed = tracing_subscriber::registry().with(layers).try_init();
    installed.map_err(|error| Failure::failed(&error))?;
    if cfg!(not(feature = "otlp")) && variable.is_some() {
        tracing::warn!(
            "{ENDPOINT} is set, but this arc is built without the feature otlp: no traces"
        );
    }
    Ok(traces)
}

/// What stands in for traces where they are not built in.
#[cfg(not(feature = "otlp"))]
mod without {
    use super::{Failure, Lines};
    use crate::report::Exit;

    pub(crate) struct Traces;

    impl Traces {
        /// Refuses what was asked for on the command line; the variable may be meant for others.
        pub(super) fn open(
            asked: Option<&str>,
            _variable: Option<&str>,
            _layers: &mut Vec<Lines>,
        ) -> Result<Self, Failure> {
            let Some(_) = asked else { return Ok(Self) };
            let message = "--otlp-endpoint: this arc is built without traces";
            Err(Failure::new(Exit::WrongInput, message)
                .hint("build one with `cargo build --release -p arc --features otlp`"))
        }

        #[expect(clippy::unused_async, reason = "the same call as with traces")]
        pub(crate) async fn flush(self) {}
    }
}
