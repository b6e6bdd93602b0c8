use proptest::prelude::*;

use super::*;

/// Each row is in ascending order.
const ASCENDING: [&[&str]; 12] = [
    &["~~", "~~a", "~", "", "a"],
    &[
        "1.0~~",
        "1.0~~a",
        "1.0~",
        "1.0~beta1",
        "1.0~rc1",
        "1.0",
        "1.0a",
        "1.0b",
        "1.0+",
        "1.0+b1",
        "1.0.1",
        "1.1",
    ],
    &["9", "10", "0:100", "1:0", "1:1", "2:0~", "10:0"],
    &["1.2-1", "1.2-1+b1", "1.2-1.1", "1.2-2", "1.2-10", "1.2.3"],
    &[
        "2.36-9",
        "2.36-9+deb12u1",
        "2.36-9+deb12u2",
        "2.36-9+deb12u10",
        "2.36-10",
        "2.36.1-1",
        "2.37-1~deb12u1",
        "2.37-1",
    ],
    &[
        "1:1.2.11.dfsg-2",
        "1:1.2.11.dfsg-2+deb11u1",
        "1:1.2.11.dfsg-2+deb11u2",
        "1:1.2.11.dfsg-2.1",
        "1:1.2.13.dfsg-1",
    ],
    &["5.2.5-2.1~deb11u1", "5.2.5-2.1", "5.2.5-2.1+b1"],
    &["1.1.1n-0+deb11u3", "1.1.1n-0+deb11u5", "1.1.1w-0+deb11u1", "1.1.1w-1"],
    &["0.5.11+git20200708+dd9ef66-5", "0.5.11+git20210903+057cd650a4ed-9", "0.5.12-2"],
    &["1.0-1", "1.0A", "1.0Z", "1.0a", "1.0z", "1.0+", "1.0.", "1.0:1"],
    &["7.88.1-10", "7.88.1-10+deb12u5", "7.88.1-10+deb12u12"],
    &["1", "99999999999999999999999999999", "100000000000000000000000000000"],
];

const EQUAL: [(&str, &str); 9] = [
    ("1.0", "1.0"),
    ("0:1.0", "1.0"),
    ("00:1.0", "1.0"),
    ("1.0", "1.0-0"),
    ("1.0-", "1.0"),
    ("1.05", "1.5"),
    ("1.0-00", "1.0-0"),
    ("", "0"),
    (" 1.0 ", "1.0"),
];

#[test]
fn versions_are_ordered_as_dpkg_orders_them() {
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

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_strings_have_a_consistent_order(a in "\\PC{0,12}", b in "[0-9a-b.+~:-]{0,12}", c in "[0-9a-b.+~:-]{0,12}") {
        prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
        prop_assert_eq!(compare(&a, &a), Ordering::Equal);
        if compare(&a, &b).is_le() && compare(&b, &c).is_le() {
            prop_assert!(compare(&a, &c).is_le());
        }
    }
}
