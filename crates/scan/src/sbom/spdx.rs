//! Writes an inventory as SPDX 2.3 in JSON.
//!
//! Every value is one that both 2.3 and 2.3.1 of the published JSON schema accept. Licences are asserted only where
//! the database's words are SPDX identifiers; other words are kept as a comment and not passed off as an expression.

use serde_json::{Map, Value, json};

use super::{Subject, distribution_name, purl, uuid};
use crate::{Distribution, Inventory, Package};

/// Below it each document has a name of its own; nothing is served there.
const NAMESPACE: &str = "https://arc.opendefense.cloud/spdx";
const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const IMAGE: &str = "SPDXRef-Image";
const OPERATING_SYSTEM: &str = "SPDXRef-OperatingSystem";
const UNKNOWN: &str = "NOASSERTION";

/// Identifiers of the SPDX licence list that Alpine's packages use most; what is not here becomes a comment.
const LICENSES: [&str; 62] = [
    "0BSD",
    "AFL-2.1",
    "AGPL-3.0-only",
    "AGPL-3.0-or-later",
    "Apache-1.1",
    "Apache-2.0",
    "Artistic-1.0-Perl",
    "Artistic-2.0",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-2-Clause-Patent",
    "BSD-3-Clause",
    "BSD-4-Clause",
    "BSL-1.0",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC-BY-SA-4.0",
    "CC0-1.0",
    "CDDL-1.0",
    "EPL-1.0",
    "EPL-2.0",
    "FTL",
    "GFDL-1.3-or-later",
    "GPL-1.0-or-later",
    "GPL-2.0",
    "GPL-2.0-only",
    "GPL-2.0-or-later",
    "GPL-3.0",
    "GPL-3.0-only",
    "GPL-3.0-or-later",
    "HPND",
    "ICU",
    "IJG",
    "ISC",
    "LGPL-2.0-only",
    "LGPL-2.0-or-later",
    "LGPL-2.1",
    "LGPL-2.1-only",
    "LGPL-2.1-or-later",
    "LGPL-3.0-only",
    "LGPL-3.0-or-later",
    "Libpng",
    "libtiff",
    "MIT",
    "MIT-0",
    "MPL-1.1",
    "MPL-2.0",
    "NCSA",
    "OFL-1.1",
    "OLDAP-2.8",
    "OpenSSL",
    "PHP-3.01",
    "PostgreSQL",
    "PSF-2.0",
    "Ruby",
    "SSPL-1.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Vim",
    "W3C",
    "X11",
    "Zlib",
];
/// Exceptions that may follow `WITH`.
const EXCEPTIONS: [&str; 7] = [
    "Autoconf-exception-3.0",
    "Bison-exception-2.2",
    "Classpath-exception-2.0",
    "GCC-exception-3.1",
    "LLVM-exception",
    "Linux-syscall-note",
    "OpenSSL-exception",
];

/// Returns the bill of materials as SPDX 2.3; `timestamp` is RFC 3339 in UTC with whole seconds, as SPDX wants it.
///
/// The document's namespace derives from the subject's digest and the time, since SPDX wants another one for each
/// version of a document.
pub fn spdx(inventory: &Inventory, subject: &Subject<'_>, timestamp: &str) -> Value {
    let mut packages = vec![image(subject)];
    packages.extend(inventory.distribution.as_ref().map(operating_system));
    let numbered = inventory.packages.iter().enumerate();
    packages.extend(numbered.map(|(n, package)| self::package(n + 1, package, inventory)));
    let mut relationships = vec![relationship(DOCUMENT, "DESCRIBES", IMAGE)];
    let contained = packages.iter().skip(1).filter_map(|package| package["SPDXID"].as_str());
    relationships.extend(contained.map(|id| relationship(IMAGE, "CONTAINS", id)));
    json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": DOCUMENT,
        "name": format!("{}@{}", subject.name, subject.digest),
        "documentNamespace": namespace(subject, timestamp),
        "creationInfo": {
            "created": timestamp,
            "creators": [concat!("Tool: arc-", env!("CARGO_PKG_VERSION"))],
        },
        "packages": packages,
        "relationships": relationships,
    })
}

fn namespace(subject: &Subject<'_>, timestamp: &str) -> String {
    let digest = subject.digest.replace(':', "-");
    let version = uuid(&format!("SPDX {} {} {timestamp}", subject.name, subject.digest));
    format!("{NAMESPACE}/{digest}-{version}")
}

