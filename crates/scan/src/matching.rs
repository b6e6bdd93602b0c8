//! Compares what an image holds with what the advisories say: packages to findings.
//!
//! Ask [`coverage`] first: only where it says [`Coverage::Covered`] does an empty list of [`findings`] mean a clean image.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::advisories::{Claim, Database};
use crate::ecosystem::Ecosystem;
use crate::{Inventory, Manager, Package, Severity, version};

/// How the numbers of the common vulnerability list begin, also within Debian's and Alpine's own identifiers.
const CVE: &str = "CVE-";

/// One vulnerability in one installed package.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The advisory's identifier.
    pub id: String,
    /// Other identifiers of the same vulnerability, such as its CVE number; sorted.
    pub aliases: Vec<String>,
    /// The installed package's name.
    pub package: String,
    /// The source package it was built from; the same as `package` where that is not known.
    pub source: String,
    /// The installed version.
    pub installed: String,
    /// The lowest version with the fix; `None` if there is no fix yet.
    pub fixed: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// The CVSS base score, 0.0 to 10.0, where a vector is stated.
    pub score: Option<f64>,
    /// What it is about, in one line.
    pub summary: String,
    /// A page about it; empty if the advisory names none.
    pub url: String,
}

impl Finding {
    /// What findings are sorted by within a severity.
    pub(crate) fn key(&self) -> (&str, &str, &str) {
        (&self.package, &self.id, &self.installed)
    }

    /// What decides which of several findings about one vulnerability gives the name and the summary.
    fn rank(&self) -> (bool, &str, &str, &str) {
        (!self.id.contains(CVE), &self.id, &self.summary, &self.url)
    }

    /// Returns all names of the vulnerability.
    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.aliases.iter().map(String::as_str))
    }

    /// Returns the CVE numbers this is about.
    fn cves(&self) -> BTreeSet<&str> {
        self.names().filter_map(|name| name.find(CVE).map(|start| &name[start..])).collect()
    }
}

/// Whether an inventory can be judged by a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// The database speaks about the image's distribution: no finding means no known vulnerability.
    Covered,
    /// Neither a distribution nor a package was recognised.
    NothingRecognised,
    /// The distribution is known, but there is no package database.
    NoPackages {
        /// The distribution.
        distribution: String,
    },
    /// There are packages, but nothing says of which distribution.
    NoDistribution,
    /// There are packages of a package manager that is not the distribution's own.
    ForeignPackages {
        /// The distribution.
        distribution: String,
    },
    /// No advisory speaks about the distribution's release.
    NotInDatabase {
        /// The distribution.
        distribution: String,
    },
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Covered => f.write_str("the advisory database covers the image's distribution"),
            Self::NothingRecognised => f.write_str(
                "neither a distribution nor a dpkg or apk database was found in the image",
            ),
            Self::NoPackages { distribution } => {
                write!(f, "the image is {distribution} but has no dpkg or apk database")
            }
            Self::NoDistribution => f.write_str(
                "the image has packages but no os-release file that says of which distribution",
            ),
            Self::ForeignPackages { distribution } => {
                write!(
                    f,
                    "the image says it is {distribution} but has packages of another distribution's package manager"
                )
            }
            Self::NotInDatabase { distribution } => {
                write!(f, "the advisory database has no advisory for {distribution}")
            }
        }
    }
}

/// Returns whether an inventory can be judged by a database; anything but [`Coverage::Covered`] is an image not scanned.
pub fn coverage(inventory: &Inventory, database: &Database) -> Coverage {
    let Some(distribution) = &inventory.distribution else {
        return if inventory.is_empty() {
            Coverage::NothingRecognised
        } else {
            Coverage::NoDistribution
        };
    };
    let name = distribution.to_string();
    if inventory.packages.is_empty() {
        return Coverage::NoPackages { distribution: name };
    }
    let Some(ecosystem) = Ecosystem::of(distribution).filter(|_| database.covers(distribution))
    else {
        return Coverage::NotInDatabase { distribution: name };
    };
    let is_own = |package: &Package| package.manager == ecosystem.family.manager();
    if inventory.packages.iter().all(is_own) {
        Coverage::Covered
    } else {
        Coverage::ForeignPackages { distribution: name }
    }
}

