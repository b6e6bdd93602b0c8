//! What is special about writing leases: a `PUT` makes one that is not there.

use arc_kube_fake::{
    ApiServer, Options,
    real::{self, RealServer},
};
use serde_json::{Value, json};

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";

/// A lease, with what its metadata says besides the name.
fn lease(metadata: &Value) -> Value {
    let mut lease = json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": { "name": "one" },
        "spec": { "holderIdentity": "me" },
    });
    for (field, value) in metadata.as_object().unwrap() {
        lease["metadata"][field] = value.clone();
    }
    lease
}

/// Who renews a lease that was deleted meanwhile must not believe that it is held still.
#[tokio::test]
async fn a_put_of_what_was_deleted_is_answered_as_a_real_server_answers_it() {
    let Some(programs) = real::require() else { return };
    let server = RealServer::start(&programs).await;
    let fake = ApiServer::new(Options::default());
    let path = format!("{LEASES}/one");
    let uid = "0c5fa2a7-8d1c-4a2e-9a6b-3f5d1f0a7b11";
    for (metadata, expected) in [
        (json!({ "uid": uid, "resourceVersion": "7" }), 409),
        (json!({ "uid": uid }), 409),
        (json!({ "resourceVersion": "7" }), 201),
        (json!({}), 201),
    ] {
        let lease = lease(&metadata);
        let (status, real) = server.call("PUT", &path, &lease).await;
        let faked = fake.call("PUT", &path, &lease);
        assert_eq!(status, expected, "{metadata}: {real}");
        assert_eq!((&faked["code"], &faked["message"]), (&real["code"], &real["message"]));
        assert_eq!(faked["kind"], real["kind"]);
        server.call("DELETE", &path, &Value::Null).await;
        fake.call("DELETE", &path, &Value::Null);
    }
}
