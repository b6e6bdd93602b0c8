use proptest::prelude::*;

use super::*;

#[test]
fn packages_are_read_and_their_files_passed_over() {
    let text = "C:Q1abc=\nP:libcrypto3\nV:3.1.3-r0\nA:x86_64\nS:1\nI:2\nT:Crypto library: from openssl\nU:u\nL:Apache-2.0\n\
                o:openssl\nm:M <m@x>\nt:1\nc:c\nD:so:libc.musl-x86_64.so.1\np:so:libcrypto.so.3=3\nF:lib\nR:libcrypto.so.3\n\
                a:0:0:755\nZ:Q1def=\n\nP:.deps\nV:20240101\n\n\nP:busybox\r\nV:1.36.1-r2\r\nL:\r\n";
    let package =
        |name: &str, version: &str, architecture: &str, source: &str, licenses: &[&str]| Package {
            name: name.to_owned(),
            version: version.to_owned(),
            architecture: architecture.to_owned(),
            source: source.to_owned(),
            source_version: version.to_owned(),
            manager: Manager::Apk,
            licenses: licenses.iter().map(|&license| license.to_owned()).collect(),
        };
    let expected = vec![
        package("libcrypto3", "3.1.3-r0", "x86_64", "openssl", &["Apache-2.0"]),
        package(".deps", "20240101", "", ".deps", &[]),
        package("busybox", "1.36.1-r2", "", "busybox", &[]),
    ];
    assert_eq!(parse_installed(text), Ok(expected));
    assert_eq!(parse_installed(""), Ok(vec![]));
}

#[test]
fn what_cannot_be_understood_is_a_problem_with_its_line() {
    let cases = [
        ("P:a\nnonsense\n", Problem::StrayLine { line: 2 }),
        ("P:a\n\n", Problem::MissingField { line: 2, field: "V (version)" }),
        ("V:1\n", Problem::MissingField { line: 1, field: "P (name)" }),
        ("o:x\n\nP:a\nV:1\n", Problem::MissingField { line: 2, field: "P (name)" }),
    ];
    for (text, expected) in cases {
        assert_eq!(parse_installed(text), Err(expected), "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(text in "([PVALoZ]?[:\n]{0,2}\\PC{0,6}[\n\r]{0,2}){0,12}") {
        let _ = parse_installed(&text);
    }
}
