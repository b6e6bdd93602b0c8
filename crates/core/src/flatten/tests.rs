use serde_json::json;

use super::*;

fn flat(spec: &str) -> Flattened {
    let spec: Value = serde_json::from_str(spec).expect("the test writes JSON");
    flatten(spec.as_object().expect("the test writes an object"), "spec")
}

#[track_caller]
fn check(spec: &str, expected: &[(&str, &str)]) {
    let flat = flat(spec);
    let found: Vec<(&str, &str)> =
        flat.parameters.iter().map(|(name, flat)| (name.as_str(), flat.value.as_str())).collect();
    assert_eq!(found, expected, "{spec}");
    assert_eq!(flat.problems, [], "{spec}");
}

#[track_caller]
fn check_problems(spec: &str, expected: &[&str]) {
    let found: Vec<String> = flat(spec).problems.iter().map(ToString::to_string).collect();
    assert_eq!(found, expected, "{spec}");
}

#[test]
fn names_are_camel_case_all_the_way_down() {
    check(r#"{"image":"a"}"#, &[("specImage", "a")]);
    check(r#"{"config":{"port":8080}}"#, &[("specConfigPort", "8080")]);
    check(r#"{"level1":{"level2":{"value":"x"}}}"#, &[("specLevel1Level2Value", "x")]);
    check(r#"{"tags":["a","b"]}"#, &[("specTags0", "a"), ("specTags1", "b")]);
    check(
        r#"{"items":[{"name":"a"},{"name":"b"}]}"#,
        &[("specItems0Name", "a"), ("specItems1Name", "b")],
    );
    check(r#"{"m":[[1,2],[3]]}"#, &[("specM00", "1"), ("specM01", "2"), ("specM10", "3")]);
    for key in [
        "scan-severity",
        "scan_severity",
        "scan.severity",
        "scanSeverity",
        "ScanSeverity",
        "-scan--severity_",
    ] {
        check(&json!({ key: "HIGH" }).to_string(), &[("specScanSeverity", "HIGH")]);
    }
    check(r#"{"imageURL":"u","x-1":"y"}"#, &[("specImageURL", "u"), ("specX1", "y")]);
}

#[test]
fn values_are_text() {
    check(
        r#"{"a":true,"b":false,"c":"true"}"#,
        &[("specA", "true"), ("specB", "false"), ("specC", "true")],
    );
    check(r#"{"a":null,"b":{},"c":[],"d":[null,"x"],"e":""}"#, &[("specD1", "x"), ("specE", "")]);
    check("{}", &[]);
    check(r#"{"a":"line\nbreak \"quoted\" \\ ü"}"#, &[("specA", "line\nbreak \"quoted\" \\ ü")]);
}

#[test]
fn numbers_never_have_an_exponent() {
    let cases = [
        ("0", "0"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("1000000", "1000000"),
        ("-5", "-5"),
        ("18446744073709551615", "18446744073709551615"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("9007199254740993", "9007199254740993"),
        ("3.18", "3.18"),
        // The value, not its spelling: an API server keeps no more than that.
        ("1.10", "1.1"),
        ("1.0", "1"),
        ("1e3", "1000"),
        ("1E-3", "0.001"),
        ("1.5e-7", "0.00000015"),
        ("0.1", "0.1"),
        ("123456789.125", "123456789.125"),
    ];
    for (written, expected) in cases {
        check(&format!(r#"{{"n":{written}}}"#), &[("specN", expected)]);
    }
}

#[test]
fn numbers_that_a_double_cannot_hold_are_problems() {
    for written in
        ["1e300", "123456789012345678901234567890", "1e20", "1e-300", "-9223372036854775809"]
    {
        let found = flat(&format!(r#"{{"n":{written}}}"#));
        assert_eq!(found.parameters, BTreeMap::new(), "{written}");
        assert_eq!(found.problems.len(), 1, "{written}");
        assert_eq!(found.problems[0].hint.as_deref(), Some("write the number in quotes"));
    }
}

#[test]
fn keys_that_name_nothing_are_problems() {
    check_problems(r#"{"":1}"#, &["spec[\"\"]: the key \"\" has no letters or digits"]);
    check_problems(r#"{"a":{"-":1}}"#, &["spec.a.-: the key \"-\" has no letters or digits"]);
    check_problems(r#"{"a b":1}"#, &["spec[\"a b\"]: the key \"a b\" contains ' '"]);
    check_problems(r#"{"ü":1}"#, &["spec[\"ü\"]: the key \"ü\" contains 'ü'"]);
    check_problems(
        r#"{"a}}{{workflow.uid":1}"#,
        &["spec[\"a}}{{workflow.uid\"]: the key \"a}}{{workflow.uid\" contains '}'"],
    );
}

#[test]
fn two_keys_on_one_name_are_a_problem_that_names_both() {
    check_problems(
        r#"{"foo-bar":1,"fooBar":2}"#,
        &["spec.fooBar: falls on parameter \"specFooBar\", as spec.foo-bar does"],
    );
    check_problems(
        r#"{"a":{"b":1},"aB":2}"#,
        &["spec.aB: falls on parameter \"specAB\", as spec.a.b does"],
    );
    check_problems(
        r#"{"tags":["a"],"tags0":"b"}"#,
        &["spec.tags0: falls on parameter \"specTags0\", as spec.tags[0] does"],
    );
    check_problems(
        r#"{"Image":1,"image":2}"#,
        &["spec.image: falls on parameter \"specImage\", as spec.Image does"],
    );
    check_problems(
        r#"{"a.b":1,"a":{"b":2}}"#,
        &["spec[\"a.b\"]: falls on parameter \"specAB\", as spec.a.b does"],
    );
}

#[test]
fn size_is_bounded_in_every_direction() {
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    assert_eq!(flat(&deep).problems.len(), 1);
    let fits = format!("{{\"a\":{}1{}}}", "[".repeat(MAX_DEPTH - 2), "]".repeat(MAX_DEPTH - 2));
    assert_eq!(flat(&fits).problems, []);

    let many = |count: usize| json!({ "a": vec![1; count] }).to_string();
    assert_eq!(flat(&many(MAX_PARAMETERS)).problems, []);
    assert_eq!(
        flat(&many(MAX_PARAMETERS + 1)).problems[0].message,
        "257 values would become parameters; at most 256 are allowed"
    );

    let long = |bytes: usize| json!({ "a": "x".repeat(bytes) }).to_string();
    assert_eq!(flat(&long(MAX_VALUE_BYTES)).problems, []);
    assert_eq!(flat(&long(MAX_VALUE_BYTES + 1)).problems.len(), 1);
    assert_eq!(
        flat(&json!({ "a": vec!["x".repeat(MAX_VALUE_BYTES); 5] }).to_string()).problems.len(),
        1
    );

    assert_eq!(flat(&json!({ "k".repeat(MAX_NAME_BYTES): 1 }).to_string()).problems.len(), 1);
    check_problems(r#"{"a":"x\u0000y"}"#, &["spec.a: the value contains a NUL character"]);
}

#[test]
fn every_problem_is_reported_and_good_keys_stay() {
    let flat = flat(r#"{"":1,"a b":2,"good":3}"#);
    assert_eq!(flat.problems.len(), 2);
    assert_eq!(flat.parameters.keys().collect::<Vec<_>>(), ["specGood"]);
}
