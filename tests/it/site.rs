//! A customer's site: two registries, an order and its manifests in a folder, and the `arc` binary.

use std::fs;
use std::path::{Path, PathBuf};

use arc_evidence::KeyFiles;
use arc_tests::arc::{Arc, Finished};
use arc_tests::images::{self, Content};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The namespace of everything.
pub(crate) const NAMESPACE: &str = "team-a";

/// One side of a delivery.
#[derive(Debug, Clone, Default)]
pub(crate) struct Side {
    /// URL of the endpoint.
    pub(crate) url: String,
    /// PEM certificates to trust.
    pub(crate) ca: Option<String>,
    /// Whether the harness's account is given.
    pub(crate) account: bool,
}

impl Side {
    pub(crate) fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }
}

/// The site.
pub(crate) struct Site {
    pub(crate) arc: Arc,
    folder: TempDir,
    keys: KeyFiles,
}

impl Site {
    /// Writes endpoints, type, a new key and secrets for a source and a destination.
    pub(crate) fn new(source: &Side, destination: &Side) -> Self {
        Self::with_keys(source, destination, KeyFiles::generate(b"site").unwrap())
    }

    /// The same with a key that exists already.
    pub(crate) fn with_keys(source: &Side, destination: &Side, keys: KeyFiles) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let arc = Arc::new(env!("CARGO_BIN_EXE_arc-under-test"));
        let site = Self { arc, folder, keys };
        fs::create_dir_all(site.manifests()).unwrap();
        fs::write(site.public_key(), site.keys.public.as_deref().unwrap()).unwrap();
        site.write(
            "endpoints",
            &[
                endpoint("source", "PullOnly", source),
                endpoint("destination", "PushOnly", destination),
            ],
        );
        site.write_type(&[]);
        site.write("secrets", &[site.key_secret(), account_secret()]);
        site
    }

    /// Writes the artifact type, with further parameters.
    pub(crate) fn write_type(&self, parameters: &[(&str, &str)]) {
        let mut all =
            vec![("scanSeverity", "HIGH,CRITICAL".to_owned()), ("scanDatabase", advisories())];
        for (name, value) in parameters {
            all.retain(|(known, _)| known != name);
            all.push((name, (*value).to_owned()));
        }
        let parameters: Vec<_> =
            all.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let kind = json!({
            "apiVersion": "arc.opendefense.cloud/v1alpha1",
            "kind": "ClusterArtifactType",
            "metadata": {"name": "oci"},
            "spec": {
                "rules": {"srcTypes": ["oci"], "dstTypes": ["oci"]},
                "parameters": parameters,
                "workflowTemplateRef": {"name": "oci-image-pipeline"},
            },
        });
        self.write("type", &[kind]);
    }

    /// Makes the pipeline three pods that share no secret.
    pub(crate) fn isolate(&self) {
        let path = self.manifests().join("type.json");
        let text = fs::read_to_string(&path)
            .unwrap()
            .replace("oci-image-pipeline", "oci-image-pipeline-isolated");
        fs::write(path, text).unwrap();
    }

    /// Writes the order: artifacts by name with their `spec`.
    pub(crate) fn order(&self, artifacts: &[(&str, Value)]) {
        let artifacts: Vec<_> = artifacts
            .iter()
            .map(|(name, spec)| json!({"name": name, "type": "oci", "spec": spec}))
            .collect();
        let order = json!({
            "apiVersion": "arc.opendefense.cloud/v1alpha1",
            "kind": "Order",
            "metadata": {
                "name": "order", "namespace": NAMESPACE,
                "uid": "0b0e7e9d-5f5a-4d43-9d54-0f1c1f5a1d11",
                "creationTimestamp": "2026-11-20T12:00:00Z",
            },
            "spec": {"defaults": {"srcRef": {"name": "source"}, "dstRef": {"name": "destination"}}, "artifacts": artifacts},
        });
        self.write("order", &[order]);
    }

    /// Runs `arc run` on the site's manifests.
    pub(crate) async fn run(&self, more: &[&str]) -> Finished {
        let manifests = self.manifests();
        let work = self.work();
        let mut args = vec![
            "run",
            "-f",
            manifests.to_str().unwrap(),
            "--work-dir",
            work.to_str().unwrap(),
            "-o",
            "json",
        ];
        args.extend(more);
        self.arc.run(&args).await
    }

    /// Delivers `app:1.2.3` as `mirror/app:1.2.3` and returns the reference there, `host/mirror/app:1.2.3`.
    pub(crate) async fn deliver(&self) -> String {
        self.order(&[(
            "app",
            json!({"repository": "app", "tag": "^1.0", "override": "mirror/app:{{.tag}}"}),
        )]);
        let rows = Self::rows(self.run(&[]).await, 0);
        assert_eq!(rows[0]["outcome"], "Delivered");
        rows[0]["result"]["destination"]["reference"].as_str().unwrap().to_owned()
    }

    /// Runs the order and returns the rows, after checking the exit code.
    #[track_caller]
    pub(crate) fn rows(finished: Finished, code: i32) -> Vec<Value> {
        let finished = finished.expect_code(code);
        let document: Value =
            serde_json::from_str(&finished.stdout).expect("JSON on standard output");
        document["artifacts"].as_array().unwrap().clone()
    }

    /// Runs `arc verify` with the site's key.
    pub(crate) async fn verify(&self, reference: &str) -> Finished {
        let key = self.public_key();
        self.arc.run(&["verify", reference, "--key", key.to_str().unwrap()]).await
    }

    pub(crate) fn manifests(&self) -> PathBuf {
        self.folder.path().join("manifests")
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    pub(crate) fn public_key(&self) -> PathBuf {
        self.folder.path().join("cosign.pub")
    }

    /// Takes the signing key away.
    pub(crate) fn lose_key(&self) {
        self.write("secrets", &[account_secret()]);
    }

    /// Writes one file of manifests; JSON is YAML.
    pub(crate) fn write(&self, name: &str, objects: &[Value]) {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        fs::write(self.manifests().join(format!("{name}.json")), list.to_string()).unwrap();
    }

    fn password(&self) -> &str {
        let password = self.keys.password.as_deref().map_or(&b""[..], Vec::as_slice);
        std::str::from_utf8(password).unwrap()
    }

    fn key_secret(&self) -> Value {
        let keys = &self.keys;
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "cosign-key", "namespace": NAMESPACE},
            "stringData": {
                "cosign.key": keys.key.as_str(),
                "cosign.password": self.password(),
                "cosign.pub": keys.public.as_deref().unwrap(),
            },
        })
    }

    /// Makes the files of a pod for running single steps, and the environment they need.
    pub(crate) fn pod(
        &self,
        source: &str,
        destination: &str,
        repository: &str,
        tag: &str,
    ) -> (PathBuf, Vec<(&str, String)>) {
        let root = self.folder.path().join("pod");
        for folder in ["work", "secrets/cosign"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let cosign = root.join("secrets/cosign");
        fs::write(cosign.join("cosign.key"), self.keys.key.as_str()).unwrap();
        fs::write(cosign.join("cosign.password"), self.password()).unwrap();
        fs::write(cosign.join("cosign.pub"), self.keys.public.as_deref().unwrap()).unwrap();
        let environment = vec![
            ("SRC_REMOTE_URL", source.to_owned()),
            ("DST_REMOTE_URL", destination.to_owned()),
            ("SPEC_REPOSITORY", repository.to_owned()),
            ("SPEC_TAG", tag.to_owned()),
            ("SCAN_SEVERITY", "HIGH,CRITICAL".to_owned()),
            ("SCAN_DATABASE", advisories()),
            ("ORDER_CREATED_AT", "2026-11-20T12:00:00Z".to_owned()),
            ("ARC_MOUNT_ROOT", root.to_str().unwrap().to_owned()),
        ];
        (root, environment)
    }
}

