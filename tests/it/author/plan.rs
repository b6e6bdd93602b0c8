//! What would be created, and where each parameter comes from.

use serde_json::Value;

use super::{Desk, ENDPOINTS, ORDER, TYPE, golden};

fn desk(order: &str) -> Desk {
    Desk::new(&[("m/a.yaml", ENDPOINTS), ("m/b.yaml", TYPE), ("m/c.yaml", order)])
}

#[tokio::test]
async fn a_plan_shows_the_layers_and_what_they_replace() {
    golden("plan.txt", &desk(ORDER).arc(&["plan", "-f", "m"], 0).await.stdout);
}

#[tokio::test]
async fn a_plan_is_exactly_what_would_be_created() {
    let desk = desk(ORDER);
    let yaml = desk.arc(&["plan", "-f", "m", "-o", "yaml"], 0).await.stdout;
    golden("plan.yaml", &yaml);
    let json = desk.arc(&["plan", "-f", "m", "-o", "json"], 0).await.stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    let documents: Vec<Value> = serde_saphyr::from_multiple(&yaml).unwrap();
    let workflows = json["orders"][0]["workflows"].as_array().unwrap();
    let objects: Vec<_> = workflows.iter().map(|one| one["workflow"].clone()).collect();
    assert_eq!(objects, documents);
    let kinds: Vec<_> = objects.iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["Workflow", "CronWorkflow"]);
    let parameters = workflows[0]["parameters"].as_array().unwrap();
    let of = |name: &str| parameters.iter().find(|one| one["name"] == name).unwrap();
    assert_eq!(
        *of("specOverride"),
        serde_json::json!({
            "name": "specOverride",
            "value": "mirror/app",
            "from": "artifact type",
            "insteadOf": [{"from": "artifact", "value": "mine/app"}],
        })
    );
    assert_eq!(of("scanDatabase")["from"], "template's default");
}

#[tokio::test]
async fn what_is_held_is_listed_with_its_problems_and_the_rest_is_planned() {
    let desk = desk(&ORDER.replace("tag: \"1.0\"", "tga: \"1.0\""));
    let said = desk.arc(&["plan", "-f", "m"], 2).await.stdout;
    let (_, held) = said.split_once("\n\nartifact \"app\" is held:\n").unwrap();
    assert_eq!(
        held,
        "  spec.artifacts[0].spec: `tag` is missing; so says artifact type \"oci\" [InvalidSpec]
  hint: add `tag`
  spec.artifacts[0].spec.tga: \"tga\" is not a field that is known here; so says artifact type \"oci\" [InvalidSpec]
  hint: did you mean `tag`?
"
    );
    assert!(said.starts_with("order team-a/demo: 1 workflow, 1 held\n"), "{said}");
    let yaml = desk.arc(&["plan", "-f", "m", "-o", "yaml"], 2).await;
    assert!(yaml.stdout.starts_with("apiVersion: argoproj.io/v1alpha1\n"), "{}", yaml.stdout);
    assert!(yaml.stderr.starts_with("order team-a/demo: artifact \"app\" is held:\n"));
}

#[tokio::test]
async fn a_suspended_order_and_an_unknown_one_are_said_to_be_so() {
    let desk = desk(&ORDER.replace("  artifacts:", "  suspend: true\n  artifacts:"));
    let said = desk.arc(&["plan", "-f", "m"], 0).await.stdout;
    assert!(said.contains("\n  not at once: Suspended\n"), "{said}");
    let said = desk.arc(&["plan", "-f", "m", "--order", "other"], 2).await.stderr;
    assert_eq!(said, "error: no order is called \"other\"\nhint: the orders are team-a/demo\n");
}
