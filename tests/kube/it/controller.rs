//! kube's own client, watcher and controller over the server: they must not be able to tell.

use std::{sync::Arc, time::Duration};

use futures::StreamExt;
use k8s_openapi::api::{coordination::v1::Lease, core::v1::Secret};
use kube::{
    Api, Resource, ResourceExt,
    api::{DeleteParams, DynamicObject, ListParams, ObjectMeta, Patch, PatchParams, PostParams},
    core::PartialObjectMeta,
    runtime::{
        Controller, WatchStreamExt,
        controller::Action,
        events::{Event, EventType, Recorder},
        finalizer, watcher,
    },
};
use serde_json::json;

use crate::widgets::{create, resource, server, widget, widgets};

const FINALIZER: &str = "example.arc/held";

#[derive(Debug, thiserror::Error)]
#[error("the widget is not fine: {0}")]
struct NotFine(String);

/// Reports the size in the status, by server-side apply, under a finalizer.
async fn reconcile(
    widget: Arc<DynamicObject>,
    api: Arc<Api<DynamicObject>>,
) -> Result<Action, NotFine> {
    finalizer(&api, FINALIZER, widget, |event| async {
        if let finalizer::Event::Apply(widget) = event {
            let phase = format!("size {}", widget.data["spec"]["size"]);
            let status = json!({
                "apiVersion": "example.arc/v1", "kind": "Widget", "status": { "phase": phase },
            });
            let how = PatchParams::apply("controller").force();
            api.patch_status(&widget.name_any(), &how, &Patch::Apply(&status)).await?;
        }
        Ok::<_, kube::Error>(Action::await_change())
    })
    .await
    .map_err(|error| NotFine(error.to_string()))
}

#[tokio::test]
async fn a_controller_with_finalizers_and_applied_status_runs_as_on_a_real_server() {
    let server = server();
    let api = Arc::new(widgets(server.client()));
    for name in 0..50 {
        create(&server, &widget(&format!("w{name}"), 1));
    }
    let config = watcher::Config::default();
    let controller = Controller::new_with(widgets(server.client()), config, resource())
        .run(reconcile, |_, _, _| Action::requeue(Duration::from_millis(10)), Arc::clone(&api))
        .for_each(|_| async {});
    let story = async {
        until(|| async {
            let list = api.list(&ListParams::default()).await.unwrap();
            list.items.iter().all(|widget| widget.data["status"]["phase"] == "size 1")
        })
        .await;
        api.patch("w7", &PatchParams::default(), &Patch::Merge(json!({ "spec": { "size": 2 } })))
            .await
            .unwrap();
        until(|| async { api.get("w7").await.unwrap().data["status"]["phase"] == "size 2" }).await;
        api.delete_collection(&DeleteParams::default(), &ListParams::default()).await.unwrap();
        until(|| async { api.list(&ListParams::default()).await.unwrap().items.is_empty() }).await;
    };
    tokio::select! {
        () = controller => panic!("the controller ended"),
        () = story => {}
    }
}

/// Asks again until it is so.
async fn until<F: Future<Output = bool>>(so: impl Fn() -> F) {
    let wait = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap();
}

#[tokio::test]
async fn streaming_lists_and_lists_with_watches_see_the_same() {
    let server = server();
    create(&server, &widget("a", 1));
    create(&server, &widget("b", 1));
    for config in
        [watcher::Config::default().page_size(1), watcher::Config::default().streaming_lists()]
    {
        let stream = watcher(widgets(server.client()), config).applied_objects();
        let mut stream = std::pin::pin!(stream);
        let mut seen = Vec::new();
        for _ in 0..2 {
            seen.push(stream.next().await.unwrap().unwrap().name_any());
        }
        assert_eq!(seen, ["a", "b"]);
    }
}

#[tokio::test]
async fn secrets_are_watched_as_metadata_only() {
    let server = server();
    let secrets: Api<Secret> = Api::default_namespaced(server.client());
    let secret = Secret {
        metadata: ObjectMeta { name: Some("s".to_owned()), ..ObjectMeta::default() },
        string_data: Some([("password".to_owned(), "x".to_owned())].into()),
        ..Secret::default()
    };
    let made = secrets.create(&PostParams::default(), &secret).await.unwrap();
    assert_eq!(made.type_.as_deref(), Some("Opaque"));
    assert_eq!(made.data.unwrap()["password"].0, b"x");
    assert_eq!(made.string_data, None);
    let metadata: Api<PartialObjectMeta<Secret>> = Api::default_namespaced(server.client());
    let stream = watcher(metadata, watcher::Config::default()).applied_objects();
    let mut stream = std::pin::pin!(stream);
    let seen = stream.next().await.unwrap().unwrap();
    assert_eq!(seen.name_any(), "s");
    let asked = server.requests();
    assert!(
        asked
            .iter()
            .filter(|request| !request.verb.is_write())
            .all(|request| { request.accept.contains("as=PartialObjectMetadata") })
    );
}

#[tokio::test]
async fn a_lease_is_taken_by_one_of_two() {
    let server = server();
    let leases: Api<Lease> = Api::default_namespaced(server.client());
    let lease = Lease {
        metadata: ObjectMeta { name: Some("arc".to_owned()), ..ObjectMeta::default() },
        ..Lease::default()
    };
    let lease = leases.create(&PostParams::default(), &lease).await.unwrap();
    let how = PostParams::default();
    let (first, second) = (held(&lease, "one"), held(&lease, "two"));
    let (one, two) =
        tokio::join!(leases.replace("arc", &how, &first), leases.replace("arc", &how, &second),);
    assert_eq!([&one, &two].iter().filter(|taken| taken.is_ok()).count(), 1);
    let lost = one.err().or(two.err()).unwrap();
    assert!(matches!(lost, kube::Error::Api(status) if status.is_conflict()));
}

fn held(lease: &Lease, by: &str) -> Lease {
    let mut lease = lease.clone();
    lease.spec.get_or_insert_default().holder_identity = Some(by.to_owned());
    lease
}

#[tokio::test]
async fn repeated_events_become_a_series() {
    let server = server();
    create(&server, &widget("a", 1));
    let about = widgets(server.client()).get("a").await.unwrap().object_ref(&resource());
    let recorder = Recorder::new(server.client(), "arc.opendefense.cloud/controller".into());
    let event = Event {
        type_: EventType::Normal,
        reason: "Delivered".to_owned(),
        note: Some("x".to_owned()),
        action: "Reconcile".to_owned(),
        secondary: None,
    };
    for _ in 0..3 {
        recorder.publish(&event, &about).await.unwrap();
    }
    let events = server.objects("events.events.k8s.io");
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["series"]["count"], 3, "{}", events[0]);
}
