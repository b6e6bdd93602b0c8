//! Owners, finalizers, propagation, namespaces.

use arc_kube_fake::{ApiServer, GarbageCollection, Options};
use serde_json::{Value, json};

use crate::widgets::{WIDGETS, ask, create, server, server_with, widget};

fn child(name: &str, owner: &Value, blocks: bool) -> Value {
    let mut child = widget(name, 1);
    child["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "example.arc/v1",
        "kind": "Widget",
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "blockOwnerDeletion": blocks,
    }]);
    child
}

fn names(server: &ApiServer) -> Vec<String> {
    let objects = server.objects("widgets.example.arc");
    objects.iter().map(|object| object["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

async fn delete(server: &ApiServer, name: &str, options: &Value) -> (u16, Value) {
    let path = format!("{WIDGETS}/{name}");
    ask(server, ("DELETE", &path), "application/json", options).await
}

#[tokio::test]
async fn dependents_go_with_their_last_owner() {
    let server = server();
    let (one, two) = (create(&server, &widget("one", 1)), create(&server, &widget("two", 1)));
    let middle = create(&server, &child("middle", &one, false));
    create(&server, &child("leaf", &middle, false));
    let mut shared = child("shared", &one, false);
    let second = child("shared", &two, false)["metadata"]["ownerReferences"][0].clone();
    shared["metadata"]["ownerReferences"].as_array_mut().unwrap().push(second);
    create(&server, &shared);
    delete(&server, "one", &Value::Null).await;
    assert_eq!(names(&server), ["shared", "two"]);
    let left = server.object("widgets.example.arc", "default", "shared").unwrap();
    let owners = left["metadata"]["ownerReferences"].as_array().unwrap();
    assert_eq!((owners.len(), &owners[0]["name"]), (1, &json!("two")));
    delete(&server, "two", &Value::Null).await;
    assert_eq!(names(&server), Vec::<String>::new());
}

#[tokio::test]
async fn an_owner_that_never_was_is_garbage_too() {
    let server = server();
    let ghost = json!({ "metadata": { "name": "ghost", "uid": "0" } });
    assert_eq!(create(&server, &child("a", &ghost, false))["kind"], "Widget");
    assert_eq!(names(&server), Vec::<String>::new());
}

#[tokio::test]
async fn garbage_waits_for_the_test_when_it_asked_for_that() {
    let manual = GarbageCollection::Manual;
    let server = server_with(Options { garbage_collection: manual, ..Options::default() });
    let owner = create(&server, &widget("owner", 1));
    create(&server, &child("child", &owner, false));
    delete(&server, "owner", &Value::Null).await;
    assert_eq!(names(&server), ["child"]);
    server.collect_garbage();
    assert_eq!(names(&server), Vec::<String>::new());
}

#[tokio::test]
async fn a_foreground_deletion_waits_for_dependents_that_block_it() {
    let server = server();
    let owner = create(&server, &widget("owner", 1));
    let mut blocker = child("child", &owner, true);
    blocker["metadata"]["finalizers"] = json!(["example.arc/f"]);
    create(&server, &blocker);
    let (status, marked) =
        delete(&server, "owner", &json!({ "propagationPolicy": "Foreground" })).await;
    assert_eq!((status, &marked["metadata"]["finalizers"]), (200, &json!(["foregroundDeletion"])));
    assert_eq!(names(&server), ["child", "owner"]);
    let path = format!("{WIDGETS}/child");
    server.call("PATCH", &path, &json!({ "metadata": { "finalizers": null } }));
    assert_eq!(names(&server), Vec::<String>::new());
}

#[tokio::test]
async fn an_orphaning_deletion_leaves_dependents_without_owner() {
    let server = server();
    let owner = create(&server, &widget("owner", 1));
    create(&server, &child("child", &owner, true));
    delete(&server, "owner", &json!({ "propagationPolicy": "Orphan" })).await;
    assert_eq!(names(&server), ["child"]);
    let child = server.object("widgets.example.arc", "default", "child").unwrap();
    assert_eq!(child["metadata"]["ownerReferences"], json!([]));
}

#[tokio::test]
async fn a_namespace_goes_with_everything_in_it_and_takes_nothing_new() {
    let server = server();
    server.add_namespace("team");
    let path = "/apis/example.arc/v1/namespaces/team/widgets";
    let mut held = widget("held", 1);
    held["metadata"]["finalizers"] = json!(["example.arc/f"]);
    for widget in [&held, &widget("free", 1)] {
        assert_eq!(server.call("POST", path, widget)["kind"], "Widget");
    }
    server.call("DELETE", "/api/v1/namespaces/team", &Value::Null);
    assert_eq!(names(&server), ["held"]);
    let refused = server.call("POST", path, &widget("late", 1));
    assert_eq!(
        (&refused["code"], &refused["details"]["causes"][0]["reason"]),
        (&json!(403), &json!("NamespaceTerminating"))
    );
    server.call("PATCH", &format!("{path}/held"), &json!({ "metadata": { "finalizers": null } }));
    assert_eq!(server.object("namespaces", "", "team"), None);
}

#[tokio::test]
async fn a_deletion_with_a_stale_version_is_refused() {
    let server = server();
    create(&server, &widget("a", 1));
    let (status, refused) =
        delete(&server, "a", &json!({ "preconditions": { "resourceVersion": "1" } })).await;
    assert_eq!((status, refused["reason"].as_str()), (409, Some("Conflict")));
    let (status, _) = delete(&server, "a", &json!({ "dryRun": ["All"] })).await;
    assert_eq!((status, names(&server)), (200, vec!["a".to_owned()]));
}
