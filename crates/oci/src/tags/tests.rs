use nodejs_semver::{Range as NpmRange, Version as NpmVersion};

use super::*;

fn owned(tags: &[&str]) -> Vec<String> {
    tags.iter().map(|tag| (*tag).to_owned()).collect()
}

#[track_caller]
fn check(constraint: &str, tags: &[&str], expected: Option<&str>) {
    let mut tags = owned(tags);
    for _ in 0..2 {
        assert_eq!(select(constraint, &tags), Ok(expected), "{constraint:?} among {tags:?}");
        // The order of the list never matters.
        tags.reverse();
    }
}

const ALPINE: &[&str] =
    &["3.17.9", "3.18.0", "3.18.4", "3.18.6", "3.18", "3", "3.19.0", "3.19.1", "edge", "latest"];
const APP: &[&str] = &[
    "v0.9.0",
    "v1.0.0",
    "1.2.0",
    "v1.2.3",
    "1.4.0",
    "1.4.9",
    "1.5.0-rc.1",
    "1.10.0",
    "2.0.0-beta.2",
    "2.0.0",
    "2.1.0-alpha",
];

#[test]
fn constraints_select_the_highest_version() {
    let cases: &[(&str, &[&str], Option<&str>)] = &[
        // As the seed document writes it.
        (">3.18.0 < 3.19.0", ALPINE, Some("3.18.6")),
        (">3.18.0 <3.19.0", ALPINE, Some("3.18.6")),
        (">3.18.0, < 3.19.0", ALPINE, Some("3.18.6")),
        (">3.18.0,<3.19.0", ALPINE, Some("3.18.6")),
        (" >  3.18.0   <  3.19.0 ", ALPINE, Some("3.18.6")),
        // Numbers compare as numbers.
        ("^1.2", APP, Some("1.10.0")),
        ("1.x", APP, Some("1.10.0")),
        ("1.X", APP, Some("1.10.0")),
        ("1.*", APP, Some("1.10.0")),
        ("1", APP, Some("1.10.0")),
        ("v1", APP, Some("1.10.0")),
        ("1.x.x", APP, Some("1.10.0")),
        ("*", APP, Some("2.0.0")),
        ("x", APP, Some("2.0.0")),
        (">=0", APP, Some("2.0.0")),
        ("~1.4 || >=2", APP, Some("2.0.0")),
        ("~1.4||>=7", APP, Some("1.4.9")),
        ("~1.4", APP, Some("1.4.9")),
        ("~>1.4.0", APP, Some("1.4.9")),
        ("~1", APP, Some("1.10.0")),
        ("~1.2.3", APP, Some("v1.2.3")),
        ("1.4", APP, Some("1.4.9")),
        ("=1.4", APP, Some("1.4.9")),
        ("= v1.2.3", APP, Some("v1.2.3")),
        ("==1.2.3", APP, Some("v1.2.3")),
        ("v1.2.3", APP, Some("v1.2.3")),
        (">= v1.2.3 < v1.4", APP, Some("v1.2.3")),
        // Masterminds' own spellings.
        ("=>1.2.3, =<1.4.0", APP, Some("1.4.0")),
        ("=>2", APP, Some("2.0.0")),
        ("=<1", APP, Some("1.10.0")),
        (">=1.0.0, !=1.10.0, <2", APP, Some("1.4.9")),
        ("1.x !=1.10.x", APP, Some("1.4.9")),
        ("!=2", APP, Some("1.10.0")),
        ("!= 2.0.0", APP, Some("1.10.0")),
        // Hyphen ranges; the end stands for all that it leaves out.
        ("1.2 - 1.4", APP, Some("1.4.9")),
        ("1.2.0 - 1.4.0", APP, Some("1.4.0")),
        ("0.1 - 1", APP, Some("1.10.0")),
        // Parts left out in comparisons.
        (">1.4", APP, Some("2.0.0")),
        (">1.4 <2", APP, Some("1.10.0")),
        ("<1.4", APP, Some("v1.2.3")),
        ("<=1.4", APP, Some("1.4.9")),
        (">1.10", &["1.10.5", "1.10.0"], None),
        // Below one, every number may break.
        ("^0.9", APP, Some("v0.9.0")),
        ("^0.2.3", &["0.2.2", "0.2.9", "0.3.0"], Some("0.2.9")),
        ("^0.0.3", &["0.0.3", "0.0.4"], Some("0.0.3")),
        ("^0.0", &["0.0.3", "0.0.9", "0.1.0"], Some("0.0.9")),
        ("^0", &["0.0.3", "0.9.9", "1.0.0"], Some("0.9.9")),
        // Nothing fits.
        (">=3", APP, None),
        ("<*", APP, None),
        (">x", APP, None),
        (">2 <1", APP, None),
        // Nothing lies between; npm's crate takes everything for it.
        (">1 <2", APP, None),
        ("^1", &[], None),
        ("^1", &["latest", "edge", "sha256-abc.sig"], None),
    ];
    for (constraint, tags, expected) in cases {
        check(constraint, tags, *expected);
    }
}

