//! `arc verify`: does this reference hold what a delivery promises?

use std::time::Duration;

use arc_evidence::verify::{Item, Policy, Report, ScanPolicy};
use arc_evidence::{PublicKey, predicate, verify};
use arc_oci::{Digest, Reference};
use arc_steps::Exit;

use crate::cli::{Output, Verify};
use crate::registry_access::{connect, failed, parse_reference, read};
use crate::report::Failure;

/// Runs the command.
pub(crate) async fn run(args: &Verify) -> Result<Exit, Failure> {
    let (remote, reference) = parse_reference(&args.reference)?;
    let policy = policy(args)?;
    let client = connect(&args.registry, remote, &reference.repository)?;
    let name = reference.tag_or_digest();
    let Some(root) = client.resolve(&reference.repository, &name).await.map_err(failed)? else {
        return Err(Failure::new(Exit::WrongInput, format!("there is nothing at {reference}")));
    };
    // Never trust a registry's word for what a tag is: read the manifest, whose digest is checked.
    let manifest =
        client.manifest(&reference.repository, &root.digest.to_string()).await.map_err(failed)?;
    let evidence = arc_steps::evidence(&client, &reference.repository, &manifest.digest).await?;
    let report =
        verify::verify(&manifest.digest.to_string(), &evidence, &policy, jiff::Timestamp::now())
            .map_err(|error| Failure::new(Exit::Refused, error.to_string()))?;
    match args.output {
        Output::Json => print_json(&reference, &report)?,
        Output::Text => print_text(&reference, &manifest.digest, &report),
    }
    Ok(if report.accepted() { Exit::Done } else { Exit::Refused })
}

fn policy(args: &Verify) -> Result<Policy, Failure> {
    let mut keys = Vec::new();
    for path in &args.key {
        let text = read(path)?;
        let found = PublicKey::all_from_pem(&text).map_err(|error| {
            Failure::new(Exit::WrongInput, format!("{}: {error}", path.display()))
        })?;
        keys.extend(found);
    }
    let mut scan = ScanPolicy::default();
    if let Some(list) = &args.severity {
        let gate = arc_scan::Gate::parse(list).map_err(|error| Failure::input(&error))?;
        let words = arc_scan::Severity::ALL.into_iter().filter(|severity| gate.refuses(*severity));
        scan.gate = words.filter_map(|severity| severity.as_str().parse().ok()).collect();
    }
    scan.max_age = args.max_scan_age.map(|hours| Duration::from_secs(u64::from(hours) * 3600));
    Ok(Policy::new(keys).require(predicate::PREDICATE_SLSA_PROVENANCE).with_scan(scan))
}

#[expect(clippy::print_stdout, reason = "the report is the outcome")]
fn print_json(reference: &Reference, report: &Report) -> Result<(), Failure> {
    let mut value = serde_json::to_value(report).map_err(|error| Failure::failed(&error))?;
    value["reference"] = reference.to_string().into();
    value["accepted"] = report.accepted().into();
    println!("{value:#}");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the report is the outcome")]
fn print_text(reference: &Reference, digest: &Digest, report: &Report) {
    println!("{reference}");
    println!("  digest       {digest}");
    for item in &report.signatures {
        println!("  signature    {}", describe(item));
    }
    for item in &report.attestations {
        println!("  attestation  {}", describe(item));
    }
    if let Some(scan) = &report.scan {
        let counts = scan.counts;
        println!(
            "  scan         {} critical, {} high, {} medium, {} low, {} unknown; ended {}",
            counts.critical,
            counts.high,
            counts.medium,
            counts.low,
            counts.unknown,
            scan.finished_on
        );
    }
    for problem in &report.problems {
        println!("  problem      {problem}");
    }
    println!("{}", if report.accepted() { "accepted" } else { "REFUSED" });
}

fn describe(item: &Item) -> String {
    let what = item.predicate_type.as_deref().unwrap_or("cosign simple signing");
    let origin = match item.origin {
        verify::Origin::Bundle => "bundle",
        verify::Origin::LegacyTag => "tag",
    };
    match &item.rejection {
        None => format!("valid    {what} ({origin}, {})", item.digest),
        Some(why) => format!("REJECTED {what} ({origin}, {}): {why}", item.digest),
    }
}
