//! What re-runs what: the tables of `docs/operations/re-runs.md` are what the code does.
//!
//! `UPDATE_GOLDEN=1 cargo test -p arc-core` rewrites the file; the review reads the difference.
#![expect(
    clippy::disallowed_methods,
    reason = "the page is a file; only the core itself may not read any"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use arc_api::{
    ArtifactType, ArtifactTypeSpec, Cron, Endpoint, EndpointSpec, LocalObjectReference, Order,
    OrderArtifact, OrderSpec, Parameter, Phase, WorkflowTemplateRef, argo, labels,
};
use arc_core::{Fetched, TemplateParameters, plan, surplus, validate};
use kube::ResourceExt;
use serde_json::json;

use crate::world::{World, time};

/// What happens, as the page says it, and how a test makes it happen.
type Event = (&'static str, fn(&mut World));

/// Where a delivery stands, as the page says it, and how a test brings it there.
type State = (&'static str, fn() -> World);

const SUCCEEDED: argo::Phase = argo::Phase::Succeeded;
const FAILED: argo::Phase = argo::Phase::Failed;

/// Where a delivery can stand when something happens.
const STATES: [State; 5] = [
    ("Not begun", World::new),
    ("Running", || {
        let mut world = World::new();
        world.pass();
        world.now += 10;
        world
    }),
    ("Succeeded", || World::run_to(SUCCEEDED)),
    ("Failed", || World::run_to(FAILED)),
    ("Stopped", World::stopped),
];

const EVENTS: [Event; 15] = [
    ("nothing", |_| {}),
    ("`force-at`, a moment of the past", |world| world.annotate_order(labels::FORCE_AT, world.now)),
    ("`force-at`, a moment to come", |world| {
        world.annotate_order(labels::FORCE_AT, world.now + 100);
    }),
    ("`force-at` from before the attempt", |world| {
        world.annotate_order(labels::FORCE_AT, crate::world::BEGIN - 1);
    }),
    ("`retry-failed`, a moment of the past", |world| {
        world.annotate_order(labels::RETRY_FAILED, world.now);
    }),
    ("`retry-failed`, a moment to come", |world| {
        world.annotate_order(labels::RETRY_FAILED, world.now + 100);
    }),
    ("`stop-at`, a moment of the past", |world| {
        world.annotate_order(labels::STOP_AT, world.now - 1);
    }),
    ("`stop-at`, a moment to come", |world| {
        world.annotate_order(labels::STOP_AT, world.now + 100);
    }),
    ("a Secret has new contents", |world| {
        world.secrets.insert("quay".to_owned(), "2".to_owned());
    }),
    ("a Secret is deleted", |world| world.secrets.clear()),
    ("the order is suspended", |world| world.order().spec.suspend = true),
    ("the order is suspended, and `force-at`", |world| {
        world.order().spec.suspend = true;
        world.annotate_order(labels::FORCE_AT, world.now);
    }),
    ("another order brings the same thing", |world| world.rival = Some("other")),
    ("its Argo workflow is deleted by hand", |world| world.workflows.clear()),
    ("the order is deleted, or its `ttl` is over", |world| {
        world.order().metadata.deletion_timestamp = Some(time(world.now));
    }),
];

/// What ARC does about it, in the words of the page.
fn outcome(state: fn() -> World, event: fn(&mut World)) -> String {
    let mut world = state();
    let before = world.summary();
    let was_under_way = !world.under_way().is_empty();
    event(&mut world);
    let actions = world.pass();
    world.assert_quiet("the table");
    if actions.create.is_some() {
        let is_replacement = before.0 == Phase::Running && before.2 > 0;
        return if is_replacement { "reported and replaced" } else { "**attempt**" }.to_owned();
    }
    if !actions.stop.is_empty() {
        return "stopped".to_owned();
    }
    let after = world.summary();
    if after != before {
        return format!("`{}`, `{}`", after.0, after.1);
    }
    if was_under_way {
        world.now += 200;
        if !world.pass().stop.is_empty() {
            return "stopped at that moment".to_owned();
        }
        world.end(SUCCEEDED);
        return match world.pass().create {
            Some(_) => "**attempt** when it has ended",
            None => "goes on",
        }
        .to_owned();
    }
    if let Some(at) = actions.look_again.filter(|at| *at <= time(world.now + 100).0) {
        world.now = at.as_second();
        assert!(world.pass().create.is_some(), "what it looks again for is an attempt");
        return "**attempt** at that moment".to_owned();
    }
    "–".to_owned()
}

fn attempts(page: &mut String) {
    let names: Vec<&str> = STATES.iter().map(|(name, _)| *name).collect();
    writeln!(page, "| What happens | {} |", names.join(" | ")).unwrap();
    writeln!(page, "|---|{}", "---|".repeat(STATES.len())).unwrap();
    for (name, event) in EVENTS {
        let cells = STATES.map(|(_, state)| outcome(state, event));
        writeln!(page, "| {name} | {} |", cells.join(" | ")).unwrap();
    }
}

/// An order and what it refers to.
struct Wish {
    order: Order,
    fetched: Fetched,
}

impl Wish {
    fn new() -> Self {
        let endpoint = |name: &str| {
            let spec = EndpointSpec {
                type_: "oci".to_owned(),
                remote_url: format!("{name}.example"),
                secret_ref: Some(LocalObjectReference::new(name)),
                ..EndpointSpec::default()
            };
            (name.to_owned(), Endpoint::new(name, spec))
        };
        let oci = ArtifactTypeSpec {
            parameters: vec![Parameter::new("scanSeverity", "HIGH")],
            workflow_template_ref: WorkflowTemplateRef {
                name: "p".to_owned(),
                cluster_scope: false,
            },
            ..ArtifactTypeSpec::default()
        };
        let declared = [("dryRun".to_owned(), Some("false".to_owned()))];
        let template = TemplateParameters { parameters: declared.into() };
        let templates = ["p", "q"].map(|name| (name.to_owned(), template.clone()));
        let secrets = ["a", "b", "c"].map(str::to_owned);
        let fetched = Fetched {
            endpoints: [endpoint("a"), endpoint("b")].into(),
            artifact_types: [("oci".to_owned(), ArtifactType::new("oci", oci))].into(),
            secrets: secrets.into(),
            workflow_templates: templates.into(),
            ..Fetched::default()
        };
        let artifact = OrderArtifact {
            name: Some("alpine".to_owned()),
            type_: "oci".to_owned(),
            src_ref: Some(LocalObjectReference::new("a")),
            dst_ref: Some(LocalObjectReference::new("b")),
            spec: json!({ "repository": "library/alpine", "tag": "3.18" }).as_object().cloned(),
            ..OrderArtifact::default()
        };
        let spec = OrderSpec { artifacts: vec![artifact], ..OrderSpec::default() };
        let mut order = Order::new("demo", spec);
        order.metadata.uid = Some("order".to_owned());
        Self { order, fetched }
    }

    fn artifact(&mut self) -> &mut OrderArtifact {
        &mut self.order.spec.artifacts[0]
    }

    fn quay(&mut self) -> &mut EndpointSpec {
        &mut self.fetched.endpoints.get_mut("a").unwrap().spec
    }

    fn oci(&mut self) -> &mut ArtifactTypeSpec {
        &mut self.fetched.artifact_types.get_mut("oci").unwrap().spec
    }
}

type Change = (&'static str, fn(&mut Wish));

const CHANGES: [Change; 18] = [
    ("the artifact's `spec`: a value", |wish| {
        _ = wish.artifact().spec.as_mut().unwrap().insert("tag".to_owned(), json!("3.19"));
    }),
    ("the artifact's `spec`: order of keys, white space", |wish| {
        let spec = wish.artifact().spec.take().unwrap();
        wish.artifact().spec = Some(spec.into_iter().rev().collect());
    }),
    ("the artifact's name, or its place in the list", |wish| wish.artifact().name = None),
    ("another endpoint as source or destination", |wish| {
        wish.artifact().src_ref = Some(LocalObjectReference::new("b"));
    }),
    ("an endpoint's `type`", |wish| "other".clone_into(&mut wish.quay().type_)),
    ("an endpoint's `remoteURL`", |wish| "other.example".clone_into(&mut wish.quay().remote_url)),
    ("an endpoint's `secretRef`: another Secret", |wish| {
        wish.quay().secret_ref = Some(LocalObjectReference::new("c"));
    }),
    ("an endpoint's `caBundle` or `insecureSkipVerify`", |wish| {
        wish.quay().insecure_skip_verify = true;
    }),
    ("an endpoint's `usage`, still allowing it", |wish| {
        wish.quay().usage = arc_api::Usage::PullOnly;
    }),
    ("the artifact type's `parameters`", |wish| {
        "LOW".clone_into(&mut wish.oci().parameters[0].value);
    }),
    ("the artifact type's `workflowTemplateRef`", |wish| {
        "q".clone_into(&mut wish.oci().workflow_template_ref.name);
    }),
    ("the artifact type's `ttlAfterFinished`, `ttlAfterFailed`", |wish| {
        wish.oci().ttl_after_finished = Some("1h".to_owned());
    }),
    ("what is inside the workflow template", |wish| {
        let template = wish.fetched.workflow_templates.get_mut("p").unwrap();
        _ = template.parameters.insert("new".to_owned(), Some("default".to_owned()));
    }),
    ("`dryRun`", |wish| wish.order.spec.dry_run = true),
    ("`cron`", |wish| {
        wish.artifact().cron =
            Some(Cron { schedules: vec!["@daily".to_owned()], ..Cron::default() });
    }),
    ("`ttl` or `suspend` of the order", |wish| {
        wish.order.spec.ttl = Some("1h".to_owned());
        wish.order.spec.suspend = true;
    }),
    ("labels and annotations of the order", |wish| {
        wish.order.labels_mut().insert("a".to_owned(), "b".to_owned());
        wish.order.annotations_mut().insert("a".to_owned(), "b".to_owned());
    }),
    ("a reference that does not exist any more", |wish| {
        _ = wish.fetched.endpoints.remove("b");
    }),
];

/// What becomes of a delivery in this phase once `change` has happened.
fn fate(change: fn(&mut Wish), phase: Phase) -> &'static str {
    let mut wish = Wish::new();
    let planned = |wish: &Wish| plan(&wish.order, &validate(&wish.order, &wish.fetched));
    let before = planned(&wish).deliveries.remove(0);
    let mut existing = before.artifact_workflow.clone();
    existing.metadata.creation_timestamp = Some(time(crate::world::BEGIN));
    existing.status = Some(arc_api::ArtifactWorkflowStatus {
        phase: Some(phase),
        attempt: 1,
        ..arc_api::ArtifactWorkflowStatus::default()
    });
    change(&mut wish);
    let after = planned(&wish);
    let is_same = after.deliveries.iter().any(|delivery| delivery.name() == before.name());
    let goes = !surplus(&[&existing], &after).is_empty();
    match (is_same, after.deliveries.is_empty(), goes) {
        (true, _, false) | (false, true, false) => "stays",
        (true, _, true) => "**made anew**",
        (false, false, true) => "**another**; this one is stopped",
        (false, false, false) => "**another**; this one stays as a record",
        (false, true, true) => "deleted",
    }
}

fn deliveries(page: &mut String) {
    page.push_str("| What changes | Running | Succeeded | Failed |\n|---|---|---|---|\n");
    for (name, change) in CHANGES {
        let [running, succeeded, failed] =
            [Phase::Running, Phase::Succeeded, Phase::Failed].map(|phase| fate(change, phase));
        writeln!(page, "| {name} | {running} | {succeeded} | {failed} |").unwrap();
    }
}

const HEAD: &str = "\
# What re-runs what

<!-- Written by crates/core/tests/it/reruns.rs, which also holds it equal to the code: UPDATE_GOLDEN=1 cargo test -p arc-core -->

An **ArtifactWorkflow** is one delivery: the lasting record of one artifact of one order.
An Argo **Workflow** is one attempt of it.
The first attempt has the name of the record, the N-th is called `<record>-<N>`; the status of the record shows the latest and remembers up to ten before.

## Another delivery

A delivery is named after what decides it.
When an order, or something it refers to, changes so that another thing is wished for, ARC makes another ArtifactWorkflow; one that exists is never changed.

";

const MIDDLE: &str = "
- A delivery that the order no longer wishes for is stopped if it has not ended. The newest ten that have ended stay as records as long as the order.
- *Made anew*: the record of a failure is replaced by one with the new credentials or certificates, so the delivery is tried again. A success is not touched.
- What belongs to an artifact that is held by a problem stays as it is: a broken reference stops no work under way.

## Another attempt

Annotations are Unix seconds, on the order for all its artifacts or on one ArtifactWorkflow: `kubectl annotate --overwrite order/demo arc.opendefense.cloud/force-at=$(date +%s)`.
Something is done again when the moment has come and the latest attempt was submitted before it, so every value works once.

";

const TAIL: &str = "
- A stop is for what was submitted up to its moment. What was stopped starts again only by `force-at` or `retry-failed`, never by new credentials.
- No attempt begins while another one of the same delivery is under way.
- A workflow that vanishes is replaced three times in a row; the fourth time the delivery fails with `WorkflowNotFound`.
- A delivery with a schedule follows the same table for extra runs between those of its schedule; a run that vanishes is not replaced, because the schedule goes on.
- Two orders of a namespace that want the same thing in the same place: the one that was there first brings it, the other waits with `SameDeliveryRunning` and then finds it delivered.

## How long things stay

- An Argo Workflow stays for `ttlAfterFinished` or `ttlAfterFailed` of the artifact type after its end, at least a minute and only until then; where the type says nothing, the controller's options count (10 minutes, 24 hours).
- The ArtifactWorkflow stays as long as its order, with steps, digests, scan counts, and digests of signature and attestations.
- An order with a `ttl` is deleted that long after its creation, with everything made for it.
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    deliveries(&mut page);
    page.push_str(MIDDLE);
    attempts(&mut page);
    page.push_str(TAIL);
    page
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations/re-runs.md")
}

#[test]
fn the_page_says_what_the_code_does() {
    let page = page();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path().parent().unwrap()).unwrap();
        std::fs::write(path(), &page).unwrap();
    }
    let found = std::fs::read_to_string(path()).unwrap_or_default();
    assert!(found == page, "docs/operations/re-runs.md is out of date; ARC now does:\n{page}");
}

/// The promises of the page that matter most, whatever the page says.
#[test]
fn a_success_is_repeated_by_force_alone_and_a_stop_is_undone_by_people_alone() {
    for (name, event) in EVENTS {
        let repeats = |state: fn() -> World| outcome(state, event).starts_with("**attempt**");
        let is_forced = name.starts_with("`force-at`, ");
        assert_eq!(repeats(|| World::run_to(SUCCEEDED)), is_forced, "{name}");
        let is_asked_for = is_forced || name.starts_with("`retry-failed`, ");
        assert_eq!(repeats(World::stopped), is_asked_for, "{name}");
        let is_repaired = is_asked_for || name == "a Secret has new contents";
        assert_eq!(repeats(|| World::run_to(FAILED)), is_repaired, "{name}");
    }
}