#[test]
fn pre_releases_count_only_when_the_constraint_mentions_one() {
    let cases: &[(&str, &[&str], Option<&str>)] = &[
        ("^1.2", APP, Some("1.10.0")),
        (">=2", APP, Some("2.0.0")),
        (">=2.0.0-0", APP, Some("2.1.0-alpha")),
        ("^2-0", APP, Some("2.1.0-alpha")),
        ("1.5.0-rc.1", APP, Some("1.5.0-rc.1")),
        ("~1.5.0-rc", APP, Some("1.5.0-rc.1")),
        // The next version's own pre-releases are not below it in what a caret means.
        ("^1.0.0-0", APP, Some("1.10.0")),
        (">=1.0.0-0 <2", APP, Some("1.10.0")),
        // Only the alternative that mentions one.
        ("~1.4.0 || 2.0.0-beta.2", APP, Some("2.0.0-beta.2")),
        // Distribution revisions and flavours are pre-releases too.
        ("^1.2", &["1.2.3-r3", "1.2.2"], Some("1.2.2")),
        ("3.18", &["3.18-alpine", "3.18.1-slim"], None),
        (">=1.2.3-r0", &["1.2.3-r2", "1.2.3-r10", "1.2.3-r9"], Some("1.2.3-r9")),
        (">=1.2.3-0", &["1.2.3-2", "1.2.3-10", "1.2.3-9"], Some("1.2.3-10")),
        (">=1.0.0-0", &["1.0.0-alpha.9", "1.0.0-alpha.10", "1.0.0-alpha"], Some("1.0.0-alpha.10")),
        (
            ">=1.0.0-0",
            &["1.0.0-99999999999999999999", "1.0.0-1"],
            Some("1.0.0-99999999999999999999"),
        ),
    ];
    for (constraint, tags, expected) in cases {
        check(constraint, tags, *expected);
    }
}

#[test]
fn tags_are_read_as_people_write_them() {
    let cases: &[(&str, &[&str], Option<&str>)] = &[
        // Between spellings of one version, the most precise and plainest.
        ("^3", &["3", "3.0", "v3.0.0", "3.0.0"], Some("3.0.0")),
        ("^3", &["3", "v3.0"], Some("v3.0")),
        ("^1", &["1.2.3_build.5", "1.2.3"], Some("1.2.3")),
        ("^1", &["1.2.3_build.5", "1.2.2"], Some("1.2.3_build.5")),
        ("1.2.3+build.7", &["1.2.3_build.5"], Some("1.2.3_build.5")),
        // Calendar versions have leading zeros.
        (">=22.04 <24.04", &["20.04", "22.04", "23.10", "24.04"], Some("23.10")),
        ("24.04", &["24.04", "24.10"], Some("24.04")),
        // Garbage is passed over.
        (
            "*",
            &[
                "1.2.3.4",
                "1..2",
                "v",
                "-1",
                "1.2.3-",
                "1.2.x",
                "*",
                "99999999999999999999.0",
                "1.0",
                "a1.2",
            ],
            Some("1.0"),
        ),
        ("*", &["18446744073709551615"], Some("18446744073709551615")),
        ("18446744073709551615", &["18446744073709551615"], Some("18446744073709551615")),
        (">18446744073709551615", &["18446744073709551615"], None),
    ];
    for (constraint, tags, expected) in cases {
        check(constraint, tags, *expected);
    }
}

#[test]
fn what_is_no_constraint_is_an_error_that_names_it() {
    let cases = [
        ("", "it is empty"),
        ("  ", "it is empty"),
        ("latest", "\"latest\" is not a version"),
        ("edge-2024", "\"edge-2024\" is not a version"),
        ("sha256-abc", "\"sha256-abc\" is not a version"),
        ("3.18-alpine", "a version with a suffix needs all three numbers"),
        (">", "\">\" has no version"),
        ("^ ~1", "\"^\" has no version"),
        ("1 || ", "a part of it is empty"),
        (">=1,", "a part of it is empty"),
        ("<>1", "\"<>\" is not an operator"),
        ("!1", "\"!\" is not an operator"),
        ("1.2.3.4", "\"1.2.3.4\" is not a version"),
        ("1 -", "\"-\" has no version"),
        (">1 - 2", "\">\" cannot begin a range with a hyphen"),
        ("{{.tag}}", "\"{{.tag}}\" is not a version"),
    ];
    for (constraint, problem) in cases {
        let expected = Error::ParseConstraint {
            constraint: constraint.to_owned(),
            problem: problem.to_owned(),
        };
        assert_eq!(select(constraint, &owned(APP)), Err(expected), "{constraint:?}");
    }
    let long = "1 ".repeat(2000);
    assert!(select(&long, &owned(APP)).is_err());
}

/// npm's own rules, from another implementation, over everything that both can read.
#[test]
fn agrees_with_npm_on_releases() {
    let constraints = [
        "1",
        "1.2",
        "1.2.3",
        "1.x",
        "1.2.x",
        "*",
        "^1",
        "^1.2",
        "^1.2.3",
        "^0.1",
        "^0.0.1",
        "^0",
        "^0.0",
        "~1",
        "~1.2",
        "~1.2.3",
        "~0",
        ">1",
        ">1.2",
        ">1.2.3",
        ">=1",
        ">=1.2",
        ">=1.2.3",
        "<1",
        "<1.2",
        "<1.2.3",
        "<=1",
        "<=1.2",
        "<=1.2.3",
        "1 - 2",
        "1.1 - 1.2",
        "1.0.1 - 2.1.2",
        ">=1.1 <1.3 || >=2.1",
        "=1.2.3",
        "~1.1 || ^2.2",
        ">0.1.2 <=2",
        "v1.2",
        ">=v1.2.3",
        "<2 >1.1.1",
    ];
    let mut disagreements = Vec::new();
    for constraint in constraints {
        let npm = NpmRange::parse(constraint).unwrap();
        let ours = Range::parse(constraint).unwrap();
        for number in 0..64_u64 {
            let version = format!("{}.{}.{}", number / 16, number / 4 % 4, number % 4);
            let theirs = npm.satisfies(&NpmVersion::parse(&version).unwrap());
            if ours.allows(&Version::from_tag(&version).unwrap()) != theirs {
                disagreements.push((constraint, version, theirs));
            }
        }
    }
    assert_eq!(disagreements, []);
}
