//! Replays the recorded conversations of a real 1.35 API server and compares every answer, field by field.
//!
//! uids, times and resourceVersions differ from run to run: they must be where the real ones are, refer to the same
//! things, and resourceVersions must grow as the real ones did.

mod bindings;
mod compare;
mod side;

use std::time::{Duration, Instant};

use arc_kube_fake::{ApiServer, Options, real};
use serde::Deserialize;
use serde_json::{Value, json};

use self::{bindings::Bindings, side::Side};

/// The files in the order in which they were recorded; each goes on where the one before ended.
const FILES: [(&str, &str); 8] = [
    ("00-crd", include_str!("../recordings/00-crd.json")),
    ("01-create-and-refusals", include_str!("../recordings/01-create-and-refusals.json")),
    ("02-update-and-patch", include_str!("../recordings/02-update-and-patch.json")),
    ("03-server-side-apply", include_str!("../recordings/03-server-side-apply.json")),
    ("04-list", include_str!("../recordings/04-list.json")),
    ("05-watch", include_str!("../recordings/05-watch.json")),
    ("06-delete", include_str!("../recordings/06-delete.json")),
    ("07-leases-events-metadata", include_str!("../recordings/07-leases-events-metadata.json")),
];

/// A real garbage collector takes its time, and looks for new kinds every half a minute.
const PATIENCE: Duration = Duration::from_secs(60);

/// Exchanges recorded in all.
const EXCHANGES: usize = 83;

/// Exchanges that nobody answers as recorded, the real server neither: file, number, title, and why.
const KNOWN: [(&str, usize, &str, &str); 2] = [
    (
        "02-update-and-patch",
        0,
        "get",
        "the recorder wrote the next request's `size: 3` into this answer: version 233 was created with size 1",
    ),
    (
        "07-leases-events-metadata",
        0,
        "lease: create",
        "the recorder wrote a later request's holder `three` into this answer: `one` was sent",
    ),
];

#[derive(Debug, Deserialize)]
struct Exchange {
    title: String,
    request: Asked,
    response: Answered,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    method: String,
    path: String,
    content_type: Option<String>,
    accept: Option<String>,
    body: Option<Value>,
    as_user: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answered {
    status: u16,
    content_type: String,
    body: Option<Value>,
    events: Option<Value>,
}

#[tokio::test(start_paused = true)]
async fn recorded_conversations_are_answered_as_the_real_server_answered_them() {
    let starts_at = Some("2026-11-20T19:31:28Z".parse().unwrap());
    let server = ApiServer::new(Options { starts_at, ..Options::default() });
    converse(&mut Side::Fake(server)).await;
}

/// The other way round: what was recorded is what a real server says today, so the recordings are worth something.
#[tokio::test]
async fn recorded_conversations_are_still_those_of_a_real_server() {
    let Some(programs) = real::require() else { return };
    if !programs.require_controllers() {
        return;
    }
    let server = real::RealServer::start(&programs).await;
    converse(&mut Side::Real(Box::new(server))).await;
}

/// Has all conversations, and fails unless only what is known is different.
async fn converse(side: &mut Side) {
    let mut bindings = Bindings::default();
    let mut report = Vec::new();
    let mut failed = Vec::new();
    let mut total = 0;
    for (file, text) in FILES {
        let exchanges: Vec<Exchange> = serde_json::from_str(text).unwrap();
        for (number, exchange) in exchanges.iter().enumerate() {
            total += 1;
            let differences = play(side, exchange, &mut bindings).await;
            let is_known = KNOWN.iter().any(|known| (known.0, known.1) == (file, number));
            if is_known == differences.is_empty() {
                failed.push(format!("{file} #{number} {}", exchange.title));
            }
            let verdict = match (is_known, differences.is_empty()) {
                (false, true) => "same",
                (true, false) => "known difference",
                (true, true) => "no longer different",
                (false, false) => "DIFFERENT",
            };
            report.push(format!("{file} #{number} {}: {verdict}", exchange.title));
            report.extend(differences.into_iter().map(|difference| format!("    {difference}")));
        }
    }
    report.extend(bindings.disorder());
    let report = report.join("\n");
    assert_eq!(total, EXCHANGES);
    assert!(failed.is_empty() && bindings.disorder().is_empty(), "{failed:#?}\n{report}");
}

#[test]
fn known_differences_name_exchanges_that_exist() {
    for (file, number, title, _) in KNOWN {
        let (_, text) = FILES.iter().find(|(name, _)| *name == file).unwrap();
        let exchanges: Vec<Exchange> = serde_json::from_str(text).unwrap();
        assert_eq!(exchanges[number].title, title);
    }
}

/// Does one request, and tells what differs.
async fn play(side: &mut Side, exchange: &Exchange, bindings: &mut Bindings) -> Vec<String> {
    let mut differences = compared(side, exchange, bindings).await;
    let started = Instant::now();
    let may_wait = side.is_real() && exchange.title.contains("is collected");
    while may_wait && !differences.is_empty() && started.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(200)).await;
        differences = compared(side, exchange, bindings).await;
    }
    if exchange.title == "create a CRD" {
        side.settle().await;
    }
    differences
}

