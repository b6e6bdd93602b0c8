//! A foreign scan: Trivy's JSON reports, written by a container of the security team's own template.
//!
//! A report counts for a platform only if it names that platform's config digest; every platform needs one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arc_oci::{Digest, Layout};
use arc_scan::{Layer, inventory, trivy};

use super::platforms::Platform;
use super::{Findings, PlatformScan, failed, open};
use crate::error::Error;
use crate::record::Plan;

/// Largest report in bytes; the largest images give about 20 MB.
const MAX_REPORT: u64 = 256 << 20;

/// Reads the reports in a file or folder and matches them with the platforms.
pub(super) fn read(
    path: &Path,
    layout: &Layout,
    platforms: &[Platform],
    plan: &Plan,
) -> Result<Findings, Error> {
    let mut reports = BTreeMap::new();
    let mut digests = Vec::new();
    for file in files(path)? {
        let bytes = read_file(&file)?;
        let report = trivy::read(&bytes)
            .map_err(|source| failed(format!("with report {}", file.display()), source))?;
        digests.push(Digest::sha256(&bytes).to_string());
        reports.insert(report.image_id.clone(), report);
    }
    digests.sort();
    let mut found = Findings {
        scanner: "pkg:github/aquasecurity/trivy".to_owned(),
        program: None,
        // The reports are what was judged; their digest stands where a database's would.
        database: Digest::sha256(digests.join("\n").as_bytes()).to_string(),
        database_newest: None,
        list: Vec::new(),
        platforms: Vec::new(),
    };
    for platform in platforms {
        let config = platform
            .manifest
            .config
            .as_ref()
            .map(|config| config.digest.to_string())
            .unwrap_or_default();
        let Some(report) = reports.get(&config).filter(|report| report.is_scanned) else {
            let message = format!(
                "no report in {} is a scan of {} (image ID {config})",
                path.display(),
                platform.name()
            );
            let hint = "scan every platform, for example with `trivy image --platform`".to_owned();
            return Err(Error::Refused { message, hint });
        };
        for finding in &report.findings {
            if !found.list.contains(finding) {
                found.list.push(finding.clone());
            }
        }
        found.platforms.push(own_documents(layout, platform, plan)?);
    }
    found.list.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Ok(found)
}

/// The SBOMs are ours in any case: they are read from the image, not from the report.
fn own_documents(layout: &Layout, platform: &Platform, plan: &Plan) -> Result<PlatformScan, Error> {
    let mut layers = Vec::new();
    for layer in &platform.manifest.layers {
        layers.push(Layer {
            media_type: layer.media_type.clone(),
            reader: Box::new(open(layout, &layer.digest)?),
        });
    }
    let inventory = inventory(layers).map_err(|source| failed(platform.name(), source))?;
    Ok(PlatformScan::new(platform, &inventory, true, plan))
}

fn files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let failed = |source| Error::File { action: "read", path: path.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        if file.extension().is_some_and(|ending| ending == "json") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::File { action: "read", path: path.to_owned(), source };
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > MAX_REPORT {
        let message = format!("{} has {size} bytes, more than any report", path.display());
        return Err(Error::input("SCAN_REPORT", message, "name a Trivy JSON report"));
    }
    std::fs::read(path).map_err(failed)
}
