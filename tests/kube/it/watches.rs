//! Watches under stress: history, interruptions, limits.

use std::time::Duration;

use arc_kube_fake::{ApiServer, Effect, Fault, Matching, Times, Verb};
use axum::body::Body;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::widgets::{WIDGETS, ask, create, server, widget};

/// The events of a watch as `ADDED a`, and whether the connection broke.
async fn watch(server: &ApiServer, options: &str) -> (Vec<String>, bool) {
    let path = format!("{WIDGETS}?watch=true&{options}");
    let request = http::Request::builder().uri(path).body(Body::empty()).unwrap();
    let mut body = server.handle(request).await.unwrap().into_body();
    let mut bytes = Vec::new();
    let mut broken = false;
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => bytes.extend_from_slice(frame.data_ref().unwrap()),
            Err(_) => broken = true,
        }
    }
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let events = lines.map(|line| {
        let event: Value = serde_json::from_slice(line).unwrap();
        let object = &event["object"];
        let what = object["metadata"]["name"].as_str().or(object["reason"].as_str());
        format!("{} {}", event["type"].as_str().unwrap(), what.unwrap_or("-"))
    });
    (events.collect(), broken)
}

#[tokio::test(start_paused = true)]
async fn a_watch_from_before_a_compaction_is_expired_and_a_new_list_goes_on() {
    let server = server();
    let version = create(&server, &widget("a", 1))["metadata"]["resourceVersion"].clone();
    let from = format!("timeoutSeconds=1&resourceVersion={}", version.as_str().unwrap());
    create(&server, &widget("b", 1));
    assert_eq!(watch(&server, &from).await, (vec!["ADDED b".to_owned()], false));
    server.compact();
    assert_eq!(watch(&server, &from).await, (vec!["ERROR Expired".to_owned()], false));
    let newest = format!("timeoutSeconds=1&resourceVersion={}", server.version());
    assert_eq!(watch(&server, &newest).await, (vec![], false));
}

#[tokio::test(start_paused = true)]
async fn watches_are_interrupted_from_outside() {
    let server = server();
    create(&server, &widget("a", 1));
    for (interrupt, expected) in [
        (ApiServer::end_watches as fn(&ApiServer), vec!["ADDED a"]),
        (ApiServer::expire_watches, vec!["ADDED a", "ERROR Expired"]),
    ] {
        let later = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            interrupt(&server);
        };
        let ((events, _), ()) = tokio::join!(watch(&server, ""), later);
        assert_eq!(events, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_breaks_after_as_many_events_as_the_test_says() {
    let server = server();
    for name in ["a", "b", "c"] {
        create(&server, &widget(name, 1));
    }
    for (abruptly, after) in [(true, 0), (true, 2), (false, 1)] {
        server.clear_faults();
        server.inject(Fault::new(
            Matching::of(Verb::Watch, "widgets"),
            Times::Nth(1),
            Effect::EndWatch { after, abruptly },
        ));
        let (events, broken) = watch(&server, "timeoutSeconds=1").await;
        assert_eq!((events.len(), broken), (after, abruptly));
        let (events, broken) = watch(&server, "timeoutSeconds=1").await;
        assert_eq!((events.len(), broken), (3, false));
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_watch_hears_of_newer_versions_when_it_asked_for_bookmarks() {
    let server = server();
    let version = server.version();
    server.call(
        "POST",
        "/api/v1/namespaces/default/configmaps",
        &json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "c" } }),
    );
    let from = format!("resourceVersion={version}&timeoutSeconds=90");
    assert_eq!(watch(&server, &from).await.0, Vec::<String>::new());
    let (events, _) = watch(&server, &format!("{from}&allowWatchBookmarks=true")).await;
    assert_eq!(events, ["BOOKMARK -"]);
}

#[tokio::test(start_paused = true)]
async fn a_definition_that_goes_ends_its_watches() {
    let server = server();
    let gone = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.arc";
        server.call("DELETE", path, &Value::Null);
    };
    let (events, ()) = tokio::join!(watch(&server, ""), gone);
    assert_eq!(events, (vec![], false));
    assert_eq!(ask(&server, ("GET", WIDGETS), "", &Value::Null).await.0, 404);
}

#[tokio::test]
async fn pages_of_a_list_show_one_moment_until_it_is_forgotten() {
    let server = server();
    for name in ["a", "b", "c"] {
        create(&server, &widget(name, 1));
    }
    let (_, first) = ask(&server, ("GET", &format!("{WIDGETS}?limit=1")), "", &Value::Null).await;
    server.call("DELETE", &format!("{WIDGETS}/b"), &Value::Null);
    create(&server, &widget("d", 1));
    let names = |list: &Value| -> Vec<String> {
        let items = list["items"].as_array().unwrap();
        items.iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    };
    let token = first["metadata"]["continue"].as_str().unwrap();
    let path = format!("{WIDGETS}?limit=5&continue={token}");
    let (_, rest) = ask(&server, ("GET", &path), "", &Value::Null).await;
    assert_eq!((names(&first), names(&rest)), (vec!["a".into()], vec!["b".into(), "c".into()]));
    server.compact();
    let (status, expired) = ask(&server, ("GET", &path), "", &Value::Null).await;
    assert_eq!((status, expired["reason"].as_str()), (410, Some("Expired")));
    let token = expired["metadata"]["continue"].as_str().unwrap();
    let path = format!("{WIDGETS}?limit=5&continue={token}");
    let (_, rest) = ask(&server, ("GET", &path), "", &Value::Null).await;
    assert_eq!(names(&rest), ["c", "d"]);
    let (status, large) =
        ask(&server, ("GET", &format!("{WIDGETS}?resourceVersion=99999")), "", &Value::Null).await;
    assert_eq!(
        (status, large["details"]["causes"][0]["reason"].as_str()),
        (504, Some("ResourceVersionTooLarge"))
    );
}
