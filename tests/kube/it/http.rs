//! The same server on a socket.

use arc_kube_fake::{ApiServer, Effect, Fault, Matching, Options, Times};
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client, Config, api::ListParams};

#[tokio::test]
async fn a_client_on_a_socket_sees_what_a_client_in_process_sees() {
    let server = ApiServer::with_arc(Options::default());
    let running = server.serve().await.unwrap();
    let mut config = Config::new(format!("http://{}", running.addr).parse().unwrap());
    config.default_namespace = "default".to_owned();
    let client = Client::try_from(config).unwrap();
    let names = |list: kube::api::ObjectList<Namespace>| -> Vec<String> {
        list.into_iter().filter_map(|namespace| namespace.metadata.name).collect()
    };
    let over_socket: Api<Namespace> = Api::all(client.clone());
    let in_process: Api<Namespace> = Api::all(server.client());
    let expected = names(in_process.list(&ListParams::default()).await.unwrap());
    assert_eq!(expected, ["default", "kube-node-lease", "kube-public", "kube-system"]);
    assert_eq!(names(over_socket.list(&ListParams::default()).await.unwrap()), expected);
    assert_eq!(client.apiserver_version().await.unwrap().minor, "35");
    let groups = client.list_api_groups().await.unwrap().groups;
    let groups: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    assert!(
        groups.contains(&"arc.opendefense.cloud") && groups.contains(&"argoproj.io"),
        "{groups:?}"
    );
    server.inject(Fault::new(Matching::any(), Times::Always, Effect::Close));
    assert!(over_socket.get("default").await.is_err());
}
