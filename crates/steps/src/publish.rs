//! The step `publish`: copy to the destination, sign, attest, read it all back, and only then set the tag.
//!
//! The order of writes is the promise of the whole pipeline: blobs, manifests by digest, evidence, proof that the
//! evidence holds where a reader will look for it, tag. Killed anywhere in between, no tag has moved, and the next
//! run writes what is missing.

use arc_evidence::SigningKey;
use arc_oci::{Client, Layout, Progress, copy};
use jiff::Timestamp;

use crate::attest::{self, Delivery};
use crate::console::{Console, bytes};
use crate::delivered;
use crate::environment::Request;
use crate::error::Error;
use crate::fetch::note;
use crate::place::{Place, Side};
use crate::record::{self, Outcome, Plan, StepResult};
use crate::scan::Scan;
use crate::transparency::Log;

/// Runs the step.
pub(crate) async fn run(
    request: &Request,
    place: &Place,
    console: Console,
) -> Result<StepResult, Error> {
    let plan: Plan = record::read(&place.plan())?;
    let mut result: StepResult = record::read(&place.result())?;
    if plan.outcome != Outcome::Planned {
        return Ok(result);
    }
    let scan = Scan::read(place, &plan)?;
    // Both before anything is written: a delivery that cannot be signed must not begin.
    let key = place.signing_key()?;
    let client = place.connect(Side::Destination, &request.destination)?;
    let log = request.log.as_ref().map(Log::connect).transpose()?;
    let began = Timestamp::now();
    if delivered::is_delivered(request, place, &client, &plan).await? {
        result.outcome = Outcome::AlreadyDelivered;
        result.destination.digest = Some(plan.root.digest.clone());
        note(
            &mut result,
            "check-destination",
            began,
            "already delivered with valid evidence".to_owned(),
        );
        return Ok(result);
    }
    push(&client, place, &plan, &mut result, console).await?;
    let delivery =
        Delivery { request, place, client: &client, plan: &plan, scan: &scan, key: &key, log };
    attest::sign_and_attest(&delivery, &mut result).await?;
    prove(request, &client, &plan, &key).await?;
    tag(&client, place, &plan, &mut result, console).await?;
    Ok(result)
}

async fn push(
    client: &Client,
    place: &Place,
    plan: &Plan,
    result: &mut StepResult,
    console: Console,
) -> Result<(), Error> {
    let began = Timestamp::now();
    let layout = Layout::open(place.image())?;
    let progress = Progress::new();
    let following = console.follow("publish", progress.clone());
    let report =
        copy::push(&layout, &plan.root.digest, client, &plan.destination_repository, &progress)
            .await?;
    drop(following);
    result.blobs_moved = report.blobs_pushed;
    result.bytes_moved = report.bytes_pushed;
    let sentence = format!(
        "{} blobs sent ({}), {} were there; {} manifests, {} referrers",
        report.blobs_pushed,
        bytes(report.bytes_pushed),
        report.blobs_skipped,
        report.manifests_pushed,
        report.referrers_pushed
    );
    console.say(&sentence);
    for conflict in &report.conflicts {
        console.say(&format!(
            "{} differs at the destination and was left as it is there",
            conflict.tag
        ));
    }
    note(result, "push", began, sentence);
    Ok(())
}

/// Reads the evidence back from the destination and judges it as any reader would.
async fn prove(
    request: &Request,
    client: &Client,
    plan: &Plan,
    key: &SigningKey,
) -> Result<(), Error> {
    let problems = delivered::judge(client, plan, &key.public(), request).await?;
    if problems.is_empty() {
        return Ok(());
    }
    let why = format!(
        "the destination does not show valid evidence after it was written: {}",
        problems.join("; ")
    );
    Err(Error::Evidence { action: "prove the delivery; the tag was not set", source: why.into() })
}

async fn tag(
    client: &Client,
    place: &Place,
    plan: &Plan,
    result: &mut StepResult,
    console: Console,
) -> Result<(), Error> {
    let began = Timestamp::now();
    let raw = Layout::open(place.image())?.manifest(&plan.root.digest)?;
    client.push_manifest(&plan.destination_repository, &plan.destination_tag, &raw).await?;
    result.outcome = Outcome::Delivered;
    result.destination.digest = Some(plan.root.digest.clone());
    let sentence = format!("{} is {}", result.destination.reference, plan.root.digest);
    console.say(&format!("delivered {sentence}"));
    note(result, "tag", began, sentence);
    Ok(())
}
