//! Writes an inventory as a software bill of materials: CycloneDX 1.5 ([`cyclonedx`]) or SPDX 2.3 ([`spdx`]), in JSON.
//!
//! The same inventory, subject and time always give the same document.

mod spdx;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

pub use self::spdx::spdx;
use crate::{Distribution, Inventory, Manager, Package};

/// The image of one platform that a bill of materials is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    /// The image's name without tag and digest, such as `registry.example/library/alpine`.
    pub name: &'a str,
    /// The digest of the platform's manifest, such as `sha256:…`.
    pub digest: &'a str,
}

/// Returns the bill of materials; `timestamp` is RFC 3339, the serial number derives from the subject's digest.
pub fn cyclonedx(inventory: &Inventory, subject: &Subject<'_>, timestamp: &str) -> Value {
    let mut references = BTreeSet::new();
    let mut components = Vec::new();
    if let Some(distribution) = &inventory.distribution {
        components.push(operating_system(distribution));
    }
    let packages = inventory.packages.iter();
    components.extend(packages.map(|package| component(package, inventory, &mut references)));
    let depends_on: Vec<Value> =
        components.iter().map(|component| component["bom-ref"].clone()).collect();
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": serial_number(subject.digest),
        "version": 1,
        "metadata": {
            "timestamp": timestamp,
            "tools": { "components": [{
                "type": "application",
                "name": "arc",
                "version": env!("CARGO_PKG_VERSION"),
            }] },
            "component": image(subject),
        },
        "components": components,
        "dependencies": [{ "ref": subject.digest, "dependsOn": depends_on }],
    })
}

fn image(subject: &Subject<'_>) -> Value {
    let mut image = json!({
        "type": "container",
        "bom-ref": subject.digest,
        "name": subject.name,
        "version": subject.digest,
    });
    let algorithm = match subject.digest.split_once(':') {
        Some(("sha256", hex)) => Some(("SHA-256", hex)),
        Some(("sha512", hex)) => Some(("SHA-512", hex)),
        _ => None,
    };
    if let (Some((name, hex)), Some(image)) = (algorithm, image.as_object_mut()) {
        image.insert("hashes".into(), json!([{ "alg": name, "content": hex }]));
    }
    image
}

fn operating_system(distribution: &Distribution) -> Value {
    let mut component = Map::new();
    component.insert("type".into(), "operating-system".into());
    component.insert("bom-ref".into(), format!("os:{}", distribution_name(distribution)).into());
    component.insert("name".into(), distribution.id.clone().into());
    if !distribution.version_id.is_empty() {
        component.insert("version".into(), distribution.version_id.clone().into());
    }
    component.insert("description".into(), distribution.name.clone().into());
    Value::Object(component)
}

fn component(package: &Package, inventory: &Inventory, references: &mut BTreeSet<String>) -> Value {
    let purl = purl(package, inventory.distribution.as_ref());
    // References must be unique even where a package is listed twice.
    let mut reference = purl.clone();
    let mut n = 1;
    while !references.insert(reference.clone()) {
        n += 1;
        reference = format!("{purl}#{n}");
    }
    let mut component = Map::new();
    component.insert("type".into(), "library".into());
    component.insert("bom-ref".into(), reference.into());
    component.insert("name".into(), package.name.clone().into());
    component.insert("version".into(), package.version.clone().into());
    component.insert("purl".into(), purl.into());
    if !package.licenses.is_empty() {
        component.insert("licenses".into(), licenses(&package.licenses));
    }
    Value::Object(component)
}

/// Writes licences: one compound expression as such, anything else by name, since databases do not keep to SPDX.
fn licenses(licenses: &[String]) -> Value {
    let is_compound = |text: &str| {
        text.split_ascii_whitespace().any(|word| matches!(word, "AND" | "OR" | "WITH"))
    };
    match licenses {
        [expression] if is_compound(expression) => json!([{ "expression": expression }]),
        names => names.iter().map(|name| json!({ "license": { "name": name } })).collect(),
    }
}

/// Returns the package URL, with the qualifiers that scanners read: `arch`, `distro`, and the source as `upstream`.
pub fn purl(package: &Package, distribution: Option<&Distribution>) -> String {
    let (kind, default_namespace) = match package.manager {
        Manager::Dpkg => ("deb", "debian"),
        Manager::Apk => ("apk", "alpine"),
    };
    let namespace = distribution.map_or(default_namespace, |distribution| &distribution.id);
    let mut purl = format!(
        "pkg:{kind}/{}/{}@{}",
        encode(&namespace.to_ascii_lowercase()),
        encode(&package.name.to_ascii_lowercase()),
        encode(&package.version)
    );
    let mut separator = '?';
    let mut qualify = |key: &str, value: &str| {
        if !value.is_empty() {
            let _ = write!(purl, "{separator}{key}={}", encode(value));
            separator = '&';
        }
    };
    qualify("arch", &package.architecture);
    qualify("distro", &distribution.map(distribution_name).unwrap_or_default());
    if package.source_version != package.version {
        qualify("upstream", &format!("{}@{}", package.source, package.source_version));
    } else if package.source != package.name {
        qualify("upstream", &package.source);
    }
    purl
}

fn distribution_name(distribution: &Distribution) -> String {
    match distribution.version_id.as_str() {
        "" => distribution.id.clone(),
        version => format!("{}-{version}", distribution.id),
    }
}

/// Percent-encodes what package URLs reserve; the colon stays, as in an epoch.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => {
                encoded.push(char::from(byte));
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

/// Returns a serial number made from the digest: a UUID of version 8 (RFC 9562, chosen by the application).
fn serial_number(digest: &str) -> String {
    format!("urn:uuid:{}", uuid(&format!("CycloneDX {digest}")))
}

/// Returns a UUID of version 8 made from a text.
fn uuid(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    let mut bits = hash.iter().take(16).fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
    bits = bits & !(0xf << 76) | 0x8 << 76;
    bits = bits & !(0x3 << 62) | 0x2 << 62;
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests;
