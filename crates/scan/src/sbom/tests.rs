use super::*;

fn package(manager: Manager, name: &str, version: &str) -> Package {
    Package {
        name: name.into(),
        version: version.into(),
        architecture: String::new(),
        source: name.into(),
        source_version: version.into(),
        manager,
        licenses: vec![],
    }
}

fn alpine() -> Distribution {
    Distribution {
        id: "alpine".into(),
        version_id: "3.18.4".into(),
        name: "Alpine Linux v3.18".into(),
    }
}

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn a_bill_of_materials_is_complete_and_always_the_same() {
    let packages = vec![
        Package {
            architecture: "x86_64".into(),
            source: "ca-certificates".into(),
            licenses: vec!["MPL-2.0 AND MIT".into()],
            ..package(Manager::Apk, "ca-certificates-bundle", "20230506-r0")
        },
        Package {
            architecture: "x86_64".into(),
            licenses: vec!["MIT".into()],
            ..package(Manager::Apk, "musl", "1.2.4-r1")
        },
    ];
    let inventory = Inventory { distribution: Some(alpine()), packages };
    let subject = Subject { name: "registry.example/library/alpine", digest: DIGEST };
    let bundle = "pkg:apk/alpine/ca-certificates-bundle@20230506-r0?arch=x86_64&distro=alpine-3.18.4&upstream=ca-certificates";
    let musl = "pkg:apk/alpine/musl@1.2.4-r1?arch=x86_64&distro=alpine-3.18.4";
    let expected = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": "urn:uuid:4f1adae4-ebf1-845b-a997-6010ce58bd9e",
        "version": 1,
        "metadata": {
            "timestamp": "2026-01-02T03:04:05Z",
            "tools": { "components": [{ "type": "application", "name": "arc", "version": env!("CARGO_PKG_VERSION") }] },
            "component": {
                "type": "container",
                "bom-ref": DIGEST,
                "name": "registry.example/library/alpine",
                "version": DIGEST,
                "hashes": [{ "alg": "SHA-256", "content": &DIGEST[7..] }],
            },
        },
        "components": [
            { "type": "operating-system", "bom-ref": "os:alpine-3.18.4", "name": "alpine", "version": "3.18.4", "description": "Alpine Linux v3.18" },
            { "type": "library", "bom-ref": bundle, "name": "ca-certificates-bundle", "version": "20230506-r0", "purl": bundle, "licenses": [{ "expression": "MPL-2.0 AND MIT" }] },
            { "type": "library", "bom-ref": musl, "name": "musl", "version": "1.2.4-r1", "purl": musl, "licenses": [{ "license": { "name": "MIT" } }] },
        ],
        "dependencies": [{ "ref": DIGEST, "dependsOn": ["os:alpine-3.18.4", bundle, musl] }],
    });
    assert_eq!(cyclonedx(&inventory, &subject, "2026-01-02T03:04:05Z"), expected);
}

#[test]
fn an_empty_inventory_is_a_valid_bill_too() {
    let document =
        cyclonedx(&Inventory::default(), &Subject { name: "x", digest: "sha512:00" }, "t");
    assert_eq!(document["components"], json!([]));
    assert_eq!(
        document["metadata"]["component"]["hashes"],
        json!([{ "alg": "SHA-512", "content": "00" }])
    );
}

#[test]
fn package_urls_name_what_scanners_look_for() {
    let debian = Distribution { id: "debian".into(), version_id: "11".into(), name: String::new() };
    let cases = [
        (
            Package {
                architecture: "amd64".into(),
                source: "zlib".into(),
                ..package(Manager::Dpkg, "zlib1g", "1:1.2.11.dfsg-2+deb11u1")
            },
            "pkg:deb/debian/zlib1g@1:1.2.11.dfsg-2%2Bdeb11u1?arch=amd64&distro=debian-11&upstream=zlib",
        ),
        (
            Package {
                source_version: "5.2.15-2".into(),
                ..package(Manager::Dpkg, "bash", "5.2.15-2+b2")
            },
            "pkg:deb/debian/bash@5.2.15-2%2Bb2?distro=debian-11&upstream=bash%405.2.15-2",
        ),
        (
            package(Manager::Dpkg, "libstdc++6", "5~rc/1 x"),
            "pkg:deb/debian/libstdc%2B%2B6@5~rc%2F1%20x?distro=debian-11",
        ),
    ];
    for (package, expected) in cases {
        assert_eq!(purl(&package, Some(&debian)), expected);
    }
    assert_eq!(purl(&package(Manager::Apk, "musl", "1-r0"), None), "pkg:apk/alpine/musl@1-r0");
}

#[test]
fn references_are_unique_even_if_packages_are_not() {
    let mut other = package(Manager::Dpkg, "a", "1");
    other.licenses = vec!["MIT".into()];
    let inventory =
        Inventory { distribution: None, packages: vec![package(Manager::Dpkg, "a", "1"), other] };
    let document = cyclonedx(&inventory, &Subject { name: "x", digest: DIGEST }, "t");
    let references: Vec<&Value> =
        document["components"].as_array().unwrap().iter().map(|c| &c["bom-ref"]).collect();
    assert_eq!(references, [&json!("pkg:deb/debian/a@1"), &json!("pkg:deb/debian/a@1#2")]);
}

#[test]
fn serial_numbers_follow_from_the_digest() {
    let first = serial_number(DIGEST);
    assert_eq!(first, serial_number(DIGEST));
    assert_ne!(first, serial_number("sha256:00"));
    let uuid = first.strip_prefix("urn:uuid:").unwrap();
    assert_eq!(uuid.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    assert_eq!((&uuid[14..15], "89ab".contains(&uuid[19..20])), ("8", true));
}