/// Returns the known vulnerabilities of an image's packages, worst first.
///
/// Advisories name source packages, findings the installed ones: a fix of `openssl` is a finding for `libssl3` and `libcrypto3`.
pub fn findings(inventory: &Inventory, database: &Database) -> Vec<Finding> {
    let Some(image) = inventory.distribution.as_ref().and_then(Ecosystem::of) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for package in
        inventory.packages.iter().filter(|package| package.manager == image.family.manager())
    {
        findings.extend(merge(package.manager, match_package(package, &image, database)));
    }
    findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.key().cmp(&b.key())));
    findings
}

fn match_package(package: &Package, image: &Ecosystem, database: &Database) -> Vec<Finding> {
    let mut by_record: BTreeMap<usize, Vec<&Claim>> = BTreeMap::new();
    let mut names = BTreeSet::from([package.source.as_str()]);
    if image.family.names_installed_packages() {
        names.insert(&package.name);
    }
    for claim in names.into_iter().flat_map(|name| database.claims(image.family, name)) {
        if claim.ecosystem.includes(image) {
            by_record.entry(claim.record).or_default().push(claim);
        }
    }
    let mut findings = Vec::new();
    for mut claims in by_record.into_values() {
        // What an advisory says of this very release wins over what it says of all.
        if claims.iter().any(|claim| claim.ecosystem.release.is_some()) {
            claims.retain(|claim| claim.ecosystem.release.is_some());
        }
        let affecting = claims.into_iter().filter(|claim| claim.affects(&package.source_version));
        findings.extend(affecting.filter_map(|claim| finding(package, claim, database)));
    }
    findings
}

fn finding(package: &Package, claim: &Claim, database: &Database) -> Option<Finding> {
    let record = database.record(claim)?;
    Some(Finding {
        id: record.id.clone(),
        aliases: record.aliases.clone(),
        package: package.name.clone(),
        source: package.source.clone(),
        installed: package.version.clone(),
        fixed: claim.fixed(&package.source_version).map(str::to_owned),
        severity: claim.severity,
        score: claim.score,
        summary: record.summary.clone(),
        url: record.url.clone(),
    })
}

/// Merges what several advisories say about the same vulnerability of one package.
///
/// An advisory about several CVE numbers stays on its own, unless each of them is a finding already.
fn merge(manager: Manager, mut findings: Vec<Finding>) -> Vec<Finding> {
    // Whatever the order in the database, the record named after the vulnerability itself comes first.
    findings.sort_by(|a, b| a.rank().cmp(&b.rank()));
    let mut merged: BTreeMap<String, Finding> = BTreeMap::new();
    let mut bundles = Vec::new();
    for finding in findings {
        let cves = finding.cves();
        let name = match cves.len() {
            0 => finding.id.clone(),
            1 => cves.into_iter().collect(),
            _ => {
                bundles.push(finding);
                continue;
            }
        };
        match merged.get_mut(&name) {
            Some(first) => absorb(first, finding, manager),
            None => {
                merged.insert(name, finding);
            }
        }
    }
    for bundle in bundles {
        let is_told = bundle
            .cves()
            .iter()
            .all(|cve| merged.get(*cve).is_some_and(|told| told.severity >= bundle.severity));
        if !is_told {
            merged.insert(bundle.id.clone(), bundle);
        }
    }
    merged.into_values().collect()
}

/// Adds what another advisory says: the worse severity and the later fix count.
fn absorb(first: &mut Finding, other: Finding, manager: Manager) {
    first.severity = first.severity.max(other.severity);
    first.score = match (first.score, other.score) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    };
    first.fixed = match (first.fixed.take(), other.fixed) {
        (Some(a), Some(b)) => Some(if version::compare(manager, &a, &b).is_lt() { b } else { a }),
        (a, b) => a.or(b),
    };
    first.aliases.push(other.id);
    first.aliases.extend(other.aliases);
    first.aliases.sort();
    first.aliases.dedup();
    first.aliases.retain(|alias| *alias != first.id);
    if first.summary.is_empty() {
        first.summary = other.summary;
    }
    if first.url.is_empty() {
        first.url = other.url;
    }
}

#[cfg(test)]
mod tests;
