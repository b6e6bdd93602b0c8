use std::fs;
use std::io::Write as _;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

fn advisory(id: &str) -> Value {
    json!({
        "id": id,
        "modified": "2024-01-02T03:04:05Z",
        "affected": [{
            "package": { "ecosystem": "Debian:12", "name": "zlib" },
            "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "2" }] }],
        }],
    })
}

fn write(folder: &TempDir, name: &str, content: &str) {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn zipped(files: &[(&str, String)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Returns an error and its causes as a user sees them, with the folder's name taken out.
fn failure(path: &Path) -> String {
    let error = Database::load(path).unwrap_err();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text.replace(&path.display().to_string(), "PATH")
}

fn distribution(id: &str, version_id: &str) -> Distribution {
    Distribution { id: id.into(), version_id: version_id.into(), name: String::new() }
}

#[test]
fn folder_zip_and_single_file_are_the_same_database() {
    let (a, b) = (advisory("A").to_string(), advisory("B").to_string());
    let folder = TempDir::new().unwrap();
    write(&folder, "tree/Debian/A.json", &a);
    write(&folder, "tree/B.JSON", &b);
    write(&folder, "tree/README.md", "not an advisory");
    write(&folder, "tree/..data/A.json", &a);
    let zip = folder.path().join("all.zip");
    fs::write(
        &zip,
        zipped(&[("x/B.json", b.clone()), ("A.json", a.clone()), ("README.md", String::new())]),
    )
    .unwrap();
    let both = folder.path().join("both");
    fs::create_dir(&both).unwrap();
    fs::copy(&zip, both.join("all.zip")).unwrap();
    fs::write(both.join("A.json"), &a).unwrap();

    let expected = Database::load(folder.path().join("tree")).unwrap();
    assert_eq!(
        (expected.count(), expected.newest()),
        (2, Some("2024-01-02T03:04:05Z".parse().unwrap()))
    );
    for path in [zip, both] {
        let database = Database::load(&path).unwrap();
        assert_eq!((database.digest(), database.count()), (expected.digest(), 2), "{path:?}");
    }
    let single = Database::load(folder.path().join("tree/B.JSON")).unwrap();
    assert_eq!(single.count(), 1);
    assert_ne!(single.digest(), expected.digest());
    assert!(expected.digest().starts_with("sha256:") && expected.digest().len() == 71);
}

#[test]
fn a_database_that_cannot_be_used_is_an_error() {
    let folder = TempDir::new().unwrap();
    assert_eq!(
        failure(&folder.path().join("absent")),
        "failed to read advisory database \"PATH\": No such file or directory (os error 2)"
    );
    let empty = "advisory database \"PATH\" holds no advisories; expected OSV records (*.json), or a zip of them";
    assert_eq!(failure(folder.path()), empty);
    write(&folder, "README.md", "nothing here");
    assert_eq!(failure(folder.path()), empty);
    let mut withdrawn = advisory("A");
    withdrawn["withdrawn"] = json!("2024-01-01T00:00:00Z");
    write(&folder, "withdrawn.json", &withdrawn.to_string());
    assert_eq!(failure(folder.path()), empty);
    let zip = folder.path().join("empty.zip");
    fs::write(&zip, zipped(&[("README", String::new())])).unwrap();
    assert_eq!(failure(&zip), empty);
    fs::write(&zip, &zipped(&[("a.json", advisory("A").to_string())])[..40]).unwrap();
    assert!(failure(&zip).starts_with("failed to read advisory database \"PATH\" as a zip: "));
}

#[test]
fn one_malformed_advisory_fails_the_database_by_name() {
    let cases = [
        (
            "",
            "failed to read \"PATH/bad.json\" as an OSV advisory: EOF while parsing a value at line 1 column 0",
        ),
        ("[]", "\"PATH/bad.json\" is not an OSV advisory: it is a list; expected one record"),
        (
            "{}",
            "failed to read \"PATH/bad.json\" as an OSV advisory: missing field `id` at line 1 column 2",
        ),
        (r#"{"id":"X"}"#, "\"PATH/bad.json\" is not an OSV advisory: `modified` is missing"),
        (r#"{"id":" ","modified":"x"}"#, "\"PATH/bad.json\" is not an OSV advisory: `id` is empty"),
        (
            r#"{"id":"X","modified":"x","affected":7}"#,
            "failed to read \"PATH/bad.json\" as an OSV advisory: invalid type: integer `7`, expected a sequence at line 1 column 37",
        ),
    ];
    for (text, expected) in cases {
        let folder = TempDir::new().unwrap();
        write(&folder, "good.json", &advisory("A").to_string());
        write(&folder, "bad.json", text);
        assert_eq!(failure(folder.path()), expected, "{text}");
    }
    let folder = TempDir::new().unwrap();
    let zip = folder.path().join("all.zip");
    fs::write(&zip, zipped(&[("d/bad.json", "{}".into())])).unwrap();
    assert_eq!(
        failure(&zip),
        "failed to read \"PATH:d/bad.json\" as an OSV advisory: missing field `id` at line 1 column 2"
    );
}

#[test]
fn unusual_but_valid_records_are_read() {
    let records = [
        json!({ "id": "A", "modified": "today", "affected": null, "aliases": null, "severity": null, "references": null, "summary": null }),
        json!({ "id": "B", "modified": "2024-01-01T00:00:00Z", "affected": [{}], "schema_version": "9", "new_field": {} }),
        json!({ "id": "C", "modified": "2024-01-01T00:00:00Z", "affected": [{ "package": { "ecosystem": "npm", "name": "x" } }] }),
        json!({ "id": "D", "modified": "2024-01-01T00:00:00Z", "affected": [{ "package": { "ecosystem": "Alpine:v3.18", "name": "x" }, "ranges": null, "versions": null }] }),
    ];
    let folder = TempDir::new().unwrap();
    for record in &records {
        write(&folder, &format!("{}.json", record["id"]), &record.to_string());
    }
    let database = Database::load(folder.path()).unwrap();
    assert_eq!(
        (database.count(), database.newest()),
        (4, Some("2024-01-01T00:00:00Z".parse().unwrap()))
    );
    assert!(database.covers(&distribution("alpine", "3.18.4")));
    assert!(!database.covers(&distribution("alpine", "3.19.1")));
    assert!(!database.covers(&distribution("debian", "12")));
    assert!(!database.covers(&distribution("fedora", "40")));
}

#[test]
fn folders_that_nest_without_end_are_an_error() {
    let folder = TempDir::new().unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("again")).unwrap();
    assert!(failure(folder.path()).ends_with("exceeds the limit of 16 nested folders"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn no_bytes_make_the_loader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), is_zip in any::<bool>()) {
        let folder = TempDir::new().unwrap();
        let mut zip = zipped(&[("a.json", advisory("A").to_string())]);
        let at = bytes.first().map_or(0, |byte| usize::from(*byte) % zip.len());
        zip.splice(at..(at + bytes.len()).min(zip.len()), bytes.iter().copied());
        fs::write(folder.path().join("a.json"), if is_zip { zip } else { bytes }).unwrap();
        let _ = Database::load(folder.path());
    }
}
