//! One cluster for a story: the API server in memory, or a real one.

use std::{collections::BTreeSet, fmt::Write as _, sync::OnceLock, time::Duration};

use arc_chart::rbac::Permission;
use arc_kube_fake::{ApiServer, Options, Rule};
use jiff::Timestamp;
use kube::{
    Api, Client,
    api::{ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

use super::operator::OPERATOR;

/// Where stories take place on the server in memory; a real one has a namespace for each.
pub(crate) const NAMESPACE: &str = "default";
/// How often to look, at first; virtual time on the server in memory.
const LOOK: Duration = Duration::from_millis(10);
/// How often to look after the first seconds.
const LOOK_LATER: Duration = Duration::from_millis(500);
/// How long a story waits in vain.
const PATIENCE: Duration = Duration::from_secs(300);

/// Kind, group, plural, namespaced.
const KINDS: [(&str, &str, &str, bool); 12] = [
    ("Order", "arc.opendefense.cloud", "orders", true),
    ("Endpoint", "arc.opendefense.cloud", "endpoints", true),
    ("ArtifactType", "arc.opendefense.cloud", "artifacttypes", true),
    ("ClusterArtifactType", "arc.opendefense.cloud", "clusterartifacttypes", false),
    ("ArtifactWorkflow", "arc.opendefense.cloud", "artifactworkflows", true),
    ("Workflow", "argoproj.io", "workflows", true),
    ("CronWorkflow", "argoproj.io", "cronworkflows", true),
    ("WorkflowTemplate", "argoproj.io", "workflowtemplates", true),
    ("ClusterWorkflowTemplate", "argoproj.io", "clusterworkflowtemplates", false),
    ("Secret", "", "secrets", true),
    ("Pod", "", "pods", true),
    ("Event", "events.k8s.io", "events", true),
];

/// One cluster for a story.
#[derive(Clone)]
pub(crate) struct Cluster {
    /// Of somebody who may do everything.
    pub(crate) client: Client,
    /// Of the operator, on a real API server.
    operators: Option<Client>,
    fake: Option<ApiServer>,
    pub(crate) namespace: String,
}

impl Cluster {
    /// The API server in memory, where the operator may do what the chart lets it do.
    pub(crate) fn fake() -> Self {
        let server = ApiServer::with_arc(Options::default());
        grant(&server, OPERATOR);
        Self::of(&server)
    }

    pub(crate) fn of(server: &ApiServer) -> Self {
        Self {
            client: server.client(),
            operators: None,
            fake: Some(server.clone()),
            namespace: NAMESPACE.to_owned(),
        }
    }

    /// A real API server, where the operator may do what `operators` may.
    pub(crate) fn real(client: Client, operators: Client, namespace: &str) -> Self {
        let namespace = namespace.to_owned();
        Self { client, operators: Some(operators), fake: None, namespace }
    }

    /// The server in memory; only stories that are about it may ask.
    pub(crate) fn server(&self) -> &ApiServer {
        self.fake.as_ref().unwrap()
    }

    pub(crate) fn is_real(&self) -> bool {
        self.fake.is_none()
    }

    /// What the operator talks through.
    pub(crate) fn operators_client(&self) -> Client {
        match (&self.fake, &self.operators) {
            (Some(fake), _) => fake.client_as(OPERATOR),
            (None, Some(operators)) => operators.clone(),
            (None, None) => self.client.clone(),
        }
    }

    /// The cluster's clock now.
    pub(crate) fn now(&self) -> Timestamp {
        self.fake.as_ref().map_or_else(Timestamp::now, ApiServer::now)
    }

    fn api(&self, kind: &str) -> Api<DynamicObject> {
        let (resource, namespaced) = resource(kind);
        if namespaced {
            Api::namespaced_with(self.client.clone(), &self.namespace, &resource)
        } else {
            Api::all_with(self.client.clone(), &resource)
        }
    }

    /// Creates an object; it must not be refused.
    pub(crate) async fn create(&self, object: &Value) -> Value {
        let kind = object["kind"].as_str().unwrap();
        let object: DynamicObject = serde_json::from_value(object.clone()).unwrap();
        match self.api(kind).create(&PostParams::default(), &object).await {
            Ok(made) => serde_json::to_value(made).unwrap(),
            Err(error) => panic!("{error}: {object:?}"),
        }
    }

    /// Creates an object unless there is one of the name.
    pub(crate) async fn ensure(&self, object: &Value) {
        let kind = object["kind"].as_str().unwrap();
        if self.get(kind, object["metadata"]["name"].as_str().unwrap()).await.is_none() {
            self.create(object).await;
        }
    }

    pub(crate) async fn get(&self, kind: &str, name: &str) -> Option<Value> {
        let found = self.api(kind).get_opt(name).await.unwrap();
        found.map(|object| serde_json::to_value(object).unwrap())
    }

    /// All objects of a kind in the story's namespace, by name.
    pub(crate) async fn list(&self, kind: &str) -> Vec<Value> {
        if let Some(fake) = &self.fake {
            let (resource, _) = resource(kind);
            let table = match resource.group.as_str() {
                "" => resource.plural.clone(),
                group => format!("{}.{group}", resource.plural),
            };
            return fake.objects(&table);
        }
        let list = self.api(kind).list(&ListParams::default()).await.unwrap();
        list.items.into_iter().map(|object| serde_json::to_value(object).unwrap()).collect()
    }

    /// A merge patch, which must not be refused.
    pub(crate) async fn patch(&self, kind: &str, name: &str, patch: &Value) -> Value {
        let how = PatchParams::default();
        let patched = self.api(kind).patch(name, &how, &Patch::Merge(patch)).await.unwrap();
        serde_json::to_value(patched).unwrap()
    }

    pub(crate) async fn delete(&self, kind: &str, name: &str) {
        self.api(kind).delete(name, &DeleteParams::background()).await.unwrap();
    }

    /// Lets somebody's clock go on.
    pub(crate) async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Looks until something is there.
    pub(crate) async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let start = tokio::time::Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            let passed = start.elapsed();
            let told = if passed > PATIENCE { self.tell().await } else { String::new() };
            assert!(passed <= PATIENCE, "waited in vain until {what}\n{told}");
            let pause = if passed < Duration::from_secs(3) { LOOK } else { LOOK_LATER };
            tokio::time::sleep(pause).await;
        }
    }

    /// Waits until an order has a phase, for its present generation.
    pub(crate) async fn until_phase(&self, order: &str, phase: &str) -> Value {
        self.until(&format!("order {order} is {phase}"), async || {
            let found = self.get("Order", order).await?;
            let current = found["status"]["observedGeneration"] == found["metadata"]["generation"];
            (current && found["status"]["phase"] == phase).then_some(found)
        })
        .await
    }

    /// Waits until one artifact of an order stands somewhere, for a reason.
    pub(crate) async fn until_row(
        &self,
        (order, artifact): (&str, &str),
        (phase, reason): (&str, &str),
    ) -> Value {
        self.until(&format!("{artifact} of {order} is {phase} because of {reason}"), async || {
            let row = self.row(order, artifact).await?;
            (row["phase"] == phase && row["reason"] == reason).then_some(row)
        })
        .await
    }

    /// The row of an artifact in its order's status.
    pub(crate) async fn row(&self, order: &str, artifact: &str) -> Option<Value> {
        let order = self.get("Order", order).await?;
        let rows = order["status"]["artifacts"].as_array()?;
        rows.iter().find(|row| row["name"] == artifact).cloned()
    }

    /// The newest record of an artifact, by its label.
    pub(crate) async fn record(&self, artifact: &str) -> Option<Value> {
        let mut records = self.list("ArtifactWorkflow").await;
        records
            .retain(|record| record["metadata"]["labels"][arc_api::labels::ARTIFACT] == artifact);
        records.sort_by_key(|record| record["metadata"]["creationTimestamp"].to_string());
        records.pop()
    }

    /// The names of all Workflows.
    pub(crate) async fn workflows(&self) -> Vec<String> {
        names(&self.list("Workflow").await)
    }

    /// Whether there is, or was a moment ago, a Workflow for an artifact.
    pub(crate) async fn has_workflow(&self, artifact: &str) -> bool {
        let label = arc_api::labels::ARTIFACT;
        let workflows = self.list("Workflow").await;
        workflows.iter().any(|workflow| workflow["metadata"]["labels"][label] == artifact)
    }

    /// What there is, for somebody who looks for the mistake.
    pub(crate) async fn tell(&self) -> String {
        let mut told = String::new();
        for kind in ["Order", "ArtifactWorkflow", "Workflow", "CronWorkflow", "Event"] {
            for object in self.list(kind).await {
                let status = match kind {
                    "Workflow" => json!({
                        "phase": object["status"]["phase"],
                        "message": object["status"]["message"],
                        "shutdown": object["spec"]["shutdown"],
                        "annotations": object["metadata"]["annotations"],
                    }),
                    "Event" => json!([object["reason"], object["note"]]),
                    _ => object["status"].clone(),
                };
                writeln!(told, "{kind} {}: {status}", object["metadata"]["name"]).unwrap();
            }
        }
        if let Some(fake) = &self.fake {
            let requests = fake.requests();
            let last = requests.iter().filter(|one| one.user == OPERATOR).rev().take(40);
            for request in last.collect::<Vec<_>>().into_iter().rev() {
                writeln!(told, "{request}").unwrap();
            }
        }
        told
    }
}

