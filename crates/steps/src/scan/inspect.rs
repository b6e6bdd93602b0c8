//! ARC's own scan: package databases of each platform against the advisories.

use std::io::Read as _;
use std::path::Path;

use arc_oci::{Algorithm, Digest, Layout};
use arc_scan::{Coverage, Database, Inventory, Layer, inventory, matching};

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
        program: Some(program()?),
        database: database.digest().to_owned(),
        database_newest: database.newest().map(|time| time.to_string()),
        list: Vec::new(),
        platforms: Vec::new(),
    };
    for platform in platforms {
        let inventory = read(layout, platform)?;
        let is_scannable = judge_coverage(request, platform, &inventory, &database)?;
        for finding in matching::findings(&inventory, &database) {
            // Platforms share most findings; each counts once.
            if !found.list.contains(&finding) {
                found.list.push(finding);
            }
        }
        found.platforms.push(PlatformScan::new(platform, &inventory, is_scannable, plan));
    }
    found.list.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.package.cmp(&b.package)));
    Ok(found)
}

/// The digest of the program that scans: this one.
fn program() -> Result<Digest, Error> {
    const CHUNK: usize = 1 << 20;
    let file = |source| Error::File { action: "read", path: "arc".into(), source };
    let path = std::env::current_exe().map_err(file)?;
    let mut program = std::fs::File::open(path).map_err(file)?;
    let mut hasher = Algorithm::Sha256.hasher();
    let mut chunk = vec![0; CHUNK];
    loop {
        match program.read(&mut chunk).map_err(file)? {
            0 => return Ok(hasher.finish()),
            length => hasher.update(&chunk[..length]),
        }
    }
}

fn read(layout: &Layout, platform: &Platform) -> Result<Inventory, Error> {
    let mut layers = Vec::new();
    for layer in &platform.manifest.layers {
        let reader = Box::new(std::io::BufReader::new(open(layout, &layer.digest)?));
        layers.push(Layer { media_type: layer.media_type.clone(), reader });
    }
    inventory(layers).map_err(|source| failed(platform.name(), source))
}

/// Returns whether the advisories could speak about the platform, or an error if it may not pass.
fn judge_coverage(
    request: &Request,
    platform: &Platform,
    inventory: &Inventory,
    database: &Database,
) -> Result<bool, Error> {
    let coverage = matching::coverage(inventory, database);
    let may_pass = match coverage {
        Coverage::Covered => true,
        // Nothing is installed that any database could speak about: a static binary, for example.
        Coverage::NothingRecognised => request.unsupported == Unsupported::Allow,
        _ => false,
    };
    if may_pass {
        return Ok(coverage == Coverage::Covered);
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
