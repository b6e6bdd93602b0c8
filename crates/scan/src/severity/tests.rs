use super::*;

#[test]
fn words_of_every_database_are_understood() {
    let cases = [
        ("CRITICAL", Some(Severity::Critical)),
        ("Important", Some(Severity::High)),
        ("high", Some(Severity::High)),
        (" MODERATE ", Some(Severity::Medium)),
        ("medium**", Some(Severity::Medium)),
        ("low", Some(Severity::Low)),
        ("negligible", Some(Severity::Low)),
        ("unimportant", Some(Severity::Low)),
        ("not yet assigned", None),
        ("end-of-life", None),
        ("untriaged", None),
        ("UNKNOWN", None),
        ("", None),
    ];
    for (word, expected) in cases {
        assert_eq!(Severity::from_word(word), expected, "{word:?}");
    }
}

#[test]
fn vectors_of_every_version_are_scored() {
    let cases = [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Some((Severity::Critical, 9.8))),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", Some((Severity::High, 7.5))),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L", Some((Severity::Medium, 5.3))),
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:L/A:H", Some((Severity::Medium, 6.5))),
        ("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", Some((Severity::Low, 1.6))),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", Some((Severity::Low, 0.0))),
        (
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
            Some((Severity::Critical, 9.3)),
        ),
        (
            "CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
            Some((Severity::High, 8.5)),
        ),
        ("AV:N/AC:L/Au:N/C:C/I:C/A:C", Some((Severity::Critical, 10.0))),
        ("CVSS:3.1/AV:N", None),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", None),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H", None),
        ("AV:N/AC:L/Au:N/C:C/I:C", None),
        ("7.5", None),
        ("", None),
    ];
    for (vector, expected) in cases {
        assert_eq!(Severity::from_cvss(vector), expected, "{vector:?}");
    }
}

#[test]
fn severities_are_written_as_reports_write_them() {
    for severity in Severity::ALL {
        let json = serde_json::to_string(&severity).unwrap();
        assert_eq!(json, format!("{:?}", severity.to_string()));
        assert_eq!(serde_json::from_str::<Severity>(&json).unwrap(), severity);
    }
}