async fn compared(side: &Side, exchange: &Exchange, bindings: &mut Bindings) -> Vec<String> {
    let asked = &exchange.request;
    let mut request =
        http::Request::builder().method(asked.method.as_str()).uri(bindings.path(&asked.path));
    for (name, value) in [
        ("content-type", &asked.content_type),
        ("accept", &asked.accept),
        ("impersonate-user", &asked.as_user),
    ] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    let body = asked.body.as_ref().map(|body| bindings.body(body).to_string());
    let request = request.body(body.unwrap_or_default()).unwrap();
    let (answer, ()) = tokio::join!(side.ask(request), meanwhile(side, &exchange.title));
    let side::Answer { status, kind, body } = answer;
    let mut differences = Vec::new();
    if status != exchange.response.status {
        differences
            .push(format!("status: recorded {}, answered {status}", exchange.response.status));
    }
    if kind != exchange.response.content_type {
        differences
            .push(format!("type: recorded {}, answered {kind}", exchange.response.content_type));
    }
    let (recorded, answered) = match &exchange.response.events {
        // A single event was recorded without a list around it.
        Some(events @ Value::Object(_)) => (json!([events]), lines(&body)),
        Some(events) => (events.clone(), lines(&body)),
        None => {
            let recorded = exchange.response.body.clone().unwrap_or_default();
            (recorded, serde_json::from_slice(&body).unwrap_or_default())
        }
    };
    compare::compare(&recorded, &answered, "", bindings, &mut differences);
    differences
}

fn lines(body: &[u8]) -> Value {
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice::<Value>(line).unwrap()).collect()
}

/// What another client did while the two watches of `05-watch` ran; it is in their events only.
async fn meanwhile(side: &Side, title: &str) {
    if !title.starts_with("watch: ADDED") && !title.starts_with("watch with a label selector") {
        return;
    }
    let all = "/apis/example.arc/v1/namespaces/default/widgets";
    let one = "/apis/example.arc/v1/namespaces/default/widgets/w1";
    let widget = json!({
        "apiVersion": "example.arc/v1",
        "kind": "Widget",
        "metadata": { "name": "w1", "labels": { "w": "1" } },
        "spec": { "size": 1 },
    });
    let steps = [
        ("POST", all, widget),
        ("PATCH", one, json!({ "spec": { "size": 2 } })),
        ("PATCH", one, json!({ "metadata": { "labels": { "w": "2" } } })),
        ("DELETE", one, Value::Null),
    ];
    for (method, path, body) in steps {
        tokio::time::sleep(Duration::from_millis(500)).await;
        side.call(method, path, &body).await;
    }
}
