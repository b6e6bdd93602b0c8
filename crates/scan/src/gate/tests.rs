use super::*;

fn finding(package: &str, severity: Severity) -> Finding {
    Finding { id: "X-1".into(), package: package.into(), severity, ..Finding::default() }
}

#[test]
fn gates_are_lists_of_severities() {
    let cases = [
        ("HIGH,CRITICAL", "HIGH,CRITICAL"),
        ("critical, High", "HIGH,CRITICAL"),
        (" CRITICAL ", "CRITICAL"),
        ("HIGH", "HIGH,CRITICAL"),
        ("low", "LOW,MEDIUM,HIGH,CRITICAL"),
        ("MEDIUM CRITICAL,,", "MEDIUM,HIGH,CRITICAL"),
        ("UNKNOWN", "UNKNOWN"),
        ("CRITICAL,UNKNOWN", "UNKNOWN,CRITICAL"),
    ];
    for (text, expected) in cases {
        assert_eq!(
            Gate::parse(text).map(|gate| gate.to_string()),
            Ok(expected.to_owned()),
            "{text:?}"
        );
    }
}

#[test]
fn a_gate_that_says_nothing_or_nonsense_is_an_error() {
    for text in ["", " ", ",", "\t\n"] {
        assert_eq!(Gate::parse(text), Err(ParseGateError::Empty { given: text.to_owned() }));
    }
    for (text, word) in [
        ("NONE", "NONE"),
        ("HIGH,CRITCAL", "CRITCAL"),
        ("HIGH;CRITICAL", "HIGH;CRITICAL"),
        ("HIGH,{{x}}", "{{x}}"),
    ] {
        let (given, word) = (text.to_owned(), word.to_owned());
        assert_eq!(Gate::parse(text), Err(ParseGateError::UnknownWord { given, word }));
    }
    let error = Gate::parse("HIGH,all").unwrap_err().to_string();
    assert_eq!(
        error,
        "scan severity \"HIGH,all\": \"all\" is not a severity; expected UNKNOWN, LOW, MEDIUM, HIGH or CRITICAL"
    );
}

#[test]
fn a_verdict_counts_everything_and_refuses_what_the_gate_names() {
    let findings = [
        finding("b", Severity::High),
        finding("a", Severity::Low),
        finding("c", Severity::Unknown),
        finding("a", Severity::High),
        finding("z", Severity::Critical),
        finding("a", Severity::Medium),
    ];
    let counts = Counts { critical: 1, high: 2, medium: 1, low: 1, unknown: 1 };
    let refused = vec![findings[4].clone(), findings[3].clone(), findings[0].clone()];
    let gate = Gate::parse("HIGH").unwrap();
    assert_eq!(gate.judge(&findings), Verdict { counts, refused });
    assert!(gate.judge(&findings).is_refused());

    let unknown = Gate::parse("unknown").unwrap().judge(&findings);
    assert_eq!(unknown, Verdict { counts, refused: vec![findings[2].clone()] });

    let passed = gate.judge(&findings[1..3]);
    assert_eq!(
        passed,
        Verdict { counts: Counts { low: 1, unknown: 1, ..Counts::default() }, refused: vec![] }
    );
    assert!(!passed.is_refused());
}
