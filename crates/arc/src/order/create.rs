//! `arc order create`: from a line that was typed to an order.

use std::collections::BTreeSet;

use arc_api::{Cron, LocalObjectReference, Order, OrderArtifact, OrderDefaults, OrderSpec};
use arc_oci::Digest;
use arc_steps::Exit;
use kube::Api;
use kube::api::PostParams;
use serde_json::{Map, Value, json};

use super::cluster::{Cluster, failed};
use super::{unwritable, watch};
use crate::cli::OrderCreate;
use crate::report::Failure;

/// Hexadecimal digits of the content in a derived name.
const HASH_DIGITS: usize = 8;
/// What a derived name takes of a repository's last part: with `-` and the digits it stays a DNS label.
const MAX_STEM: usize = 48;
/// Longest name of an artifact, a DNS label.
const MAX_LABEL: usize = 63;

/// Runs the command.
#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the outcome, and a hint beside it"
)]
pub(super) async fn run(args: &OrderCreate) -> Result<Exit, Failure> {
    let order = order(args)
        .map_err(|(message, hint)| Failure::new(Exit::WrongInput, message).hint(hint))?;
    let name = order.metadata.name.clone().unwrap_or_default();
    if args.dry_run {
        print!("{}", crate::yaml::write(&manifest(&order, args)).map_err(unwritable)?);
        return Ok(Exit::Done);
    }
    let cluster = Cluster::connect(&args.place).await?;
    let verb = create(&cluster, &name, &order).await?;
    println!("order {}/{name} {verb}", cluster.namespace);
    if args.watch {
        return watch::follow(&cluster, &name, None).await;
    }
    eprintln!("hint: `arc order watch {name} -n {}` follows it", cluster.namespace);
    Ok(Exit::Done)
}

/// Creates the order; the same order a second time is no mistake.
async fn create(cluster: &Cluster, name: &str, order: &Order) -> Result<&'static str, Failure> {
    let orders: Api<Order> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    match orders.create(&PostParams::default(), order).await {
        Ok(_) => Ok("created"),
        Err(kube::Error::Api(status)) if status.is_already_exists() => {
            let found = orders.get(name).await.map_err(|error| failed("read the order", &error))?;
            if found.spec == order.spec {
                return Ok("exists already, unchanged");
            }
            let message = format!(
                "namespace {:?} has an order {name:?} that says something else",
                cluster.namespace
            );
            Err(Failure::new(Exit::WrongInput, message)
                .hint("choose another --name, or change that one with kubectl"))
        }
        Err(error) => Err(failed("create the order", &error)),
    }
}

/// The order as a manifest, without what only a server knows.
fn manifest(order: &Order, args: &OrderCreate) -> Value {
    let mut metadata = json!({"name": order.metadata.name});
    if let Some(namespace) = &args.place.namespace {
        metadata["namespace"] = namespace.clone().into();
    }
    json!({
        "apiVersion": <Order as kube::Resource>::api_version(&()),
        "kind": <Order as kube::Resource>::kind(&()),
        "metadata": metadata,
        "spec": order.spec,
    })
}

