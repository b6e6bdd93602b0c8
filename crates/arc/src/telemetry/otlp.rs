//! Traces of the controller's passes, as OTLP over HTTP (protobuf), over the same TLS as everything else.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::Layer as _;

use super::Lines;
use crate::report::{Exit, Failure};

/// How long a collector may take for one batch; the default of the specification.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long the end of the process waits for the last batch: less than is left of a pod's grace period.
const LAST: Duration = Duration::from_secs(5);

/// Traces under way to their collector, if there is one.
pub(crate) struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Adds the layer that exports, where an endpoint is asked for or a variable names one.
    pub(super) fn open(
        asked: Option<&str>,
        variable: Option<&str>,
        layers: &mut Vec<Lines>,
    ) -> Result<Self, Failure> {
        let Some(endpoint) = asked.or(variable) else { return Ok(Self(None)) };
        let wrong = |message: String| {
            Failure::new(Exit::WrongInput, format!("failed to trace to {endpoint:?}: {message}"))
                .hint("name a collector such as http://collector:4318")
        };
        let url = reqwest::Url::parse(endpoint).map_err(|error| wrong(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("not an address over HTTP".to_owned()));
        }
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Sender::new().map_err(wrong)?)
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .build()
            .map_err(|error| wrong(error.to_string()))?;
        let resource = Resource::builder()
            .with_service_name("arc-controller")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_batch_exporter(exporter)
            .build();
        // Passes and what is said in them; nothing of the export itself, which would never end.
        let ours = Targets::new()
            .with_target("arc_controller", LevelFilter::INFO)
            .with_target("arc_controller::pass", LevelFilter::DEBUG);
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("arc-controller"));
        layers.push(layer.with_filter(ours).boxed());
        Ok(Self(Some(provider)))
    }

    /// Sends what is left.
    pub(crate) async fn flush(self) {
        let Some(provider) = self.0 else { return };
        // It blocks, and the sender needs the runtime meanwhile.
        let flushed =
            tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(LAST)).await;
        if let Ok(Err(error)) = flushed {
            tracing::warn!(%error, "the last traces are lost");
        }
    }
}

/// Sends on our runtime; the exporter lives on a thread without one.
#[derive(Debug)]
struct Sender {
    http: reqwest::Client,
    runtime: Handle,
}

impl Sender {
    fn new() -> Result<Self, String> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(arc_oci::client_config(None, false)?)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build();
        let http = http.map_err(|error| error.to_string())?;
        Ok(Self { http, runtime: Handle::current() })
    }
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for Sender {
    fn send_bytes<'a, 'b>(&'a self, request: Request<Bytes>) -> Answer<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        let http = self.http.clone();
        let sent = self.runtime.spawn(async move {
            let answer = http.execute(request.try_into()?).await?;
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = answer.status();
            *response.headers_mut() = answer.headers().clone();
            // What a collector says beyond its status is read by nobody; an empty answer means that all was taken.
            Ok::<_, reqwest::Error>(response)
        });
        Box::pin(async move { Ok(sent.await??) })
    }
}
