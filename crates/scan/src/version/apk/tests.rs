use proptest::prelude::*;

use super::*;

/// Each row is in ascending order.
const ASCENDING: [&[&str]; 14] = [
    &[
        "1.0_alpha",
        "1.0_alpha1",
        "1.0_alpha2",
        "1.0_beta",
        "1.0_pre",
        "1.0_pre3",
        "1.0_rc1",
        "1.0_rc10",
        "1.0",
        "1.0-r0",
        "1.0_cvs",
        "1.0_svn",
        "1.0_git",
        "1.0_hg",
        "1.0_p",
        "1.0_p1",
        "1.0_p2",
        "1.0a",
        "1.0b",
        "1.0.1",
        "1.1",
    ],
    &[
        "3.1.3-r0",
        "3.1.4-r0",
        "3.1.4-r1",
        "3.1.4-r2",
        "3.1.4-r10",
        "3.1.5_rc1-r0",
        "3.1.5-r0",
        "3.1.10-r0",
        "3.10-r0",
        "10-r0",
    ],
    &[
        "1.2.4-r2",
        "1.2.4_git20230717-r4",
        "1.2.4_git20230717-r5",
        "1.2.4_git20240101-r0",
        "1.2.5-r0",
    ],
    &["9.3_p1-r0", "9.3_p1-r1", "9.3_p2-r0", "9.3_p10-r0", "9.4_p1-r0"],
    // A leading zero after a point makes a decimal fraction.
    &["1.0", "1.00", "1.001", "1.01", "1.010", "1.02", "1.09", "1.1", "1.9", "1.10"],
    &["8.2.0015", "8.2.002"],
    &["6.4_p20230506-r0", "6.4_p20231125-r0", "6.4_p20240420-r0"],
    &["1.1.1t-r0", "1.1.1w-r0", "1.1.1w-r1", "1.1.2-r0", "3.0.0-r0"],
    &["20191127-r5", "20230506-r0", "20240226-r0"],
    &["1.0_alpha_pre1", "1.0_alpha", "1.0_alpha_p1", "1.0_beta"],
    &["1.0-r0", "1.0~0-r0", "1.0~0abc-r0", "1.0~0abd-r0", "1.0~1-r0", "1.0_p1-r0"],
    &["1", "1.0", "1.0.0"],
    &["1", "9223372036854775807", "18446744073709551616", "99999999999999999999999999"],
    &["0.1_pre2-r0", "0.1-r0", "0.1_p0-r0", "0.1a_alpha-r0", "0.1a-r0"],
];

const EQUAL: [(&str, &str); 7] = [
    ("1.0-r0", "1.0-r0"),
    ("01.5", "1.5"),
    ("1.0-r01", "1.0-r1"),
    ("1.0_rc01", "1.0_rc1"),
    (" 1.0\n", "1.0"),
    ("", "x"),
    ("1.0?", "1.0!"),
];

#[test]
fn versions_are_ordered_as_apk_orders_them() {
    for row in ASCENDING {
        for (index, a) in row.iter().enumerate() {
            for b in &row[index + 1..] {
                assert_eq!(compare(a, b), Ordering::Less, "{a} < {b}");
                assert_eq!(compare(b, a), Ordering::Greater, "{b} > {a}");
            }
            assert_eq!(compare(a, a), Ordering::Equal, "{a}");
        }
    }
}

#[test]
fn versions_written_differently_can_be_equal() {
    for (a, b) in EQUAL {
        assert_eq!(compare(a, b), Ordering::Equal, "{a:?} = {b:?}");
        assert_eq!(compare(b, a), Ordering::Equal, "{b:?} = {a:?}");
    }
}

#[test]
fn a_version_that_breaks_the_grammar_sorts_before_its_valid_beginning() {
    for (broken, valid) in [
        ("1.0x1", "1.0x"),
        ("1.0_foo", "1.0"),
        ("1.0-1", "1.0"),
        ("1.", "1"),
        ("1.0_", "1.0"),
        ("1.0~", "1.0"),
        ("1.0-r", "1.0"),
    ] {
        assert!(!is_valid(broken), "{broken}");
        assert!(is_valid(valid), "{valid}");
        assert_eq!(compare(broken, valid), Ordering::Less, "{broken} < {valid}");
    }
}

#[test]
fn the_grammar_is_apks() {
    for valid in
        ["1", "1.2.3", "1.2a", "1_alpha", "1_alpha1_p2", "1.2.3b_rc1~0aF-r9", "20230506-r0"]
    {
        assert!(is_valid(valid), "{valid}");
    }
    for invalid in [
        "", "a", ".1", "1.2ab", "1.2A", "1.2a1", "1.2a.3", "1-r", "1-r1-r2", "1-r1_p1", "1~x",
        "1~a~b", "1_x", "1:2", "1_p1.2", "1 2",
    ] {
        assert!(!is_valid(invalid), "{invalid}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_strings_have_a_mirrored_order(a in "\\PC{0,12}", b in "[0-9a-c.~_pr-]{0,12}", c in "[0-9a-c.~_pr-]{0,12}") {
        prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
        prop_assert_eq!(compare(&b, &c), compare(&c, &b).reverse());
        prop_assert_eq!(compare(&a, &a), Ordering::Equal);
    }
}
