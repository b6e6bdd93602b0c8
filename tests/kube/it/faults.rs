//! Faults on demand, what is recorded, and who may do what.

use std::time::Duration;

use arc_kube_fake::{Effect, Fault, Matching, Rule, Times, Verb};
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::widgets::{create, server, widget, widgets};

#[tokio::test(start_paused = true)]
async fn requests_fail_as_the_test_says_and_only_some_were_done() {
    for (effect, code, done) in [
        (Effect::Answer { code: 500, reason: "InternalError" }, Some(500), false),
        (Effect::Conflict, Some(409), false),
        (Effect::Close, None, false),
        (Effect::CloseAfter, None, true),
        (Effect::AnswerAfter { code: 504, reason: "Timeout" }, Some(504), true),
    ] {
        let server = server();
        server.inject(Fault::new(Matching::writes(), Times::Nth(2), effect.clone()));
        let api = widgets(server.client());
        for (name, fails) in [("a", false), ("b", true), ("c", false)] {
            let object = serde_json::from_value(widget(name, 1)).unwrap();
            let outcome = api.create(&PostParams::default(), &object).await;
            assert_eq!(outcome.is_err(), fails, "{effect:?} {name}");
            if let Err(kube::Error::Api(status)) = outcome {
                assert_eq!(Some(status.code), code, "{effect:?}");
            }
        }
        assert_eq!(
            server.object("widgets.example.arc", "default", "b").is_some(),
            done,
            "{effect:?}"
        );
        let codes: Vec<Option<u16>> = server.requests().iter().map(|asked| asked.status).collect();
        assert_eq!(codes, [Some(201), code, Some(201)], "{effect:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_delayed_request_is_done_later() {
    let server = server();
    let delay = Duration::from_secs(3);
    server.inject(Fault::new(
        Matching::of(Verb::List, "widgets"),
        Times::Always,
        Effect::Delay(delay),
    ));
    let start = tokio::time::Instant::now();
    widgets(server.client()).list(&ListParams::default()).await.unwrap();
    assert_eq!(start.elapsed(), delay);
}

#[tokio::test]
async fn requests_are_counted_by_verb_and_resource() {
    let server = server();
    let api = widgets(server.client());
    let object = serde_json::from_value(widget("a", 1)).unwrap();
    api.create(&PostParams::default(), &object).await.unwrap();
    let status = json!({ "status": { "phase": "x" } });
    for _ in 0..2 {
        api.patch_status("a", &PatchParams::default(), &Patch::Merge(&status)).await.unwrap();
    }
    api.get("a").await.unwrap();
    let counts: Vec<(String, usize)> = server
        .counts()
        .into_iter()
        .map(|((verb, resource), count)| (format!("{verb} {resource}"), count))
        .collect();
    let expected = [("get widgets", 1), ("create widgets", 1), ("patch widgets/status", 2)];
    assert_eq!(counts, expected.map(|(what, count)| (what.to_owned(), count)));
    assert_eq!(server.writes(), 3);
    let shown: Vec<String> = server.requests().iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "create widgets default/ 201",
            "patch widgets/status default/a 200",
            "patch widgets/status default/a 200",
            "get widgets default/a 200",
        ]
    );
    server.forget_requests();
    assert_eq!(server.requests(), []);
}

#[tokio::test]
async fn a_user_may_do_what_was_granted_and_nothing_else() {
    let server = server();
    create(&server, &widget("a", 1));
    server.grant(
        "arc",
        vec![Rule::new("example.arc", &["widgets"], &["get", "list"]).in_namespace("default")],
    );
    let api = widgets(server.client_as("arc"));
    api.get("a").await.unwrap();
    api.list(&ListParams::default()).await.unwrap();
    let patch = Patch::Merge(json!({ "status": { "phase": "x" } }));
    let refused = api.patch_status("a", &PatchParams::default(), &patch).await.unwrap_err();
    let kube::Error::Api(status) = refused else { panic!("{refused}") };
    assert_eq!(
        (status.code, status.message.as_str()),
        (
            403,
            "widgets.example.arc \"a\" is forbidden: User \"arc\" cannot patch resource \"widgets/status\" in API group \"example.arc\" in the namespace \"default\""
        )
    );
    let nobody = widgets(server.client_as("nobody"));
    assert!(nobody.get("a").await.is_err());
    assert_eq!(server.call("GET", "/nowhere", &Value::Null)["code"], 404);
}