fn relationship(from: &str, kind: &str, to: &str) -> Value {
    json!({ "spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to })
}

fn image(subject: &Subject<'_>) -> Value {
    let mut image = element(IMAGE, subject.name, subject.digest);
    image.insert("primaryPackagePurpose".into(), "CONTAINER".into());
    let algorithm = match subject.digest.split_once(':') {
        Some(("sha256", hex)) => Some(("SHA256", hex)),
        Some(("sha512", hex)) => Some(("SHA512", hex)),
        _ => None,
    };
    if let Some((name, hex)) = algorithm {
        image.insert("checksums".into(), json!([{ "algorithm": name, "checksumValue": hex }]));
    }
    image.insert("externalRefs".into(), purl_reference(&image_purl(subject)));
    Value::Object(image)
}

/// The package URL of an image: `pkg:oci/<last component>@<digest>?repository_url=<registry/repository>`.
fn image_purl(subject: &Subject<'_>) -> String {
    let last = subject.name.rsplit('/').next().unwrap_or_default();
    let encode = super::encode;
    format!(
        "pkg:oci/{}@{}?repository_url={}",
        encode(last),
        subject.digest.replace(':', "%3A"),
        encode(subject.name)
    )
}

fn operating_system(distribution: &Distribution) -> Value {
    // No purpose: 2.3 and 2.3.1 spell that of an operating system differently.
    let mut system = element(OPERATING_SYSTEM, &distribution.id, &distribution.version_id);
    let summary = match distribution.name.as_str() {
        "" => distribution_name(distribution),
        name => name.to_owned(),
    };
    system.insert("summary".into(), summary.into());
    Value::Object(system)
}

fn package(number: usize, package: &Package, inventory: &Inventory) -> Value {
    let id = format!("SPDXRef-Package-{number}");
    let mut written = element(&id, &package.name, &package.version);
    written.insert("primaryPackagePurpose".into(), "LIBRARY".into());
    let is_built_from_another =
        package.source != package.name || package.source_version != package.version;
    if is_built_from_another && !package.source.is_empty() {
        let source = format!("built from: {} {}", package.source, package.source_version);
        written.insert("sourceInfo".into(), source.into());
    }
    match declared(&package.licenses) {
        Declared::Nothing => {}
        Declared::Expression(expression) => {
            written.insert("licenseDeclared".into(), expression.into());
        }
        Declared::Words(words) => {
            let comment = format!("the package database says: {words}");
            written.insert("licenseComments".into(), comment.into());
        }
    }
    let reference = purl_reference(&purl(package, inventory.distribution.as_ref()));
    written.insert("externalRefs".into(), reference);
    Value::Object(written)
}

/// What every package of a document has. No file of a package is looked at, so there is nothing to say about files.
fn element(id: &str, name: &str, version: &str) -> Map<String, Value> {
    let mut element = Map::new();
    element.insert("SPDXID".into(), id.into());
    element.insert("name".into(), name.into());
    if !version.is_empty() {
        element.insert("versionInfo".into(), version.into());
    }
    element.insert("downloadLocation".into(), UNKNOWN.into());
    element.insert("filesAnalyzed".into(), false.into());
    element.insert("licenseConcluded".into(), UNKNOWN.into());
    element.insert("licenseDeclared".into(), UNKNOWN.into());
    element.insert("copyrightText".into(), UNKNOWN.into());
    element
}

fn purl_reference(purl: &str) -> Value {
    json!([{
        "referenceCategory": "PACKAGE-MANAGER",
        "referenceType": "purl",
        "referenceLocator": purl,
    }])
}

/// What a package database says about licences, in SPDX's terms.
enum Declared {
    Nothing,
    Expression(String),
    Words(String),
}

fn declared(licenses: &[String]) -> Declared {
    let words = licenses.join(", ");
    match licenses {
        [] => Declared::Nothing,
        all if all.iter().all(|license| is_expression(license)) => match all {
            [one] => Declared::Expression(one.clone()),
            several => {
                let parts: Vec<_> = several.iter().map(|part| format!("({part})")).collect();
                Declared::Expression(parts.join(" AND "))
            }
        },
        _ => Declared::Words(words),
    }
}

/// Returns whether a text is an SPDX expression of identifiers known here; groups in parentheses are not looked into.
fn is_expression(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace();
    loop {
        // One licence, perhaps with an exception, and then the end or an operator.
        let is_license = words
            .next()
            .is_some_and(|word| LICENSES.contains(&word.strip_suffix('+').unwrap_or(word)));
        if !is_license {
            return false;
        }
        match words.next() {
            None => return true,
            Some("AND" | "OR") => {}
            Some("WITH") => {
                if !words.next().is_some_and(|word| EXCEPTIONS.contains(&word)) {
                    return false;
                }
                match words.next() {
                    None => return true,
                    Some("AND" | "OR") => {}
                    Some(_) => return false,
                }
            }
            Some(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests;
