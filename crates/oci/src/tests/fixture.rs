//! Small images with everything that real ones have.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{Client, Descriptor, Digest, Layout, RawManifest, media_type};

pub(super) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Content by digest, as it is to be uploaded.
#[derive(Default)]
pub(super) struct Content {
    pub(super) blobs: Vec<Bytes>,
    /// Children first, subjects before referrers.
    pub(super) manifests: Vec<RawManifest>,
    pub(super) tags: Vec<(String, RawManifest)>,
}

impl Content {
    pub(super) fn blob(&mut self, media_type: &str, bytes: &[u8]) -> Descriptor {
        self.blobs.push(Bytes::copy_from_slice(bytes));
        Descriptor::of(media_type, bytes)
    }

    /// Adds a manifest, with white space that a careless writer would change.
    pub(super) fn manifest(&mut self, media_type: &str, json: &Value) -> RawManifest {
        let raw = RawManifest::new(media_type, format!("{json:#}\n"));
        self.manifests.push(raw.clone());
        raw
    }

    /// Adds an image of one layer.
    pub(super) fn image(&mut self, layer: &[u8]) -> RawManifest {
        let config = self.blob(
            media_type::OCI_CONFIG,
            format!("{{\"os\":\"linux\",\"n\":{}}}", layer.len()).as_bytes(),
        );
        let layer = self.blob(LAYER, layer);
        self.manifest(
            media_type::OCI_MANIFEST,
            &json!({"schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "config": config, "layers": [layer]}),
        )
    }

    pub(super) fn index(&mut self, media_type: &str, children: &[&RawManifest]) -> RawManifest {
        let children: Vec<_> = children.iter().map(|child| child.descriptor()).collect();
        self.manifest(
            media_type,
            &json!({"schemaVersion": 2, "mediaType": media_type, "manifests": children}),
        )
    }

    pub(super) fn referrer(&mut self, subject: &RawManifest, kind: &str) -> RawManifest {
        let mut config = self.blob(media_type::OCI_EMPTY, b"{}");
        config.data = Some("e30=".to_owned());
        let layer = self.blob(kind, format!("{kind} of {}", subject.digest).as_bytes());
        self.manifest(
            media_type::OCI_MANIFEST,
            &json!({"schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "artifactType": kind,
                "config": config, "layers": [layer], "subject": subject.descriptor(), "annotations": {"kind": kind}}),
        )
    }

    /// Adds one of cosign's tags with one layer.
    pub(super) fn legacy(
        &mut self,
        subject: &Digest,
        suffix: &str,
        layers: &[&[u8]],
    ) -> RawManifest {
        let config =
            self.blob(media_type::OCI_CONFIG, format!("{{\"n\":{}}}", layers.len()).as_bytes());
        let layers: Vec<_> = layers
            .iter()
            .map(|layer| self.blob("application/vnd.dev.cosign.simplesigning.v1+json", layer))
            .collect();
        let json = json!({"schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "config": config, "layers": layers});
        let raw = RawManifest::new(media_type::OCI_MANIFEST, json.to_string());
        self.tags.push((subject.legacy_tag(suffix), raw.clone()));
        raw
    }

    /// Uploads everything.
    pub(super) async fn upload(&self, client: &Client, repository: &str) {
        for blob in &self.blobs {
            let descriptor = Descriptor::of("", blob);
            client.push_blob(repository, &descriptor, blob.clone()).await.unwrap();
        }
        for manifest in &self.manifests {
            client.push_referrer(repository, manifest).await.unwrap();
        }
        for (tag, manifest) in &self.tags {
            client.push_manifest(repository, tag, manifest).await.unwrap();
        }
    }

    /// Writes everything into a layout, as a pull would leave it.
    pub(super) fn store(&self, layout: &Layout) {
        for blob in &self.blobs {
            layout.put_blob(blob).unwrap();
        }
        for manifest in &self.manifests {
            layout.put_manifest(manifest).unwrap();
            layout.add_unnamed(&manifest.descriptor()).unwrap();
        }
        for (tag, manifest) in &self.tags {
            layout.put_manifest(manifest).unwrap();
            layout.set_ref(tag, &manifest.descriptor()).unwrap();
        }
    }
}

/// An image like the large ones: two platforms, a Docker manifest, an attestation as builders attach, a nested index, an empty
/// layer, referrers of root and child, a referrer of a referrer, cosign's tags of root and child.
pub(super) fn everything() -> (Content, RawManifest) {
    let mut content = Content::default();
    let amd64 = content.image(b"layer of amd64");
    let arm64 = content.image(b"");
    let config = content.blob("application/vnd.docker.container.image.v1+json", b"{\"docker\":1}");
    let layer =
        content.blob("application/vnd.docker.image.rootfs.diff.tar.gzip", b"layer of docker");
    let docker = content.manifest(
        media_type::DOCKER_MANIFEST,
        &json!({"schemaVersion": 2, "mediaType": media_type::DOCKER_MANIFEST, "config": config, "layers": [layer, layer]}),
    );
    let list = content.index(media_type::DOCKER_LIST, &[&docker]);
    let attestation = content.image(b"attestation of buildkit");
    let mut entries = json!([
        amd64.descriptor(),
        arm64.descriptor(),
        list.descriptor(),
        attestation.descriptor()
    ]);
    entries[3]["platform"] = json!({"architecture": "unknown", "os": "unknown"});
    let root =
        content.manifest(media_type::OCI_INDEX, &json!({"schemaVersion": 2, "manifests": entries}));
    let sbom = content.referrer(&root, "application/vnd.test.sbom");
    content.referrer(&amd64, "application/vnd.test.scan");
    content.referrer(&sbom, "application/vnd.test.signature");
    content.legacy(&root.digest, "sig", &[b"signature"]);
    content.legacy(&amd64.digest, "att", &[b"attestation"]);
    (content, root)
}

pub(super) fn layout() -> (tempfile::TempDir, Layout) {
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::create(dir.path().join("layout")).unwrap();
    (dir, layout)
}
