//! `arc verify`: does this reference hold what a delivery promises?

use std::path::Path;
use std::time::Duration;

use arc_evidence::verify::{Item, Policy, Report, ScanPolicy};
use arc_evidence::{PublicKey, predicate, verify};
use arc_oci::{Client, ClientOptions, Credentials, Digest, Reference, Remote};
use arc_steps::Exit;

use crate::cli::{Output, RegistryAccess, Verify};
use crate::report::Failure;

/// Runs the command.
pub(crate) async fn run(args: &Verify) -> Result<Exit, Failure> {
    let (remote, reference) = parse_reference(&args.reference)?;
    let policy = policy(args)?;
    let client = connect(&args.registry, remote, &reference)?;
    let failed = |error: arc_oci::Error| Failure::from(arc_steps::Error::from(error));
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

fn parse_reference(text: &str) -> Result<(Remote, Reference), Failure> {
    let (scheme, name) = text.split_once("://").unwrap_or(("https", text));
    let invalid = |error: arc_oci::NameError| {
        Failure::input(&error).hint("write registry/repository:tag or registry/repository@digest")
    };
    let reference: Reference = name.parse().map_err(invalid)?;
    let remote = Remote::parse(&format!("{scheme}://{}", reference.registry)).map_err(invalid)?;
    Ok((remote, reference))
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

fn connect(
    access: &RegistryAccess,
    remote: Remote,
    reference: &Reference,
) -> Result<Client, Failure> {
    let within = Remote { prefix: reference.repository.clone(), ..remote.clone() };
    let mut options = ClientOptions::new(remote);
    options.credentials = match &access.credentials {
        Some(folder) => arc_steps::read_credentials(folder, &within)?,
        None => user_credentials(&within)?,
    };
    options.ca_bundle = access.ca_bundle.as_deref().map(read).transpose()?;
    Client::new(options).map_err(|error| Failure::input(&error))
}

/// What `docker login` left for this registry.
fn user_credentials(remote: &Remote) -> Result<Option<Credentials>, Failure> {
    let folder = std::env::var_os("DOCKER_CONFIG").map(std::path::PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".docker"));
    let Some(path) = folder.or_else(home).map(|folder| folder.join("config.json")) else {
        return Ok(None);
    };
    let Ok(text) = std::fs::read_to_string(&path) else { return Ok(None) };
    Credentials::from_docker_config(&text, remote)
        .map_err(|error| Failure::new(Exit::WrongInput, format!("{}: {error}", path.display())))
}

fn read(path: impl AsRef<Path>) -> Result<String, Failure> {
    let path = path.as_ref();
    std::fs::read_to_string(path).map_err(|error| {
        Failure::new(Exit::WrongInput, format!("failed to read {}: {error}", path.display()))
    })
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
