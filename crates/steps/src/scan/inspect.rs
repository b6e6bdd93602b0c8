//! ARC's own scan: package databases of each platform against the advisories.

use std::path::Path;

use arc_oci::Layout;
use arc_scan::{Coverage, Database, Inventory, Layer, inventory, matching, sbom};

use super::platforms::Platform;
use super::{Findings, PlatformScan, failed, open};
use crate::environment::{Request, Unsupported};
use crate::error::Error;
use crate::record::Plan;

/// Scans all platforms.
pub(super) fn inspect(
    request: &Request,
    database: &Path,
    layout: &Layout,
    platforms: &[Platform],
    plan: &Plan,
) -> Result<Findings, Error> {
    let database = Database::load(database)
        .map_err(|source| failed(format!("with {:?}", request.database), source))?;
    let mut found = Findings {
        scanner: concat!("pkg:github/opendefensecloud/arc@", env!("CARGO_PKG_VERSION")).to_owned(),
        database: database.digest().to_owned(),
        database_newest: database.newest().map(|time| time.to_string()),
        list: Vec::new(),
        platforms: Vec::new(),
    };
    for platform in platforms {
        let inventory = read(layout, platform)?;
        judge_coverage(request, platform, &inventory, &database)?;
        for finding in matching::findings(&inventory, &database) {
            // Platforms share most findings; each counts once.
            if !found.list.contains(&finding) {
                found.list.push(finding);
            }
        }
        let digest = platform.descriptor.digest.to_string();
        let subject = sbom::Subject { name: &plan.destination_repository, digest: &digest };
        let sbom = sbom::cyclonedx(&inventory, &subject, &plan.started_at.to_string());
        found.platforms.push(PlatformScan { manifest: platform.descriptor.clone(), sbom });
    }
    found.list.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.package.cmp(&b.package)));
    Ok(found)
}

fn read(layout: &Layout, platform: &Platform) -> Result<Inventory, Error> {
    let mut layers = Vec::new();
    for layer in &platform.manifest.layers {
        let reader = Box::new(std::io::BufReader::new(open(layout, &layer.digest)?));
        layers.push(Layer { media_type: layer.media_type.clone(), reader });
    }
    inventory(layers).map_err(|source| failed(platform.name(), source))
}

fn judge_coverage(
    request: &Request,
    platform: &Platform,
    inventory: &Inventory,
    database: &Database,
) -> Result<(), Error> {
    let coverage = matching::coverage(inventory, database);
    let may_pass = match coverage {
        Coverage::Covered => true,
        // Nothing is installed that any database could speak about: a static binary, for example.
        Coverage::NothingRecognised => request.unsupported == Unsupported::Allow,
        _ => false,
    };
    if may_pass {
        return Ok(());
    }
    let hint = match coverage {
        Coverage::NothingRecognised => {
            "set the type's parameter scanUnsupported to allow, if such images may pass unscanned"
        }
        _ => "add advisories of this release to scanDatabase",
    };
    let message =
        format!("{} could not be scanned, which is not a pass: {coverage}", platform.name());
    Err(Error::Refused { message, hint: hint.to_owned() })
}
