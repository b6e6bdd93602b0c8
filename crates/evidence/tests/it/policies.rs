//! Policies as parameters and files, and the constraints they can state.

use std::{collections::BTreeMap, time::Duration};

use arc_evidence::{
    Evidence, Policy, Severity, Statement,
    predicate::{self, Order, Provenance},
    verify::{
        OrderConstraint, PREFIX, ParameterProblem, PolicyFile, SOURCE_PREFIX, ScanPolicy, verify,
    },
};
use serde_json::{Value, json};

use crate::{
    fake_log::FakeLog,
    fixture::{
        attestation_of, bundle_of, clean_scan, digest, good, kat, key, now, other_key, policy,
        signature_statement, statement,
    },
};

fn parameters(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn messages(problems: &[ParameterProblem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn every_parameter_has_its_place_in_the_policy() {
    let log = FakeLog::v2();
    let keys = format!("{}{}", kat("pub"), other_key().public().to_pem());
    let given = parameters(&[
        ("verifyKeys", &keys),
        ("verifyPredicateTypes", "slsaprovenance1, vuln,https://example.com/custom"),
        ("verifyMaxScanAge", "24h"),
        ("verifyMaxAge", "7d"),
        ("scanSeverity", "HIGH, critical"),
        ("verifyBuilder", predicate::BUILDER_ID),
        ("verifyOrderNamespace", "team-*"),
        ("verifyOrderName", ""),
        ("verifyLogKey", &log.pem()),
        ("scanDatabase", "of no interest here"),
    ]);
    let policy = Policy::from_parameters(PREFIX, &given).unwrap().unwrap();
    assert_eq!(policy.keys, [key().public(), other_key().public()]);
    assert!(policy.require_signature);
    let types = [
        predicate::PREDICATE_VULN,
        "https://example.com/custom",
        predicate::PREDICATE_SLSA_PROVENANCE,
    ];
    assert_eq!(policy.require.iter().collect::<Vec<_>>(), types);
    assert_eq!(
        policy.scan,
        Some(ScanPolicy {
            gate: [Severity::High, Severity::Critical].into(),
            max_age: Some(Duration::from_hours(24)),
        })
    );
    assert_eq!(policy.builder.as_deref(), Some(predicate::BUILDER_ID));
    let order = OrderConstraint { namespace: Some("team-*".to_owned()), name: None };
    assert_eq!(policy.order, Some(order));
    assert_eq!(policy.max_age, Some(Duration::from_hours(7 * 24)));
    let log_policy = policy.log.unwrap();
    assert_eq!((log_policy.keys, log_policy.required), (log.keys(), true));
}

#[test]
fn sources_have_their_own_parameters_and_empty_ones_ask_for_nothing() {
    let given = parameters(&[
        ("verifySourceKeys", &kat("pub")),
        ("verifySourcePredicateTypes", "spdxjson"),
        ("verifySourceMaxAge", "1h30m"),
        ("verifyBuilder", "only of deliveries"),
        ("scanSeverity", "HIGH"),
    ]);
    let policy = Policy::from_parameters(SOURCE_PREFIX, &given).unwrap().unwrap();
    assert_eq!(policy.require.iter().collect::<Vec<_>>(), [predicate::PREDICATE_SPDX]);
    assert_eq!(policy.max_age, Some(Duration::from_mins(90)));
    assert_eq!((policy.builder, policy.scan), (None, None));
    let empty = parameters(&[("verifySourceKeys", " \n"), ("verifySourceMaxAge", "")]);
    for (prefix, given) in [
        (SOURCE_PREFIX, &empty),
        (PREFIX, &empty),
        (PREFIX, &parameters(&[("scanSeverity", "HIGH")])),
    ] {
        assert!(Policy::from_parameters(prefix, given).unwrap().is_none(), "{prefix}");
    }
    // A demand without keys is a mistake, not no demand.
    let no_keys = parameters(&[("verifySourcePredicateTypes", "vuln"), ("verifySourceKeys", "")]);
    assert_eq!(
        messages(&Policy::from_parameters(SOURCE_PREFIX, &no_keys).unwrap_err()),
        ["verifySourceKeys: it is missing, and without keys nothing is trusted"]
    );
}

#[test]
fn every_problem_is_reported_with_its_value_and_a_remedy() {
    let given = parameters(&[
        ("verifyKeys", "cosign.pub"),
        ("verifyPredicateTypes", "vuln,sbom"),
        ("verifyMaxScanAge", "24"),
        ("verifyMaxAge", "0h"),
        ("scanSeverity", "HIHG"),
        ("verifyLogKey", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"),
        ("verifyOrder", "team-a/app"),
        ("VerifyBuilder", "x"),
    ]);
    let problems = Policy::from_parameters(PREFIX, &given).unwrap_err();
    let shown: Vec<_> =
        problems.iter().map(|problem| (problem.to_string(), problem.value.as_str())).collect();
    let expected = [
        ("VerifyBuilder: it is not a parameter of a policy", "x"),
        (
            "scanSeverity: \"HIHG\" is not a severity; known severities are UNKNOWN, LOW, MEDIUM, HIGH, CRITICAL",
            "HIHG",
        ),
        ("verifyKeys: invalid key file: there is no PEM block in it", "cosign.pub"),
        (
            "verifyLogKey: invalid log key: it is neither an ECDSA P-256 nor an Ed25519 key",
            "-----BEGIN PUBLIC KEY-----",
        ),
        ("verifyMaxAge: \"0h\" is not a length of time above zero", "0h"),
        ("verifyMaxScanAge: \"24\" is not a length of time above zero", "24"),
        ("verifyOrder: it is not a parameter of a policy", "team-a/app"),
        ("verifyPredicateTypes: \"sbom\" is not a predicate type", "vuln,sbom"),
    ];
    assert_eq!(shown, expected.map(|(message, value)| (message.to_owned(), value)));
    assert!(problems.iter().all(|problem| !problem.remedy.is_empty()));
    for bad in [
        "h",
        "1",
        "1w",
        "-1h",
        "1.5h",
        " ",
        "99999999999999999999h",
        "18446744073709551615d",
        "ä",
        "1hä",
    ] {
        let given = parameters(&[("verifyKeys", &kat("pub")), ("verifyMaxAge", bad)]);
        let outcome = Policy::from_parameters(PREFIX, &given);
        assert_eq!(outcome.is_err(), !bad.trim().is_empty(), "{bad:?}");
    }
}

#[test]
fn a_policy_file_holds_what_a_type_does() {
    let read = |parameters: Value| -> PolicyFile {
        serde_json::from_value(json!({"parameters": parameters})).unwrap()
    };
    let mut file = read(json!([
        {"name": "verifyKeys", "value": kat("pub")},
        {"name": "scanSeverity", "value": "CRITICAL"},
        {"name": "verifySourceKeys", "value": kat("pub")},
        {"name": "scanDatabase", "value": "of no interest here"},
    ]));
    assert_eq!(file.to_policy().unwrap().scan.unwrap().gate, [Severity::Critical].into());
    assert_eq!(file.to_source_policy().unwrap().unwrap().keys, [key().public()]);
    file.set("scanSeverity", "LOW");
    assert_eq!(file.to_policy().unwrap().scan.unwrap().gate, [Severity::Low].into());
    for (parameters, expected) in [
        (json!([]), vec!["verifyKeys: it is missing, and without keys nothing is trusted"]),
        (
            json!([{"name": "scanSeverity", "value": "HIGH"}, {"name": "scanseverity", "value": "LOW"}]),
            vec![
                "scanseverity: it is not a parameter of a policy",
                "verifyKeys: it is missing, and without keys nothing is trusted",
            ],
        ),
        (
            json!([{"name": "verifyKeys", "value": kat("pub")}, {"name": "verifyKeys", "value": ""}]),
            vec!["verifyKeys: it is there twice"],
        ),
        (
            json!([{"name": "verifyKeys", "value": kat("pub")}, {"name": "verifySourceMaxAge", "value": "1"}]),
            vec![
                "verifySourceKeys: it is missing, and without keys nothing is trusted",
                "verifySourceMaxAge: \"1\" is not a length of time above zero",
            ],
        ),
        (
            json!([{"name": "verifyKeys", "value": kat("pub")}, {"name": "verifyFoo", "value": "1"}]),
            vec!["verifyFoo: it is not a parameter of a policy"],
        ),
    ] {
        assert_eq!(messages(&read(parameters).to_policy().unwrap_err()), expected);
    }
    for bad in [
        json!({}),
        json!({"parameters": {}}),
        json!({"parameters": [], "more": 1}),
        json!({"parameters": [{"name": "a"}]}),
    ] {
        assert!(serde_json::from_value::<PolicyFile>(bad).is_err());
    }
}

#[test]
fn a_private_key_given_by_mistake_is_not_shown() {
    let given = parameters(&[("verifyKeys", &kat("key"))]);
    let problems = Policy::from_parameters(PREFIX, &given).unwrap_err();
    assert_eq!(problems[0].value, "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----");
    assert!(!format!("{problems:?}").contains(kat("key").lines().nth(1).unwrap()));
}

fn provenance(namespace: &str, name: &str) -> Statement {
    let order =
        Order { namespace: namespace.to_owned(), name: name.to_owned(), ..Order::default() };
    let finished_on = Some("2026-08-22T12:00:00Z".to_owned());
    let provenance = Provenance { order, finished_on, ..Provenance::default() };
    statement(predicate::PREDICATE_SLSA_PROVENANCE, predicate::slsa_provenance(&provenance))
}

/// Problems of an image that is signed and carries these attestations.
#[track_caller]
fn problems(attestations: &[Statement], policy: &Policy) -> Vec<String> {
    let mut evidence = Evidence::default();
    evidence.bundles.push(bundle_of(key(), &signature_statement()));
    evidence.bundles.extend(attestations.iter().map(|statement| bundle_of(key(), statement)));
    // Somebody else's never count.
    evidence.bundles.push(bundle_of(other_key(), &provenance("team-b", "evil")));
    evidence.attestations.push(attestation_of(other_key(), &clean_scan()));
    let report = verify(&digest(), &evidence, policy, now()).unwrap();
    report.problems.iter().map(ToString::to_string).collect()
}

#[test]
fn provenance_must_name_the_builder_and_the_order_asked_for() {
    let of = |builder: Option<&str>, namespace: Option<&str>, name: Option<&str>| {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let order = OrderConstraint { namespace: owned(namespace), name: owned(name) };
        Policy { builder: owned(builder), order: Some(order), ..policy() }
    };
    let mut by_other = provenance("team-a", "app");
    by_other.predicate["runDetails"]["builder"]["id"] = "https://example.com/builder".into();
    let mut without_order = provenance("team-a", "app");
    without_order.predicate["buildDefinition"]["externalParameters"] = json!({});
    let ours = Some(predicate::BUILDER_ID);
    let good = vec![provenance("team-a", "app")];
    let wrong = |wanted: &str, found: usize| {
        vec![format!("no valid provenance names {wanted} ({found} provenances hold)")]
    };
    let builder = format!("the builder {:?}", predicate::BUILDER_ID);
    for (attestations, policy, expected) in [
        (good.clone(), of(ours, Some("team-a"), Some("app")), vec![]),
        (good.clone(), of(ours, Some("team-*"), None), vec![]),
        (good.clone(), of(ours, None, Some("*pp")), vec![]),
        (good.clone(), of(None, Some("team-b"), None), wrong("the order \"team-b/*\"", 1)),
        (
            good.clone(),
            of(ours, None, Some("ap")),
            wrong(&format!("{builder} and the order \"*/ap\""), 1),
        ),
        (vec![by_other.clone()], of(None, Some("team-a"), Some("app")), vec![]),
        (
            vec![without_order.clone()],
            of(ours, Some("*"), None),
            wrong(&format!("{builder} and the order \"*/*\""), 1),
        ),
        (vec![], of(None, None, Some("app")), wrong("the order \"*/app\"", 0)),
        // Of several, one must fit in everything.
        (
            vec![by_other.clone(), provenance("team-a", "app")],
            of(ours, Some("team-a"), None),
            vec![],
        ),
        (
            vec![by_other, provenance("team-c", "app")],
            of(ours, Some("team-a"), None),
            wrong(&format!("{builder} and the order \"team-a/*\""), 2),
        ),
    ] {
        assert_eq!(problems(&attestations, &policy), expected);
    }
}

#[test]
fn attestations_must_be_as_young_as_asked_for() {
    let hours = |hours| Some(Duration::from_hours(hours));
    let provenance = provenance("team-a", "app");
    let vsa = |time: &str| statement(predicate::PREDICATE_VSA, json!({"timeVerified": time}));
    let custom = statement("https://example.com/custom", json!({"time": "2026-08-22T12:00:00Z"}));
    let asked = |types: &[&str], max_age| {
        let policy =
            types.iter().fold(policy(), |policy, predicate_type| policy.require(predicate_type));
        Policy { max_age, ..policy }
    };
    let slsa = predicate::PREDICATE_SLSA_PROVENANCE;
    for (attestations, policy, expected) in [
        (vec![provenance.clone()], asked(&[slsa], hours(12)), vec![]),
        (
            vec![provenance.clone()],
            asked(&[slsa], hours(11)),
            vec![
                "the newest https://slsa.dev/provenance/v1 is of 2026-08-22T12:00:00Z and is older than 39600 s",
            ],
        ),
        // What is missing is missing, not old.
        (
            vec![],
            asked(&[slsa], hours(1)),
            vec!["no valid attestation of the type \"https://slsa.dev/provenance/v1\""],
        ),
        (
            vec![vsa("2026-08-20T00:00:00Z"), vsa("2026-08-22T23:30:00Z")],
            asked(&[predicate::PREDICATE_VSA], hours(1)),
            vec![],
        ),
        (
            vec![vsa("2026-08-23T01:00:00Z")],
            asked(&[predicate::PREDICATE_VSA], hours(1)),
            vec![
                "the newest https://slsa.dev/verification_summary/v1 is of 2026-08-23T01:00:00Z, which is in the future; compare the clocks",
            ],
        ),
        (
            vec![custom.clone()],
            asked(&[&custom.predicate_type], hours(1)),
            vec![
                "no valid https://example.com/custom says when it was made, and no log does; leave out the maximum age or require an attestation with a time",
            ],
        ),
        (
            vec![vsa("yesterday")],
            asked(&[predicate::PREDICATE_VSA], hours(1)),
            vec![
                "no valid https://slsa.dev/verification_summary/v1 says when it was made, and no log does; leave out the maximum age or require an attestation with a time",
            ],
        ),
        (
            vec![provenance],
            asked(&[], hours(100)),
            vec![
                "no valid signature says when it was made, and no log does; leave out the maximum age or require an attestation with a time",
            ],
        ),
    ] {
        assert_eq!(problems(&attestations, &policy), expected);
    }
}

#[test]
fn the_pipelines_own_policy_still_accepts_its_evidence() {
    let mut evidence = good();
    evidence.bundles.push(bundle_of(key(), &provenance("team-a", "app")));
    let given = parameters(&[
        ("verifyKeys", &kat("pub")),
        ("verifyPredicateTypes", "vuln,slsaprovenance1"),
        ("verifyMaxScanAge", "24h"),
        ("scanSeverity", "HIGH,CRITICAL"),
        ("verifyBuilder", predicate::BUILDER_ID),
        ("verifyOrderNamespace", "team-a"),
        ("verifyMaxAge", "1d"),
    ]);
    let policy = Policy::from_parameters(PREFIX, &given).unwrap().unwrap();
    let report = verify(&digest(), &evidence, &policy, now()).unwrap();
    assert_eq!(report.problems, []);
    // A day later everything is too old.
    let tomorrow = now() + jiff::SignedDuration::from_hours(24);
    let report = verify(&digest(), &evidence, &policy, tomorrow).unwrap();
    assert_eq!(report.problems.len(), 3, "{:?}", report.problems);
}
