//! Tables of expressions in all three dialects.

use std::sync::Arc;

use super::{Dialect, Error, MAX_DEPTH, MAX_TOKENS, Names, Value, evaluate, parse};
use crate::problem::Position;
use crate::text::{Scope, Text};

fn eval(text: &str, dialect: Dialect) -> Result<bool, Error> {
    let scope: Scope = [
        ("result", "unavailable"),
        ("number", "10"),
        ("truth", "true"),
        ("hostile", "a' || 'a' == 'a"),
    ]
    .into_iter()
    .map(|(name, value)| (format!("inputs.parameters.{name}"), Arc::from(value)))
    .collect();
    let lookup = |name: &str| match name {
        "lastRetry.exitCode" => Some(Value::Text("3".to_owned())),
        "lastRetry.status" => Some(Value::Text("Failed".to_owned())),
        "a.Succeeded" | "task-b" => Some(Value::Boolean(true)),
        "c" => Some(Value::Boolean(false)),
        _ => None,
    };
    let text = Text::parse(text, Position::default())?;
    evaluate(&parse(&text, dialect)?, &Names { scope: &scope, lookup: &lookup })
}

#[track_caller]
fn check(dialect: Dialect, cases: &[(&str, bool)]) {
    for (text, expected) in cases {
        assert_eq!(eval(text, dialect), Ok(*expected), "{text}");
    }
}

#[test]
fn when_reads_words_as_strings_and_values_as_one_operand() {
    check(
        Dialect::When,
        &[
            ("{{inputs.parameters.result}} == 'unavailable'", true),
            ("{{ inputs.parameters.result }} == unavailable", true),
            ("\"{{inputs.parameters.result}}\" != available", true),
            ("{{inputs.parameters.number}} > 9", true),
            ("{{inputs.parameters.number}} >= 10.0 && {{inputs.parameters.number}} <= 10", true),
            ("'{{inputs.parameters.number}}' == 10", false),
            ("{{inputs.parameters.truth}}", true),
            ("!{{inputs.parameters.truth}}", false),
            ("{{inputs.parameters.truth}} == true", true),
            ("'{{inputs.parameters.truth}}' == true", false),
            ("{{inputs.parameters.hostile}} == 'a'", false),
            ("'{{inputs.parameters.hostile}}' == 'a'", false),
            ("{{inputs.parameters.hostile}} == \"a' || 'a' == 'a\"", true),
            ("false || true && false", false),
            ("(false || true) && !(a == b)", true),
            ("-1 < 0", true),
            ("abc < abd", true),
            ("'it\\'s' == \"it's\"", true),
            ("b in (a, 'b', c)", true),
            ("1 in (2, '1')", false),
            ("v1.2.3 =~ '^v[0-9]+'", true),
            ("latest !~ '^v[0-9]+'", true),
        ],
    );
}

#[test]
fn depends_knows_tasks_and_retry_knows_the_last_try() {
    check(
        Dialect::Depends,
        &[
            ("a.Succeeded && task-b", true),
            ("!(task-b && c)", true),
            ("c || a.Succeeded && c", false),
        ],
    );
    check(
        Dialect::Retry,
        &[
            ("asInt(lastRetry.exitCode) == 3 and lastRetry.status != \"Error\"", true),
            ("asInt(lastRetry.exitCode) in [1, 2]", false),
            ("lastRetry.exitCode == 3", false),
            ("not (lastRetry.exitCode == '3' or false)", false),
        ],
    );
}

#[test]
fn what_is_not_an_expression_says_why() {
    let unexpected = |found: &str| Error::Unexpected { found: found.to_owned() };
    let cases = [
        (Dialect::When, "a ==", Error::Incomplete),
        (Dialect::When, "", Error::Incomplete),
        (Dialect::When, "a == 'b", Error::UnclosedQuote),
        (Dialect::When, "a == b == c", unexpected("\"==\"")),
        (Dialect::When, "a b", unexpected("b")),
        (Dialect::When, "a + b == c", unexpected("\"+\"")),
        (Dialect::When, "a == b ? c : d", unexpected("\"?\"")),
        (Dialect::When, "a-b == c", unexpected("-b")),
        (Dialect::When, "just-text", unexpected("-text")),
        (Dialect::When, "word", Error::NotABoolean { value: "\"word\"".to_owned() }),
        (
            Dialect::When,
            "a < 1",
            Error::NoOrder { left: "\"a\"".to_owned(), right: "1".to_owned() },
        ),
        (Dialect::When, "a =~ '('", Error::Pattern { pattern: "(".to_owned() }),
        (
            Dialect::When,
            "a =~ '(x{1000}){1000}'",
            Error::Pattern { pattern: "(x{1000}){1000}".to_owned() },
        ),
        (Dialect::Depends, "a == b", unexpected("\"==\"")),
        (Dialect::Depends, "'a'", unexpected("a")),
        (
            Dialect::Retry,
            "lastRetry.unknown",
            Error::UnknownName { name: "lastRetry.unknown".to_owned() },
        ),
        (Dialect::Retry, "asInt('x') == 1", Error::NotANumber { value: "\"x\"".to_owned() }),
        (Dialect::Retry, "sprig.env('HOME') == ''", unexpected("\"(\"")),
    ];
    for (dialect, text, expected) in cases {
        assert_eq!(eval(text, dialect), Err(expected), "{text}");
    }
}

#[test]
fn bombs_end_in_an_error() {
    let cases = [
        ("(".repeat(100_000) + "true", Error::TooLong),
        ("(".repeat(MAX_DEPTH + 1) + "true" + &")".repeat(MAX_DEPTH + 1), Error::TooDeep),
        ("!".repeat(500) + "true", Error::TooDeep),
        ("true && ".repeat(MAX_TOKENS) + "true", Error::TooLong),
    ];
    for (text, expected) in cases {
        assert_eq!(eval(&text, Dialect::When), Err(expected), "{}…", &text[..10]);
    }
    let wide = "false || ".repeat(MAX_TOKENS / 2 - 1) + "true";
    assert_eq!(eval(&wide, Dialect::When), Ok(true));
    let deep = "(".repeat(MAX_DEPTH - 1) + "true" + &")".repeat(MAX_DEPTH - 1);
    assert_eq!(eval(&deep, Dialect::When), Ok(true));
}
