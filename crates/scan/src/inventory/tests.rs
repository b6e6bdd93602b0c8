use super::*;
use crate::layers::testing::Archive;

const OS_RELEASE: &str = "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian\"\n";
const STATUS: &str = "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nSource: zlib\nVersion: 1:1.2.13.dfsg-1\n";

fn zlib() -> Package {
    Package {
        name: "zlib1g".into(),
        version: "1:1.2.13.dfsg-1".into(),
        architecture: "amd64".into(),
        source: "zlib".into(),
        source_version: "1:1.2.13.dfsg-1".into(),
        manager: Manager::Dpkg,
        licenses: vec![],
    }
}

fn debian() -> Distribution {
    Distribution { id: "debian".into(), version_id: "12".into(), name: "Debian".into() }
}

#[track_caller]
fn check(archives: Vec<Archive>, expected: Inventory) {
    let read = inventory(archives.into_iter().map(Archive::layer));
    assert_eq!(read.map_err(|error| error.to_string()), Ok(expected));
}

#[test]
fn a_debian_image_has_its_distribution_and_packages() {
    let lower = Archive::new()
        .file("usr/lib/os-release", OS_RELEASE)
        .symlink("etc/os-release", "../usr/lib/os-release")
        .file("var/lib/dpkg/status", "Package: old\nVersion: 1\n");
    let upper = Archive::new().file("var/lib/dpkg/status", STATUS);
    check(vec![lower, upper], Inventory { distribution: Some(debian()), packages: vec![zlib()] });
}

#[test]
fn a_distroless_image_has_a_file_for_each_package() {
    let archive = Archive::new()
        .file("etc/os-release", OS_RELEASE)
        .file(
            "var/lib/dpkg/status.d/zlib1g",
            "Package: zlib1g\nArchitecture: amd64\nSource: zlib\nVersion: 1:1.2.13.dfsg-1\n",
        )
        .file(
            "var/lib/dpkg/status.d/zlib1g.md5sums",
            "d41d8cd98f00b204e9800998ecf8427e  usr/lib/libz.so.1\n",
        );
    check(vec![archive], Inventory { distribution: Some(debian()), packages: vec![zlib()] });
}

#[test]
fn an_alpine_database_may_be_below_usr() {
    for path in ["lib/apk/db/installed", "usr/lib/apk/db/installed"] {
        let archives = [
            Archive::new().file(path, "P:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\no:musl\n\n"),
            Archive::new()
                .symlink("lib", "usr/lib")
                .file(path, "P:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\no:musl\n\n"),
        ];
        for archive in archives {
            let musl = Package {
                name: "musl".into(),
                version: "1.2.4-r2".into(),
                architecture: "x86_64".into(),
                source: "musl".into(),
                source_version: "1.2.4-r2".into(),
                manager: Manager::Apk,
                licenses: vec!["MIT".into()],
            };
            check(vec![archive], Inventory { distribution: None, packages: vec![musl] });
        }
    }
}

#[test]
fn an_image_from_scratch_is_empty() {
    for archives in [vec![], vec![Archive::new().file("app", "binary")]] {
        check(archives, Inventory::default());
    }
    assert!(Inventory::default().is_empty());
    assert!(!Inventory { distribution: Some(debian()), packages: vec![] }.is_empty());
    assert!(!Inventory { distribution: None, packages: vec![zlib()] }.is_empty());
}

#[test]
fn a_database_that_cannot_be_understood_is_an_error() {
    let archive = Archive::new().file("var/lib/dpkg/status", "Package: zlib1g\nnonsense\n").layer();
    let error = inventory([archive]).map_err(|error| error.to_string());
    let expected = "\"var/lib/dpkg/status\" is not a valid package database: line 2 is neither a field nor the continuation of one";
    assert_eq!(error, Err(expected.to_owned()));
}

#[test]
fn an_os_release_without_an_id_is_passed_over() {
    let archive =
        Archive::new().file("etc/os-release", "NAME=x\n").file("usr/lib/os-release", OS_RELEASE);
    check(vec![archive], Inventory { distribution: Some(debian()), packages: vec![] });
}
