//! `arc lint`, `arc plan` and `arc schema`, as somebody who writes manifests types them.

mod help;
mod live;
mod plan;
mod schema;

use std::fs;
use std::path::{Path, PathBuf};

use arc_tests::arc::{Arc, Finished};

const ENDPOINTS: &str = "apiVersion: arc.opendefense.cloud/v1alpha1
kind: Endpoint
metadata: {name: quay, namespace: team-a}
spec: {type: oci, remoteURL: quay.example, usage: PullOnly}
---
apiVersion: arc.opendefense.cloud/v1alpha1
kind: Endpoint
metadata: {name: harbor, namespace: team-a}
spec: {type: oci, remoteURL: harbor.example, usage: PushOnly, secretRef: {name: harbor-credentials}}
";
const TYPE: &str = "apiVersion: arc.opendefense.cloud/v1alpha1
kind: ClusterArtifactType
metadata: {name: oci}
spec:
  parameters:
    - {name: scanSeverity, value: MEDIUM}
    - {name: specOverride, value: mirror/app}
  specSchema:
    type: object
    required: [repository, tag]
    properties:
      repository: {type: string}
      tag: {type: string}
      override: {type: string}
  workflowTemplateRef: {name: oci-image-pipeline}
";
const ORDER: &str = "apiVersion: arc.opendefense.cloud/v1alpha1
kind: Order
metadata: {name: demo, namespace: team-a}
spec:
  defaults:
    srcRef: {name: quay}
    dstRef: {name: harbor}
  artifacts:
    - {name: app, type: oci, spec: {repository: app, tag: \"1.0\", override: mine/app}}
    - {name: nightly, type: oci, spec: {repository: app, tag: \"1.1\"}, cron: {schedules: [\"0 3 * * *\"]}}
";

/// A folder of manifests, and the program in it.
struct Desk {
    arc: Arc,
}

impl Desk {
    fn new(files: &[(&str, &str)]) -> Self {
        let arc = Arc::new(env!("CARGO_BIN_EXE_arc-under-test"));
        for (name, text) in files {
            let path = arc.home().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self { arc }
    }

    async fn arc(&self, args: &[&str], code: i32) -> Finished {
        self.arc.run(args).await.expect_code(code)
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Compares with a file beside this one; `UPDATE_GOLDEN=1` writes it instead.
#[track_caller]
fn golden(name: &str, found: &str) {
    let path = root().join("tests/it/author").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, found).unwrap();
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "{name} differs; UPDATE_GOLDEN=1 rewrites it");
}

#[tokio::test]
async fn a_clean_folder_is_said_to_be_clean() {
    let desk = Desk::new(&[("a.yaml", ENDPOINTS), ("b.yaml", TYPE), ("c.yaml", ORDER)]);
    assert_eq!(desk.arc(&["lint"], 0).await.stdout, "3 files checked, nothing is wrong\n");
    let examples = root().join("examples/quickstart");
    desk.arc(&["lint", "-f", examples.to_str().unwrap(), "--strict"], 0).await;
    let templates = root().join("workflow-templates");
    desk.arc(&["lint", "-f", templates.to_str().unwrap(), "--strict"], 0).await;
}

#[tokio::test]
async fn findings_are_printed_for_people_machines_and_code_hosts() {
    let wrong =
        ORDER.replace("tag: \"1.0\"", "tga: \"1.0\"").replace("kind: Order", "kind: Order ");
    let desk = Desk::new(&[("a.yaml", ENDPOINTS), ("b.yaml", TYPE), ("orders/c d.yaml", &wrong)]);
    let args = ["lint", "-f", "a.yaml", "-f", "./b.yaml", "-f", "orders"];
    golden("lint.txt", &desk.arc(&args, 2).await.stdout);
    let json = desk.arc(&[&args[..], &["-o", "json"]].concat(), 2).await.stdout;
    golden("lint.json", &json);
    let sarif = desk.arc(&[&args[..], &["-o", "sarif"]].concat(), 2).await.stdout;
    let sarif: serde_json::Value = serde_json::from_str(&sarif).unwrap();
    golden("lint.sarif.json", &format!("{:#}\n", sarif["runs"][0]["results"]));
}

#[tokio::test]
async fn warnings_end_well_unless_they_may_not() {
    let plain = ENDPOINTS.replace("quay.example", "http://quay.example");
    let desk = Desk::new(&[("a.yaml", &plain)]);
    let said = desk.arc(&["lint", "-f", "a.yaml"], 0).await.stdout;
    assert!(said.ends_with("\n1 file checked: 1 warning\n"), "{said}");
    desk.arc(&["lint", "-f", "a.yaml", "--strict"], 2).await;
}

#[tokio::test]
async fn what_cannot_be_read_is_said_without_a_stack_trace() {
    let desk = Desk::new(&[("a.yaml", "a: [\n"), ("empty/README.md", "")]);
    let said = desk.arc(&["lint", "-f", "a.yaml"], 2).await.stdout;
    assert!(said.starts_with("a.yaml:1:4: error: invalid YAML: "), "{said}");
    let said = desk.arc(&["lint", "-f", "none.yaml"], 2).await.stderr;
    assert!(said.starts_with("error: failed to read \"none.yaml\": "), "{said}");
    let said = desk.arc(&["lint", "-f", "empty"], 2).await.stderr;
    assert_eq!(said, "error: \"empty\" holds no .yaml, .yml or .json file\n");
}
