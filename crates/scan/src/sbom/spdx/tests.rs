use std::collections::BTreeSet;

use super::*;
use crate::Manager;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const TIME: &str = "2026-01-02T03:04:05Z";
const SUBJECT: Subject<'_> = Subject { name: "registry.example/library/alpine", digest: DIGEST };

fn package(name: &str, licenses: &[&str]) -> Package {
    Package {
        name: name.into(),
        version: "1.2-r3".into(),
        architecture: "x86_64".into(),
        source: name.into(),
        source_version: "1.2-r3".into(),
        manager: Manager::Apk,
        licenses: licenses.iter().map(|license| (*license).to_owned()).collect(),
    }
}

fn alpine(packages: Vec<Package>) -> Inventory {
    let distribution = Distribution {
        id: "alpine".into(),
        version_id: "3.18.4".into(),
        name: "Alpine Linux v3.18".into(),
    };
    Inventory { distribution: Some(distribution), packages }
}

#[test]
fn a_document_is_complete_and_always_the_same() {
    let tls = Package { source: "openssl".into(), ..package("libssl3", &["Apache-2.0"]) };
    let odd = package("odd", &["custom licence"]);
    let common = |id: &str, name: &str, version: &str| {
        json!({
            "SPDXID": id, "name": name, "versionInfo": version,
            "downloadLocation": "NOASSERTION", "filesAnalyzed": false, "copyrightText": "NOASSERTION",
            "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION",
        })
    };
    let with = |mut value: Value, more: Value| {
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        value
    };
    let purl = |locator: &str| json!([{ "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": locator }]);
    let expected = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": format!("registry.example/library/alpine@{DIGEST}"),
        "documentNamespace": namespace(&SUBJECT, TIME),
        "creationInfo": { "created": TIME, "creators": [concat!("Tool: arc-", env!("CARGO_PKG_VERSION"))] },
        "packages": [
            with(common("SPDXRef-Image", "registry.example/library/alpine", DIGEST), json!({
                "primaryPackagePurpose": "CONTAINER",
                "checksums": [{ "algorithm": "SHA256", "checksumValue": &DIGEST[7..] }],
                "externalRefs": purl(&format!("pkg:oci/alpine@sha256%3A{}?repository_url=registry.example%2Flibrary%2Falpine", &DIGEST[7..])),
            })),
            with(common("SPDXRef-OperatingSystem", "alpine", "3.18.4"), json!({ "summary": "Alpine Linux v3.18" })),
            with(common("SPDXRef-Package-1", "libssl3", "1.2-r3"), json!({
                "primaryPackagePurpose": "LIBRARY", "licenseDeclared": "Apache-2.0",
                "sourceInfo": "built from: openssl 1.2-r3",
                "externalRefs": purl("pkg:apk/alpine/libssl3@1.2-r3?arch=x86_64&distro=alpine-3.18.4&upstream=openssl"),
            })),
            with(common("SPDXRef-Package-2", "odd", "1.2-r3"), json!({
                "primaryPackagePurpose": "LIBRARY", "licenseComments": "the package database says: custom licence",
                "externalRefs": purl("pkg:apk/alpine/odd@1.2-r3?arch=x86_64&distro=alpine-3.18.4"),
            })),
        ],
        "relationships": [
            { "spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-Image" },
            { "spdxElementId": "SPDXRef-Image", "relationshipType": "CONTAINS", "relatedSpdxElement": "SPDXRef-OperatingSystem" },
            { "spdxElementId": "SPDXRef-Image", "relationshipType": "CONTAINS", "relatedSpdxElement": "SPDXRef-Package-1" },
            { "spdxElementId": "SPDXRef-Image", "relationshipType": "CONTAINS", "relatedSpdxElement": "SPDXRef-Package-2" },
        ],
    });
    assert_eq!(spdx(&alpine(vec![tls, odd]), &SUBJECT, TIME), expected);
}

/// The members that `spdx-schema.json` of 2.3 requires and allows, and what identifiers look like.
#[test]
fn a_document_keeps_to_the_schema() {
    let twice = vec![package("lib_a+b", &["MIT"]), package("lib_a+b", &["ISC"])];
    for inventory in [alpine(twice), Inventory::default()] {
        let document = spdx(&inventory, &SUBJECT, TIME);
        let keys: BTreeSet<&str> =
            document.as_object().unwrap().keys().map(String::as_str).collect();
        let required = ["SPDXID", "creationInfo", "dataLicense", "name", "spdxVersion"];
        assert!(required.iter().all(|key| keys.contains(key)), "{keys:?}");
        let mut ids = BTreeSet::from(["SPDXRef-DOCUMENT"]);
        for package in document["packages"].as_array().unwrap() {
            let id = package["SPDXID"].as_str().unwrap();
            let rest = id.strip_prefix("SPDXRef-").unwrap();
            let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
            assert!(!rest.is_empty() && rest.bytes().all(is_valid), "{id:?}");
            assert!(ids.insert(id), "{id:?} twice");
            assert!(package["name"].is_string() && package["downloadLocation"].is_string());
        }
        for relationship in document["relationships"].as_array().unwrap() {
            for end in ["spdxElementId", "relatedSpdxElement"] {
                assert!(ids.contains(relationship[end].as_str().unwrap()), "{relationship}");
            }
        }
    }
}

#[test]
fn only_words_of_the_licence_list_are_expressions() {
    let cases = [
        ("MIT", true),
        ("MIT AND BSD-3-Clause", true),
        ("GPL-2.0-or-later WITH Autoconf-exception-3.0 OR ISC", true),
        ("GPL-2.0+", true),
        ("", false),
        ("MIT AND", false),
        ("AND MIT", false),
        ("MIT BSD-3-Clause", false),
        ("MIT and ISC", false),
        ("(MIT OR ISC) AND Zlib", false),
        ("GPL-2.0-only WITH MIT", false),
        ("GPL-2.0-only WITH LLVM-exception ISC", false),
        ("custom", false),
    ];
    for (text, expected) in cases {
        assert_eq!(is_expression(text), expected, "{text:?}");
    }
}

#[test]
fn several_licences_apply_together() {
    let written = |licenses: &[&str]| {
        let document = spdx(&alpine(vec![package("a", licenses)]), &SUBJECT, TIME);
        let package = &document["packages"][2];
        (package["licenseDeclared"].clone(), package["licenseComments"].clone())
    };
    assert_eq!(written(&["MIT", "ISC OR Zlib"]), (json!("(MIT) AND (ISC OR Zlib)"), Value::Null));
    assert_eq!(
        written(&["MIT", "odd"]),
        (json!("NOASSERTION"), json!("the package database says: MIT, odd"))
    );
}

#[test]
fn namespaces_differ_by_subject_and_time_and_by_nothing_else() {
    let other = Subject { digest: "sha256:00", ..SUBJECT };
    let first = namespace(&SUBJECT, TIME);
    assert_eq!(first, namespace(&SUBJECT, TIME));
    assert!(first.starts_with("https://arc.opendefense.cloud/spdx/sha256-e3b0"), "{first}");
    assert!(!first.contains('#'));
    assert_ne!(first, namespace(&other, TIME));
    assert_ne!(first, namespace(&SUBJECT, "2026-01-02T03:04:06Z"));
}
