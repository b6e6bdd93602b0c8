use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::Distribution;
use crate::advisories::testing::database;

fn distribution(id: &str, version_id: &str) -> Distribution {
    Distribution { id: id.into(), version_id: version_id.into(), name: String::new() }
}

fn package(
    manager: Manager,
    name: &str,
    version: &str,
    source: &str,
    source_version: &str,
) -> Package {
    Package {
        name: name.into(),
        version: version.into(),
        architecture: "amd64".into(),
        source: source.into(),
        source_version: source_version.into(),
        manager,
        licenses: vec![],
    }
}

fn image(version: &str) -> Inventory {
    let packages = vec![package(Manager::Dpkg, "zlib1g", version, "zlib", version)];
    Inventory { distribution: Some(distribution("debian", "12")), packages }
}

fn advisory(id: &str, affected: &Value) -> Value {
    json!({ "id": id, "modified": "2024-01-01T00:00:00Z", "affected": affected })
}

fn of_zlib(events: &Value) -> Value {
    json!([{ "package": { "ecosystem": "Debian:12", "name": "zlib" }, "ranges": [{ "type": "ECOSYSTEM", "events": events }] }])
}

/// What is known of a version that is not affected, and the fix of one that is but has none.
const NO: &str = "not affected";
const UNFIXED: &str = "no fix";

/// Returns the fixed version of an affected one.
fn matched(affected: &Value, version: &str) -> String {
    let findings = findings(&image(version), &database(&[advisory("X", affected)]));
    let fixed =
        findings.into_iter().next().map(|finding| finding.fixed.unwrap_or_else(|| UNFIXED.into()));
    fixed.unwrap_or_else(|| NO.into())
}

#[test]
fn ranges_say_which_versions_are_affected() {
    let fixed = json!([{ "introduced": "0" }, { "fixed": "2-1" }]);
    let later = json!([{ "introduced": "1.5" }, { "fixed": "2-1" }]);
    let open = json!([{ "introduced": "0" }]);
    let last = json!([{ "introduced": "0" }, { "last_affected": "2-1" }]);
    let twice =
        json!([{ "introduced": "3" }, { "fixed": "4" }, { "fixed": "2" }, { "introduced": "1" }]);
    let never = json!([{ "introduced": "0" }, { "fixed": "0" }]);
    let forgotten = json!([{ "fixed": "2-1" }]);
    let same =
        json!([{ "introduced": "0" }, { "fixed": "2" }, { "introduced": "2" }, { "fixed": "3" }]);
    let limited = json!([{ "introduced": "0" }, { "limit": "2" }]);
    let unlimited = json!([{ "introduced": "0" }, { "limit": "*" }]);
    let one = json!([{ "introduced": "2" }, { "last_affected": "2" }]);
    let cases: [(&Value, &str, &str); 29] = [
        (&fixed, "1", "2-1"),
        (&fixed, "0~git1", "2-1"),
        (&fixed, "2-1~deb12u1", "2-1"),
        (&fixed, "2-1", NO),
        (&fixed, "2-1+b1", NO),
        (&fixed, "1:0", NO),
        (&later, "1.4", NO),
        (&later, "1.5", "2-1"),
        (&open, "99", UNFIXED),
        (&last, "2-1", UNFIXED),
        (&last, "2-2", NO),
        (&twice, "0.9", NO),
        (&twice, "1", "2"),
        (&twice, "2", NO),
        (&twice, "3.9", "4"),
        (&twice, "4", NO),
        (&never, "1", NO),
        (&never, "0", NO),
        (&never, "0~git1", NO),
        (&forgotten, "1", "2-1"),
        (&forgotten, "3", NO),
        (&same, "2", "3"),
        (&limited, "1.9", UNFIXED),
        (&limited, "2", NO),
        (&unlimited, "2", UNFIXED),
        (&one, "1", NO),
        (&one, "2", UNFIXED),
        (&one, "2-1", NO),
        (&json!([]), "1", UNFIXED),
    ];
    for (events, version, expected) in cases {
        assert_eq!(matched(&of_zlib(events), version), expected, "{version} in {events}");
    }
}