pub(crate) fn names(objects: &[Value]) -> Vec<String> {
    let names = objects.iter().map(|object| object["metadata"]["name"].as_str().unwrap());
    names.map(str::to_owned).collect()
}

fn resource(kind: &str) -> (ApiResource, bool) {
    let known = KINDS.iter().find(|(known, ..)| *known == kind);
    let (kind, group, plural, namespaced) = known.unwrap_or_else(|| panic!("no kind {kind}"));
    let version = if matches!(*group, "" | "events.k8s.io") { "v1" } else { "v1alpha1" };
    let api_version =
        if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let resource = ApiResource {
        group: (*group).to_owned(),
        version: version.to_owned(),
        api_version,
        kind: (*kind).to_owned(),
        plural: (*plural).to_owned(),
    };
    (resource, *namespaced)
}

/// What the chart lets the operator do.
pub(crate) fn permissions() -> &'static BTreeSet<Permission> {
    static PERMISSIONS: OnceLock<BTreeSet<Permission>> = OnceLock::new();
    PERMISSIONS.get_or_init(|| {
        let chart = arc_chart::Chart::open();
        let rendered = chart.render(&json!({ "rbac": { "allNamespaces": true } }));
        arc_chart::rbac::permissions(&rendered, "arc-system", "arc-controller")
    })
}

/// Lets a user do what the chart lets the operator do.
pub(crate) fn grant(server: &ApiServer, user: &str) {
    let rules = permissions()
        .iter()
        .map(|permission| {
            let rule = Rule::new(&permission.group, &[&permission.resource], &[&permission.verb]);
            match &permission.namespace {
                Some(namespace) => rule.in_namespace(namespace),
                None => rule,
            }
        })
        .collect();
    server.grant(user, rules);
}