/// The sample advisories of the quickstart.
pub(crate) fn advisories() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/quickstart/advisories");
    path.canonicalize().unwrap().to_str().unwrap().to_owned()
}

/// An image for two platforms without findings.
pub(crate) fn clean() -> Content {
    Content::multi_arch(&[images::alpine(
        "3.18.6",
        &[("openssl", "3.1.4-r5"), ("musl", "1.2.4-r2")],
    )])
}

/// Another one.
pub(crate) fn clean_too() -> Content {
    Content::multi_arch(&[images::alpine("3.19.1", &[("musl", "1.2.4_git20230717-r4")])])
}

/// An image with a critical finding that has a fix.
pub(crate) fn vulnerable() -> Content {
    Content::multi_arch(&[images::debian("11", &[("zlib", "1:1.2.11.dfsg-2+deb11u1")])])
}

fn endpoint(name: &str, usage: &str, side: &Side) -> Value {
    let mut spec = json!({"type": "oci", "remoteURL": side.url, "usage": usage});
    if let Some(ca) = &side.ca {
        spec["caBundle"] = json!(ca);
    }
    if side.account {
        spec["secretRef"] = json!({"name": "account"});
    }
    json!({
        "apiVersion": "arc.opendefense.cloud/v1alpha1", "kind": "Endpoint",
        "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec,
    })
}

fn account_secret() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "account", "namespace": NAMESPACE},
        "stringData": {"username": arc_tests::USERNAME, "password": arc_tests::PASSWORD},
    })
}
