//! The template that ARC's documentation starts from can be read as it is: anchors, scripts, claims and all.

use std::collections::BTreeMap;

use arc_engine::{Library, TemplateSource};

use crate::harness::Case;

const SEED: &str = include_str!("../templates/seed.yaml");

fn library() -> Library {
    let source = TemplateSource { file: "seed.yaml".to_owned(), text: SEED.to_owned() };
    Library::parse(&[source]).unwrap()
}

#[test]
fn the_seed_declares_its_parameters() {
    let expected: BTreeMap<String, Option<String>> = [
        ("dstRemoteURL", None),
        ("dstSecret", None),
        ("scanSeverity", None),
        ("specOverride", Some("")),
        ("specRepository", None),
        ("specTag", None),
        ("srcRemoteURL", None),
        ("srcSecret", None),
    ]
    .map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
    .into();
    assert_eq!(library().parameters("oci-image-pipeline", true), Some(expected));
    assert_eq!(library().parameters("oci-image-pipeline", false), None);
    assert_eq!(library().names().collect::<Vec<_>>(), [("oci-image-pipeline", true)]);
}

/// The workflow as ARC makes it for the seed.
fn case() -> Case {
    let mut case = Case::new("")
        .parameter("srcRemoteURL", "src.example")
        .parameter("srcSecret", "true")
        .parameter("dstRemoteURL", "dst.example")
        .parameter("dstSecret", "false")
        .parameter("specRepository", "library/alpine")
        .parameter("specTag", ">3.18.0 < 3.19.0")
        .parameter("scanSeverity", "HIGH,CRITICAL")
        .secret("s", "password", "x");
    SEED.clone_into(&mut case.sources[0].text);
    let reference = case.workflow.spec.workflow_template_ref.as_mut().unwrap();
    "oci-image-pipeline".clone_into(&mut reference.name);
    case.workflow.spec.volumes = serde_json::from_str(
        r#"[{"name": "src-secret-vol", "secret": {"secretName": "s"}}, {"name": "dst-secret-vol", "emptyDir": {}}]"#,
    )
    .unwrap();
    let bundle = BTreeMap::from([("trust-bundle.pem".to_owned(), b"pem".to_vec())]);
    case.objects.config_maps.insert("root-bundle".to_owned(), bundle);
    case
}

#[test]
fn the_seed_is_ready_to_run_where_its_images_can_run() {
    assert_eq!(case().problems(), []);
    let mut case = case();
    case.programs.container_runtime = None;
    let images: Vec<String> = case.problems().into_iter().map(|problem| problem.message).collect();
    assert_eq!(images.len(), 5, "{images:#?}");
    assert_eq!(
        images[0],
        "container \"main\": image \"quay.io/skopeo/stable:latest\" needs podman or docker, and neither was found"
    );
}

#[tokio::test]
async fn the_steps_of_the_seed_share_its_claim_and_see_its_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = case().run(folder.path()).await;
    assert_eq!(
        outcome.lines(),
        [
            "Succeeded w",
            "Retry Succeeded w",
            "Steps Succeeded w(0)",
            "StepGroup Succeeded w(0)[0]",
            "Retry Succeeded w(0)[0].authenticate-registries",
            "Pod Succeeded w(0)[0].authenticate-registries(0)",
            "StepGroup Succeeded w(0)[1]",
            "Retry Succeeded w(0)[1].check-src-availability",
            "Pod Succeeded w(0)[1].check-src-availability(0)",
            "StepGroup Succeeded w(0)[2]",
            "Skipped Skipped w(0)[2].retrieve-tags: when 'available == 'unavailable'' evaluated false",
            "StepGroup Succeeded w(0)[3]",
            "Retry Succeeded w(0)[3].compute-images",
            "Pod Succeeded w(0)[3].compute-images(0)",
            "StepGroup Succeeded w(0)[4]",
            "Retry Succeeded w(0)[4].sign-image",
            "Pod Succeeded w(0)[4].sign-image(0)",
        ]
    );
    let said: Vec<&str> = outcome.logs();
    assert_eq!(
        said,
        [
            "login to src.example with x",
            "available",
            "src.example/library/alpine:>3.18.0 < 3.19.0",
            "sign dst.example/library/alpine",
        ]
    );
}
