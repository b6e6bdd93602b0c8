//! The step programs of the pipelines: `fetch`, `scan`, `publish`.
//!
//! *Invariants*: no Kubernetes types; user text is data and never reaches a shell; secrets are read from files and
//! never printed; standard output is the result alone; the tag is the last write, and only after the evidence was
//! read back from the destination and holds.
//!
//! *Where to start*: [`run`], then the module `publish`, whose order of writes is the promise of the pipeline.

mod attach;
mod attest;
mod claims;
mod console;
mod delivered;
mod destination;
mod environment;
mod error;
mod evidence_in_layout;
mod fetch;
mod place;
mod probe;
mod publish;
pub mod record;
mod resolve;
mod scan;
mod source;
mod transparency;

pub use console::{Console, bytes};
pub use delivered::evidence;
pub use destination::{Destination, destination};
pub use environment::{
    EndpointFacts, Environment, LogFacts, LogVersion, OrderFacts, Request, Unsupported, Wanted,
    WorkflowFacts,
};
pub use error::{Error, Exit, Problem};
pub use evidence_in_layout::evidence_in_layout;
pub use place::{Place, read_credentials};
pub use probe::{ProbeResult, Reason as ProbeReason, probe};
pub use record::StepResult;

/// Which step to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Resolve the artifact and copy it into the work folder.
    Fetch,
    /// Judge it by the advisories.
    Scan,
    /// Copy it to the destination, sign, attest, and tag it last.
    Publish,
}

/// Runs one step and leaves its `result.json`.
///
/// # Errors
/// [`Error::exit`] says whether a retry could help.
pub async fn run(
    step: Step,
    environment: &Environment,
    place: &Place,
    console: Console,
) -> Result<StepResult, Error> {
    let request = Request::parse(environment)?;
    let result = match step {
        Step::Fetch => fetch::run(&request, place, console).await?,
        Step::Scan => scan::run(&request, place, console).await?,
        Step::Publish => publish::run(&request, place, console).await?,
    };
    record::write(&place.result(), &result)?;
    Ok(result)
}
