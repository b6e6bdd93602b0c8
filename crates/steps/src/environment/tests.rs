use super::*;

fn environment(pairs: &[(&str, &str)]) -> Environment {
    let base = [
        ("SRC_REMOTE_URL", "https://source.example"),
        ("DST_REMOTE_URL", "http://127.0.0.1:5000/team"),
        ("SPEC_REPOSITORY", "library/alpine"),
        ("SPEC_TAG", "3.18"),
        ("SCAN_SEVERITY", "HIGH,CRITICAL"),
    ];
    base.iter()
        .chain(pairs)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[track_caller]
fn wanted(pairs: &[(&str, &str)], expected: (&str, Option<&str>, Option<&str>)) {
    let wanted = Request::parse(&environment(pairs)).expect("the request is right").wanted;
    let digest = wanted.digest.map(|digest| digest.to_string());
    assert_eq!((wanted.repository.as_str(), wanted.tag.as_deref(), digest.as_deref()), expected);
}

#[test]
fn the_artifact_is_named_in_every_spelling() {
    let digest = "sha256:09ade42fe3e69018a3360bb092265af902f9e7d6013146cf152c82ac3a944707";
    let image =
        |text: &str| vec![("SPEC_REPOSITORY", String::new()), ("SPEC_IMAGE", text.to_owned())];
    let by_image = |text: &str, expected: (&str, Option<&str>, Option<&str>)| {
        let pairs = image(text);
        wanted(
            &pairs.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>(),
            expected,
        );
    };
    wanted(&[], ("library/alpine", Some("3.18"), None));
    wanted(&[("SPEC_TAG", ">3.18.0 < 3.19.0")], ("library/alpine", Some(">3.18.0 < 3.19.0"), None));
    wanted(&[("SPEC_TAG", digest)], ("library/alpine", None, Some(digest)));
    wanted(
        &[("SPEC_TAG", &format!("3.18@{digest}"))],
        ("library/alpine", Some("3.18"), Some(digest)),
    );
    by_image("library/alpine:3.18", ("library/alpine", Some("3.18"), None));
    by_image(&format!("a/b@{digest}"), ("a/b", None, Some(digest)));
    by_image(&format!("a/b:1@{digest}"), ("a/b", Some("1"), Some(digest)));
    by_image("a/b:>=1.0 <2", ("a/b", Some(">=1.0 <2"), None));
}

#[test]
fn every_problem_is_reported_at_once() {
    let pairs = [
        ("SRC_REMOTE_URL", ""),
        ("SRC_TYPE", "s3"),
        ("SPEC_TAG", " "),
        ("SCAN_SEVERITY", "SEVERE"),
        ("SCAN_UNSUPPORTED", "maybe"),
        ("DRY_RUN", "yes"),
        ("ORDER_CREATED_AT", "yesterday"),
    ];
    let Err(Error::Input { problems }) = Request::parse(&environment(&pairs)) else {
        panic!("accepted")
    };
    let fields: Vec<_> = problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "SRC_TYPE",
            "SRC_REMOTE_URL",
            "SPEC_TAG",
            "SCAN_SEVERITY",
            "SCAN_UNSUPPORTED",
            "ORDER_CREATED_AT",
            "DRY_RUN"
        ]
    );
    assert!(problems.iter().all(|problem| !problem.hint.is_empty()));
}

#[test]
fn a_registry_in_the_image_is_not_a_repository() {
    for image in ["quay.io:443/a/b:1", "../a:1", "A/b:1", ""] {
        let pairs = [("SPEC_REPOSITORY", ""), ("SPEC_IMAGE", image)];
        assert!(Request::parse(&environment(&pairs)).is_err(), "{image:?}");
    }
}

#[test]
fn a_log_needs_an_address_without_a_login_and_a_key() {
    let key = arc_evidence::SigningKey::generate().expect("a key").public().to_pem();
    for (pairs, expected) in [
        (vec![("REKOR_URL", "https://log.example/tiles"), ("REKOR_PUBLIC_KEY", &key)], vec![]),
        (vec![("REKOR_PUBLIC_KEY", &key), ("REKOR_VERSION", "9")], vec![]),
        (vec![("REKOR_URL", "https://log.example")], vec!["REKOR_PUBLIC_KEY"]),
        (vec![("REKOR_URL", "ftp://log.example"), ("REKOR_PUBLIC_KEY", &key)], vec!["REKOR_URL"]),
        (
            vec![("REKOR_URL", "https://a:b@log.example?x"), ("REKOR_VERSION", "v1")],
            vec!["REKOR_URL", "REKOR_VERSION", "REKOR_PUBLIC_KEY"],
        ),
    ] {
        let found = match Request::parse(&environment(&pairs)) {
            Ok(_) => Vec::new(),
            Err(Error::Input { problems }) => {
                problems.into_iter().map(|problem| problem.field).collect()
            }
            Err(error) => panic!("{error}"),
        };
        assert_eq!(found, expected, "{pairs:?}");
    }
}

#[test]
fn what_upstream_must_have_signed_needs_keys() {
    let key = arc_evidence::SigningKey::generate().expect("a key").public().to_pem();
    let pairs = [("VERIFY_SOURCE_KEYS", key.as_str()), ("VERIFY_SOURCE_MAX_AGE", "30d")];
    let policy = Request::parse(&environment(&pairs)).expect("it is right").verify_source;
    assert_eq!(policy.expect("a policy").max_age.map(|age| age.as_secs()), Some(30 * 86_400));
    let nothing = Request::parse(&environment(&[("VERIFY_SOURCE_KEYS", " ")])).expect("right");
    assert!(nothing.verify_source.is_none());
    let pairs = [("VERIFY_SOURCE_PREDICATE_TYPES", "nonsense"), ("VERIFY_SOURCE_MAX_AGE", "soon")];
    let Err(Error::Input { problems }) = Request::parse(&environment(&pairs)) else {
        panic!("accepted")
    };
    let fields: Vec<_> = problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(
        fields,
        ["VERIFY_SOURCE_KEYS", "VERIFY_SOURCE_MAX_AGE", "VERIFY_SOURCE_PREDICATE_TYPES"]
    );
}
