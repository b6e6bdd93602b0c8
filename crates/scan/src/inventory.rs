//! What an image holds: its distribution and its packages, read from the layers' package databases.
//!
//! The public entry is [`inventory`]; the layers are flattened by [`crate::layers`], the databases parsed by
//! the `dpkg` and `apk` modules, and whether the result can be judged at all is [`crate::matching::coverage`]'s question.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::layers::{self, Layer, Limits, tree::Tree};
use crate::{apk, dpkg, os_release};

/// The package manager that installed a package; it decides how versions compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Manager {
    /// Debian's package manager.
    Dpkg,
    /// Alpine's package manager.
    Apk,
}

/// The distribution an image says it is, from its `os-release` file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// The lower-case identifier, such as `debian` or `alpine`.
    pub id: String,
    /// The release, such as `12` or `3.18.4`; empty for a rolling release.
    pub version_id: String,
    /// The name for people, such as `Debian GNU/Linux 12 (bookworm)`.
    pub name: String,
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version_id.as_str() {
            "" => f.write_str(&self.id),
            version => write!(f, "{} {version}", self.id),
        }
    }
}

/// One installed package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Package {
    /// The installed (binary) package's name.
    pub name: String,
    /// Its version, as the package manager writes it.
    pub version: String,
    /// Its architecture, such as `amd64`, `x86_64` or `all`; empty if the database does not say.
    pub architecture: String,
    /// The source package (dpkg) or origin (apk) it was built from; advisories name this one.
    pub source: String,
    /// The version of that source package; it differs from `version` after a binary-only rebuild.
    pub source_version: String,
    /// The package manager that installed it.
    pub manager: Manager,
    /// The licences as the database writes them; dpkg does not record any.
    pub licenses: Vec<String>,
}

/// The distribution and packages of one image of one platform.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// The distribution; `None` if the image has no readable `os-release`.
    pub distribution: Option<Distribution>,
    /// All installed packages, sorted and without duplicates.
    pub packages: Vec<Package>,
}

impl Inventory {
    /// Returns whether nothing was recognised: no distribution and no package database.
    ///
    /// That is an image that could not be scanned (built from scratch, or from a distribution this crate cannot read),
    /// which is not the same as a clean one. [`crate::matching::coverage`] tells the other such states.
    pub fn is_empty(&self) -> bool {
        self.distribution.is_none() && self.packages.is_empty()
    }
}

/// Reads the inventory of an image from its layers, lowest first, within the default [`Limits`].
///
/// # Errors
///
/// A layer that cannot be read completely, or a package database that is there but cannot be understood,
/// is an error: a part that was not read must never pass as a part without findings.
pub fn inventory(layers: impl IntoIterator<Item = Layer>) -> Result<Inventory, layers::Error> {
    inventory_within(layers, &Limits::default())
}

/// Reads the inventory of an image from its layers, lowest first, within the given limits.
pub fn inventory_within(
    layers: impl IntoIterator<Item = Layer>,
    limits: &Limits,
) -> Result<Inventory, layers::Error> {
    let tree = layers::apply(layers, limits)?;
    let mut packages = Vec::new();
    let distribution = read_distribution(&tree)?;
    read_dpkg(&tree, &mut packages)?;
    read_apk(&tree, &mut packages)?;
    packages.sort();
    packages.dedup();
    Ok(Inventory { distribution, packages })
}

/// Where distributions describe themselves, in the order os-release(5) gives.
const OS_RELEASE: [&str; 2] = ["etc/os-release", "usr/lib/os-release"];
/// Where dpkg keeps what is installed.
const DPKG_STATUS: &str = "var/lib/dpkg/status";
/// Where distroless images keep one file per package instead.
const DPKG_STATUS_D: &str = "var/lib/dpkg/status.d";
/// Where apk keeps what is installed: before and after Alpine moved it below `/usr`.
const APK_INSTALLED: [&str; 2] = ["lib/apk/db/installed", "usr/lib/apk/db/installed"];

fn read_distribution(tree: &Tree) -> Result<Option<Distribution>, layers::Error> {
    for path in OS_RELEASE {
        if let Some(distribution) = tree.read(path)?.as_deref().and_then(os_release::parse) {
            return Ok(Some(distribution));
        }
    }
    Ok(None)
}

fn read_dpkg(tree: &Tree, packages: &mut Vec<Package>) -> Result<(), layers::Error> {
    let mut paths = vec![DPKG_STATUS.to_owned()];
    // Distroless keeps checksums beside the packages.
    paths.extend(tree.list(DPKG_STATUS_D)?.into_iter().filter(|path| !path.ends_with(".md5sums")));
    for path in paths {
        let Some(text) = tree.read(&path)? else { continue };
        let parsed =
            dpkg::parse(&text).map_err(|problem| layers::Error::database(&path, &problem))?;
        packages.extend(parsed);
    }
    Ok(())
}

fn read_apk(tree: &Tree, packages: &mut Vec<Package>) -> Result<(), layers::Error> {
    for path in APK_INSTALLED {
        let Some(text) = tree.read(path)? else { continue };
        let parsed = apk::parse_installed(&text)
            .map_err(|problem| layers::Error::database(path, &problem))?;
        packages.extend(parsed);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
