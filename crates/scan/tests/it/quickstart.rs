//! What the quickstart promises about its images and advisories.

use arc_scan::{Counts, Coverage, Database, Gate, Inventory, matching};

use crate::{repository, scan};

fn image(name: &str) -> Inventory {
    let folder = repository("examples/quickstart/images").join(name);
    let database = if name.starts_with("alpine") {
        ("lib/apk/db/installed", folder.join("installed"))
    } else {
        ("var/lib/dpkg/status", folder.join("status"))
    };
    scan(&[("etc/os-release", folder.join("os-release")), database])
}

fn database() -> Database {
    Database::load(repository("examples/quickstart/advisories")).unwrap()
}

fn refused(name: &str) -> Vec<String> {
    let (image, database) = (image(name), database());
    assert_eq!(matching::coverage(&image, &database), Coverage::Covered, "{name}");
    let verdict =
        Gate::parse("HIGH,CRITICAL").unwrap().judge(&matching::findings(&image, &database));
    let line = |f: &arc_scan::Finding| {
        let fixed = f.fixed.as_deref().unwrap_or("no fix");
        format!("{} {} {} {} -> {fixed}", f.severity, f.id, f.package, f.installed)
    };
    verdict.refused.iter().map(line).collect()
}

#[test]
fn the_newer_images_pass() {
    for name in ["alpine-3.18.6", "alpine-3.19.1", "debian-12.5"] {
        assert_eq!(refused(name), Vec::<String>::new(), "{name}");
        assert_eq!(
            Counts::of(&matching::findings(&image(name), &database())),
            Counts::default(),
            "{name}"
        );
    }
}

#[test]
fn the_older_images_are_refused_with_the_fixed_versions() {
    let alpine = [
        "HIGH ALPINE-CVE-2023-5363 libcrypto3 3.1.3-r0 -> 3.1.4-r0",
        "HIGH ALPINE-CVE-2023-5363 libssl3 3.1.3-r0 -> 3.1.4-r0",
    ];
    assert_eq!(refused("alpine-3.18.4"), alpine);
    let debian = [
        "CRITICAL DEBIAN-CVE-2022-37434 zlib1g 1:1.2.11.dfsg-2+deb11u1 -> 1:1.2.11.dfsg-2+deb11u2",
        "HIGH DEBIAN-CVE-2023-4911 libc6 2.31-13+deb11u3 -> 2.31-13+deb11u7",
        "HIGH DEBIAN-CVE-2024-2961 libc6 2.31-13+deb11u3 -> 2.31-13+deb11u9",
        "HIGH DEBIAN-CVE-2022-2509 libgnutls30 3.7.1-5+deb11u1 -> 3.7.1-5+deb11u2",
    ];
    assert_eq!(refused("debian-11.4"), debian);
    let medium = Counts { high: 2, medium: 6, ..Counts::default() };
    assert_eq!(Counts::of(&matching::findings(&image("alpine-3.18.4"), &database())), medium);
}

#[test]
fn every_image_names_its_distribution_and_packages() {
    for (name, distribution) in [
        ("alpine-3.18.4", "alpine 3.18.4"),
        ("alpine-3.18.6", "alpine 3.18.6"),
        ("alpine-3.19.1", "alpine 3.19.1"),
        ("debian-11.4", "debian 11"),
        ("debian-12.5", "debian 12"),
    ] {
        let image = image(name);
        assert_eq!(
            image.distribution.as_ref().map(ToString::to_string),
            Some(distribution.to_owned())
        );
        assert!(image.packages.len() >= 10, "{name}: {}", image.packages.len());
    }
}

#[test]
fn every_sample_advisory_has_a_severity_and_a_page() {
    let images = ["alpine-3.18.4", "debian-11.4"].map(image);
    for finding in images.iter().flat_map(|image| matching::findings(image, &database())) {
        assert_ne!(finding.severity, arc_scan::Severity::Unknown, "{}", finding.id);
        assert!(finding.url.starts_with("https://"), "{}", finding.id);
    }
    assert_eq!(database().count(), 11);
}
