//! Package databases in the form the package managers write them.

use arc_scan::{Manager, Package};

use crate::{repository, scan};

#[test]
fn databases_of_real_systems_are_read() {
    let data = |name: &str| repository("crates/scan/tests/data").join(name);
    let found = scan(&[
        ("var/lib/dpkg/status", data("dpkg-status")),
        ("lib/apk/db/installed", data("apk-installed")),
    ]);
    let package =
        |manager, name: &str, version: &str, source: &str, source_version: &str| Package {
            name: name.into(),
            version: version.into(),
            architecture: if manager == Manager::Dpkg { "amd64".into() } else { "x86_64".into() },
            source: source.into(),
            source_version: source_version.into(),
            manager,
            licenses: vec![],
        };
    let licensed =
        |package, license: &str| Package { licenses: vec![license.to_owned()], ..package };
    let (dpkg, apk) = (Manager::Dpkg, Manager::Apk);
    let expected = vec![
        package(dpkg, "base-files", "12.4+deb12u5", "base-files", "12.4+deb12u5"),
        package(dpkg, "bash", "5.2.15-2+b2", "bash", "5.2.15-2"),
        licensed(package(apk, "libcrypto3", "3.1.3-r0", "openssl", "3.1.3-r0"), "Apache-2.0"),
        licensed(package(apk, "musl", "1.2.4-r1", "musl", "1.2.4-r1"), "MIT"),
        package(dpkg, "zlib1g", "1:1.2.13.dfsg-1", "zlib", "1:1.2.13.dfsg-1"),
    ];
    assert_eq!(found.packages, expected);
    assert_eq!(found.distribution, None);
}