/// What is wrong, and what to do.
type Problem = (String, &'static str);

fn order(args: &OrderCreate) -> Result<Order, Problem> {
    if let Some(ttl) = args.ttl.as_deref().filter(|ttl| arc_core::duration::parse(ttl).is_none()) {
        return Err((format!("--ttl {ttl:?} is no duration"), "write it as 90m or 72h"));
    }
    let mut names = BTreeSet::new();
    let artifacts = args
        .artifacts
        .iter()
        .map(|text| artifact(text, args, &mut names))
        .collect::<Result<Vec<_>, _>>()?;
    let reference = |name: &str| Some(LocalObjectReference { name: name.to_owned() });
    let cron =
        (!args.cron.is_empty()).then(|| Cron { schedules: args.cron.clone(), ..Cron::default() });
    let defaults =
        OrderDefaults { src_ref: reference(&args.from), dst_ref: reference(&args.to), cron };
    let spec = OrderSpec {
        defaults: Some(defaults),
        artifacts,
        ttl: args.ttl.clone(),
        ..OrderSpec::default()
    };
    let name = args.name.clone().unwrap_or_else(|| derived_name(&args.artifacts[0], &spec));
    Ok(Order::new(&name, spec))
}

fn artifact(
    text: &str,
    args: &OrderCreate,
    names: &mut BTreeSet<String>,
) -> Result<OrderArtifact, Problem> {
    let (repository, tag) = split(text);
    if repository.is_empty() || tag == Some("") {
        let hint = "write it as REPOSITORY:TAG, such as library/alpine:3.18 or library/alpine:'>3.18 <3.20'";
        return Err((format!("{text:?} does not say what to deliver"), hint));
    }
    let mut spec = Map::new();
    spec.insert("repository".to_owned(), repository.into());
    spec.extend(tag.map(|tag| ("tag".to_owned(), Value::from(tag))));
    spec.extend(args.override_.as_ref().map(|to| ("override".to_owned(), to.as_str().into())));
    // A name only where it is one; others are called by their place.
    let name = stem(repository, MAX_LABEL);
    let name = (!name.is_empty() && names.insert(name.clone())).then_some(name);
    Ok(OrderArtifact {
        name,
        type_: args.type_.clone(),
        spec: Some(spec),
        ..OrderArtifact::default()
    })
}

/// Splits what was typed into repository and tag, constraint or digest.
fn split(text: &str) -> (&str, Option<&str>) {
    if let Some((repository, digest)) = text.split_once('@') {
        return (repository, Some(digest));
    }
    match text.rsplit_once(':') {
        // A colon before a slash is a port, which no repository has; the server will say so.
        Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
        _ => (text, None),
    }
}

/// The last part of a repository as the beginning of a DNS label.
fn stem(repository: &str, longest: usize) -> String {
    let last = repository.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let plain: String = last
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(longest)
        .collect();
    plain.trim_matches('-').to_owned()
}

/// The same words give the same name, so that typing a command twice makes one order.
fn derived_name(first: &str, spec: &OrderSpec) -> String {
    let stem = stem(split(first).0, MAX_STEM);
    let stem = if stem.is_empty() { "order".to_owned() } else { stem };
    let digest = Digest::sha256(json!(spec).to_string().as_bytes()).to_string();
    let hex = digest.split_once(':').map_or(digest.as_str(), |(_, hex)| hex);
    format!("{stem}-{}", &hex[..HASH_DIGITS])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Place;

    fn args(artifacts: &[&str]) -> OrderCreate {
        OrderCreate {
            artifacts: artifacts.iter().map(|text| (*text).to_owned()).collect(),
            type_: "oci".to_owned(),
            from: "hub".to_owned(),
            to: "internal".to_owned(),
            name: None,
            override_: None,
            cron: Vec::new(),
            ttl: None,
            dry_run: true,
            watch: false,
            place: Place { namespace: Some("team-a".to_owned()), kubeconfig: None, context: None },
        }
    }

    #[test]
    fn what_is_typed_becomes_repository_and_tag() {
        for (text, expected) in [
            ("library/alpine:3.18", ("library/alpine", Some("3.18"))),
            ("library/alpine:>3.18 <3.20", ("library/alpine", Some(">3.18 <3.20"))),
            ("library/alpine", ("library/alpine", None)),
            ("a@sha256:00", ("a", Some("sha256:00"))),
            ("host:5000/a", ("host:5000/a", None)),
        ] {
            assert_eq!(split(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_same_words_make_the_same_order() {
        let (one, two) =
            (order(&args(&["library/alpine:3.18"])), order(&args(&["library/alpine:3.18"])));
        assert_eq!(one, two);
        let other = order(&args(&["library/alpine:3.19"])).unwrap();
        let name = one.unwrap().metadata.name.unwrap();
        assert!(name.starts_with("alpine-"), "{name}");
        assert_ne!(other.metadata.name.unwrap(), name);
    }

    #[test]
    fn two_artifacts_of_one_last_part_do_not_share_a_name() {
        let order = order(&args(&["a/app:1", "b/app:1"])).unwrap();
        let names: Vec<_> = order.spec.artifacts.into_iter().map(|one| one.name).collect();
        assert_eq!(names, [Some("app".to_owned()), None]);
    }

    #[test]
    fn what_cannot_be_ordered_is_refused() {
        for text in ["", ":3", "alpine:"] {
            assert!(order(&args(&[text])).is_err(), "{text:?}");
        }
        assert!(order(&OrderCreate { ttl: Some("soon".to_owned()), ..args(&["a:1"]) }).is_err());
    }

    #[test]
    fn the_manifest_is_what_kubectl_applies() {
        let args = OrderCreate { name: Some("n".to_owned()), ..args(&["library/alpine:3.18"]) };
        assert_eq!(
            manifest(&order(&args).unwrap(), &args),
            json!({
                "apiVersion": "arc.opendefense.cloud/v1alpha1",
                "kind": "Order",
                "metadata": {"name": "n", "namespace": "team-a"},
                "spec": {
                    "defaults": {"srcRef": {"name": "hub"}, "dstRef": {"name": "internal"}},
                    "artifacts": [{"name": "alpine", "type": "oci", "spec": {"repository": "library/alpine", "tag": "3.18"}}],
                },
            })
        );
    }
}