#[test]
fn listed_versions_are_affected_beside_any_range() {
    let affected = |extra: &Value| {
        let mut affected = of_zlib(&json!([{ "introduced": "0" }, { "fixed": "2" }]));
        affected[0].as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        affected
    };
    let listed = affected(&json!({ "versions": ["1", "3.0", "3.1"] }));
    assert_eq!(matched(&listed, "1"), "2");
    assert_eq!(matched(&listed, "3.0"), UNFIXED);
    assert_eq!(matched(&listed, "0:3.0-0"), UNFIXED);
    assert_eq!(matched(&listed, "3.2"), NO);
    let commits = json!([{ "package": { "ecosystem": "Debian:12", "name": "zlib" }, "ranges": [{ "type": "GIT", "events": [{ "introduced": "0" }] }], "versions": ["3.0"] }]);
    assert_eq!(matched(&commits, "3.0"), UNFIXED);
    assert_eq!(matched(&commits, "1"), NO);
    let nothing_said = json!([{ "package": { "ecosystem": "Debian:12", "name": "zlib" } }]);
    assert_eq!(matched(&nothing_said, "1"), UNFIXED);
}

#[test]
fn advisories_of_other_releases_and_packages_do_not_match() {
    for (ecosystem, name, expected) in [
        ("Debian:12", "zlib", true),
        ("debian:12", "zlib", true),
        ("Debian", "zlib", true),
        ("Debian:11", "zlib", false),
        ("Debian:12", "zlib1g", false),
        ("Alpine:v3.18", "zlib", false),
        ("Ubuntu:22.04", "zlib", false),
    ] {
        let affected = json!([{ "package": { "ecosystem": ecosystem, "name": name }, "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }] }] }]);
        assert_eq!(matched(&affected, "1") != NO, expected, "{ecosystem} {name}");
    }
}

#[test]
fn what_is_said_of_the_release_wins_over_what_is_said_of_all() {
    let affected = json!([
        { "package": { "ecosystem": "Debian", "name": "zlib" }, "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }] }] },
        { "package": { "ecosystem": "Debian:12", "name": "zlib" }, "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "2" }] }] },
    ]);
    assert_eq!(matched(&affected, "1"), "2");
    assert_eq!(matched(&affected, "3"), NO);
}

#[test]
fn the_source_package_and_its_version_decide_and_the_installed_package_is_named() {
    let packages = vec![
        package(Manager::Dpkg, "bash", "5.2-2+b2", "bash", "5.2-2"),
        package(Manager::Dpkg, "bash-static", "9.9-1", "bash", "5.2-2"),
        package(Manager::Dpkg, "bash-completion", "1", "bash-completion", "1"),
    ];
    let image = Inventory { distribution: Some(distribution("debian", "12")), packages };
    let record = json!({
        "id": "DEBIAN-CVE-2000-1", "upstream": ["CVE-2000-1"], "modified": "2024-01-01T00:00:00Z", "summary": "bad",
        "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H" }],
        "affected": [{ "package": { "ecosystem": "Debian:12", "name": "bash" }, "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "5.2-3" }] }] }],
        "references": [{ "type": "ADVISORY", "url": "https://example.org/1" }],
    });
    let finding = |package: &str, installed: &str| Finding {
        id: "DEBIAN-CVE-2000-1".into(),
        aliases: vec!["CVE-2000-1".into()],
        package: package.into(),
        source: "bash".into(),
        installed: installed.into(),
        fixed: Some("5.2-3".into()),
        severity: Severity::High,
        score: Some(7.5),
        summary: "bad".into(),
        url: "https://example.org/1".into(),
    };
    let expected = vec![finding("bash", "5.2-2+b2"), finding("bash-static", "9.9-1")];
    assert_eq!(findings(&image, &database(&[record])), expected);
}

#[test]
fn advisories_of_wolfi_name_installed_packages() {
    let packages = vec![package(Manager::Apk, "openssl-dev", "3.6.1-r2", "openssl", "3.6.1-r2")];
    let image = Inventory { distribution: Some(distribution("wolfi", "20230201")), packages };
    let affected = |name: &str| {
        let range = json!({ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "3.6.1-r3" }] });
        json!([{ "package": { "ecosystem": "Wolfi", "name": name }, "ranges": [range] }])
    };
    for (name, expected) in [("openssl-dev", 1), ("openssl", 1), ("openssl-doc", 0)] {
        let database = database(&[advisory("X", &affected(name))]);
        assert_eq!(findings(&image, &database).len(), expected, "{name}");
    }
}

/// Reduces findings to what merging decides.
fn merged(records: &[Value]) -> Vec<(String, Vec<String>, Option<String>, Severity)> {
    let findings = findings(&image("1"), &database(records));
    findings.into_iter().map(|f| (f.id, f.aliases, f.fixed, f.severity)).collect()
}

#[test]
fn several_advisories_about_one_vulnerability_are_one_finding() {
    let record = |id: &str, aliases: &[&str], fixed: &str, severity: &str| {
        let mut record =
            advisory(id, &of_zlib(&json!([{ "introduced": "0" }, { "fixed": fixed }])));
        record["upstream"] = json!(aliases);
        record["database_specific"] = json!({ "severity": severity });
        record
    };
    let cve = record("DEBIAN-CVE-2000-1", &["CVE-2000-1"], "2", "low");
    let other = record("DEBIAN-CVE-2000-2", &["CVE-2000-2"], "2", "low");
    let single = record("DSA-1", &["CVE-2000-1"], "10", "high");
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let one = (
        "DEBIAN-CVE-2000-1".to_owned(),
        names(&["CVE-2000-1", "DSA-1"]),
        Some("10".to_owned()),
        Severity::High,
    );
    assert_eq!(merged(&[cve.clone(), single]), vec![one]);

    let told = |n: u8| {
        (
            format!("DEBIAN-CVE-2000-{n}"),
            names(&[&format!("CVE-2000-{n}")]),
            Some("2".to_owned()),
            Severity::Low,
        )
    };
    let bundle = record("DSA-2", &["CVE-2000-1", "CVE-2000-2"], "2", "");
    assert_eq!(merged(&[bundle.clone(), cve.clone(), other.clone()]), vec![told(1), told(2)]);
    let bundled = (
        "DSA-2".to_owned(),
        names(&["CVE-2000-1", "CVE-2000-2"]),
        Some("2".to_owned()),
        Severity::Unknown,
    );
    assert_eq!(merged(&[bundle, cve.clone()]), vec![told(1), bundled]);
    let worse = record("DSA-2", &["CVE-2000-1", "CVE-2000-2"], "2", "critical");
    assert_eq!(merged(&[worse, cve, other]).len(), 3);
}

#[test]
fn the_same_record_twice_is_one_finding() {
    let record = advisory("X", &of_zlib(&json!([{ "introduced": "0" }])));
    let mut newer = record.clone();
    newer["modified"] = json!("2025-01-01T00:00:00Z");
    assert_eq!(merged(&[record, newer]).len(), 1);
}

#[test]
fn only_a_covered_image_can_be_judged() {
    let database = database(&[advisory("X", &of_zlib(&json!([{ "introduced": "0" }])))]);
    let debian = |version: &str| Some(distribution("debian", version));
    let dpkg = || package(Manager::Dpkg, "a", "1", "a", "1");
    let apk = || package(Manager::Apk, "a", "1", "a", "1");
    let name = |text: &str| text.to_owned();
    let cases = [
        (debian("12"), vec![dpkg()], Coverage::Covered),
        (None, vec![], Coverage::NothingRecognised),
        (None, vec![dpkg()], Coverage::NoDistribution),
        (debian("12"), vec![], Coverage::NoPackages { distribution: name("debian 12") }),
        (debian("11"), vec![dpkg()], Coverage::NotInDatabase { distribution: name("debian 11") }),
        (debian(""), vec![dpkg()], Coverage::NotInDatabase { distribution: name("debian") }),
        (
            Some(distribution("alpine", "3.18.4")),
            vec![apk()],
            Coverage::NotInDatabase { distribution: name("alpine 3.18.4") },
        ),
        (
            Some(distribution("fedora", "40")),
            vec![dpkg()],
            Coverage::NotInDatabase { distribution: name("fedora 40") },
        ),
        (
            debian("12"),
            vec![dpkg(), apk()],
            Coverage::ForeignPackages { distribution: name("debian 12") },
        ),
    ];
    for (distribution, packages, expected) in cases {
        let inventory = Inventory { distribution, packages };
        assert_eq!(coverage(&inventory, &database), expected, "{inventory:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn no_versions_make_matching_panic(
        events in prop::collection::vec((0u8..4, "[0-9a.~:+*-]{0,6}"), 0..6),
        version in "\\PC{0,8}",
    ) {
        let events: Vec<Value> = events.into_iter().map(|(kind, version)| {
            json!({ ["introduced", "fixed", "last_affected", "limit"][usize::from(kind)]: version })
        }).collect();
        let _ = matched(&of_zlib(&json!(events)), &version);
    }
}
