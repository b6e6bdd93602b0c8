use proptest::prelude::*;

use super::*;

fn package(name: &str, version: &str, source: &str, source_version: &str) -> Package {
    let (name, version) = (name.to_owned(), version.to_owned());
    let (source, source_version) = (source.to_owned(), source_version.to_owned());
    let architecture = "amd64".to_owned();
    Package {
        name,
        version,
        architecture,
        source,
        source_version,
        manager: Manager::Dpkg,
        licenses: Vec::new(),
    }
}

fn stanza(status: &str, fields: &str) -> String {
    format!(
        "Package: a\nStatus: {status}\nArchitecture: amd64\nVersion: 1-2+b1\n{fields}Description: a\n package\n .\n Version: 9\n\n"
    )
}

#[test]
fn the_source_is_what_advisories_name() {
    let cases = [
        ("", "a", "1-2+b1"),
        ("Source: b\n", "b", "1-2+b1"),
        ("Source: a (1-2)\n", "a", "1-2"),
        ("source:b(2:3~4)\n", "b", "2:3~4"),
        ("Source: b ()\n", "b", "1-2+b1"),
        ("Source:\n", "a", "1-2+b1"),
    ];
    for (fields, source, source_version) in cases {
        let expected = vec![package("a", "1-2+b1", source, source_version)];
        assert_eq!(parse(&stanza("install ok installed", fields)), Ok(expected), "{fields:?}");
    }
}

#[test]
fn only_packages_with_files_in_the_image_count() {
    let cases = [
        ("install ok installed", 1),
        ("hold ok installed", 1),
        ("deinstall reinstreq installed", 1),
        ("install ok unpacked", 1),
        ("install ok half-configured", 1),
        ("install ok triggers-pending", 1),
        ("install ok something-new", 1),
        ("install ok", 1),
        ("deinstall ok config-files", 0),
        ("purge ok not-installed", 0),
    ];
    for (status, expected) in cases {
        assert_eq!(
            parse(&stanza(status, "")).map(|packages| packages.len()),
            Ok(expected),
            "{status:?}"
        );
    }
}

#[test]
fn distroless_packages_have_no_status() {
    let expected = vec![package("netbase", "6.4", "netbase", "6.4")];
    assert_eq!(parse("Package: netbase\nArchitecture: amd64\nVersion: 6.4\n"), Ok(expected));
}

#[test]
fn line_ends_and_empty_lines_do_not_matter() {
    let text =
        format!("\n\n{}\r\n  \n\n", stanza("install ok installed", "").replace('\n', "\r\n"));
    assert_eq!(parse(&text), Ok(vec![package("a", "1-2+b1", "a", "1-2+b1")]));
    assert_eq!(parse(""), Ok(vec![]));
}

#[test]
fn what_cannot_be_understood_is_a_problem_with_its_line() {
    let cases = [
        ("Package: a\nnonsense\n", Problem::StrayLine { line: 2 }),
        (" continuation of nothing\n", Problem::StrayLine { line: 1 }),
        ("Package: a\n\n", Problem::MissingField { line: 2, field: "Version" }),
        ("Package: a\nVersion:\n", Problem::MissingField { line: 2, field: "Version" }),
        (
            "Version: 1\n\nPackage: a\nVersion: 1\n",
            Problem::MissingField { line: 2, field: "Package" },
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(parse(text), Err(expected), "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(text in "((Package|Version|Source|Status|\\PC{0,4})?[: ()\n]{0,3}\\PC{0,6}[\n\r]{0,2}){0,12}") {
        let _ = parse(&text);
    }
}
