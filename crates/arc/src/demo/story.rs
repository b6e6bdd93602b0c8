//! What the demo tells on standard output.
#![expect(clippy::print_stdout, reason = "the demo's story is its output")]

use std::path::Path;

use arc_steps::Exit;

use super::Folders;
use crate::report::Failure;
use crate::run::{Row, details, table};

/// What must become of the order's artifacts.
const EXPECTED: [(&str, &str); 4] = [
    ("alpine-range", "Delivered"),
    ("debian-override", "Delivered"),
    ("debian-refused", "Refused"),
    ("alpine-again", "AlreadyDelivered"),
];

pub(super) fn registry(address: &str, folder: &Path) {
    println!("1. A registry of our own on http://{address}, its data in {}\n", folder.display());
}

pub(super) fn seeded(references: &[String]) {
    println!("   It holds");
    for reference in references {
        println!("     {reference}");
    }
}

/// Prints every manifest but the signing key.
pub(super) fn manifests(folder: &Path) -> Result<(), Failure> {
    println!("\n2. The manifests, in {}", folder.display());
    for (name, _) in super::MANIFESTS {
        let path = folder.join(name);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Failure::new(Exit::Failed, format!("failed to read {}: {error}", path.display()))
        })?;
        println!("\n--- {name}\n{}", text.trim_end());
    }
    println!("\n--- cosign-key.yaml: the Secret with the signing key, not shown");
    Ok(())
}

pub(super) fn earlier(rows: &[Row]) {
    println!(
        "\n3. Last week's order ran first, so that one artifact is already there:\n\n{}",
        table(rows)
    );
    println!("\n   Now the order quickstart:\n");
}

/// Prints the table; returns whether all went as it should.
pub(super) fn outcome(rows: &[Row]) -> bool {
    println!("\n4. What became of it\n\n{}", table(rows));
    for line in rows.iter().flat_map(details) {
        println!("{line}");
    }
    let found: Vec<_> =
        rows.iter().map(|row| (row.artifact.as_str(), row.outcome.as_str())).collect();
    found == EXPECTED
}

/// Says what the registry answered about a refused artifact's tag; returns whether that is as it should be.
pub(super) fn refused(row: &Row, is_there: bool) -> bool {
    let place = row.result.as_ref().and_then(|result| result.destination.as_ref());
    let reference = place.map_or("", |place| place.reference.as_str());
    println!(
        "\n   {reference}: {}",
        if is_there { "EXISTS, which must not be" } else { "the registry has no such tag" }
    );
    !is_there
}

/// Prints how to do each part by hand.
pub(super) fn commands(address: &str, folders: &Folders, rows: &[Row], keep_serving: bool) {
    let arc = program();
    let key = folders.keys().join("cosign.pub");
    let key = key.display();
    let delivered =
        rows.iter().filter(|row| row.outcome == "Delivered").filter_map(|row| row.result.as_ref());
    let reference = delivered
        .filter_map(|result| result.destination.as_ref())
        .map(|place| place.reference.clone())
        .next();
    let reference =
        reference.unwrap_or_else(|| format!("{address}/internal/library/alpine:3.18.6"));
    let cosign =
        format!("--key {key} --insecure-ignore-tlog=true --allow-http-registry {reference}");
    println!("\n5. By hand\n");
    println!("   {arc} run -f {} --dry-run", folders.manifests().display());
    println!("   {arc} run -f {}", folders.manifests().display());
    println!("   {arc} verify http://{reference} --key {key}");
    println!("   cosign verify {cosign}");
    println!("   cosign verify-attestation --type vuln {cosign}");
    println!("   cosign verify-attestation --type slsaprovenance1 {cosign}");
    println!("   {arc} audit http://{reference} --key {key}");
    println!("   skopeo inspect --tls-verify=false docker://{reference}");
    if keep_serving {
        println!("\n   The registry stays up at http://{address}; Ctrl-C ends it.");
    } else {
        let dir = folders.top.display();
        println!(
            "\n   The registry is down now. `{arc} demo --keep-serving` leaves it up; its data is in {dir}."
        );
    }
}

/// This program as one would type it here.
fn program() -> String {
    let Ok(path) = std::env::current_exe() else { return "arc".to_owned() };
    let here = std::env::current_dir()
        .ok()
        .and_then(|dir| path.strip_prefix(dir).ok().map(Path::to_owned));
    here.unwrap_or(path).display().to_string()
}
