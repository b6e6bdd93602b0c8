//! Collects evidence from an image layout, as [`crate::evidence`] does from a registry: raw, unjudged, without a network.
//!
//! Layouts keep referrers as unnamed entries of `index.json`, or as the fallback tag `sha256-<hex>` when somebody
//! copied it; cosign's `.sig` and `.att` tags are named entries.

use std::collections::BTreeMap;

use arc_evidence::verify::{AttestationEvidence, BundleEvidence, Evidence, SignatureEvidence};
use arc_evidence::{bundle, legacy, limits};
use arc_oci::{Descriptor, Digest, Kind, Layout, Manifest, RawManifest};

use crate::error::Error;

/// Collects everything that claims to be evidence for `digest`.
///
/// # Errors
/// When the layout itself cannot be read; what cannot be read as evidence is listed as such.
pub fn evidence_in_layout(layout: &Layout, digest: &Digest) -> Result<Evidence, Error> {
    let mut reader =
        Reader { layout, refs: layout.refs()?, found: Evidence::default(), pieces: 0, bytes: 0 };
    reader.bundles(digest)?;
    reader.signatures(digest)?;
    reader.attestations(digest)?;
    Ok(reader.found)
}

struct Reader<'a> {
    layout: &'a Layout,
    refs: BTreeMap<String, Descriptor>,
    found: Evidence,
    pieces: usize,
    bytes: usize,
}

impl Reader<'_> {
    fn bundles(&mut self, digest: &Digest) -> Result<(), Error> {
        for referrer in self.referrers(digest)? {
            let Some(raw) = self.manifest(&referrer)? else { continue };
            // Others attach things too; only bundles are evidence.
            let Ok(carried) = bundle::carried(&raw.bytes) else { continue };
            if let Some(blob) = self.blob(&carried.blob, limits::MAX_ENVELOPE)? {
                self.found.bundles.push(BundleEvidence { manifest: raw.bytes.to_vec(), blob });
            }
        }
        Ok(())
    }

    fn signatures(&mut self, digest: &Digest) -> Result<(), Error> {
        for layer in self.legacy_layers(&legacy::sig_tag(&digest.to_string()))? {
            if let Some(payload) = self.blob(&layer.descriptor, limits::MAX_SIMPLE_SIGNING)? {
                let signature = layer.signature;
                self.found.signatures.push(SignatureEvidence { payload, signature });
            }
        }
        Ok(())
    }

    fn attestations(&mut self, digest: &Digest) -> Result<(), Error> {
        for layer in self.legacy_layers(&legacy::att_tag(&digest.to_string()))? {
            if let Some(envelope) = self.blob(&layer.descriptor, limits::MAX_ENVELOPE)? {
                let predicate_type = layer.predicate_type;
                self.found.attestations.push(AttestationEvidence { envelope, predicate_type });
            }
        }
        Ok(())
    }

    /// What the layout lists as referrers, and what a fallback tag in it lists.
    fn referrers(&mut self, digest: &Digest) -> Result<Vec<Descriptor>, Error> {
        let mut found: BTreeMap<Digest, Descriptor> = BTreeMap::new();
        for referrer in self.layout.referrers(digest)? {
            found.insert(referrer.digest.clone(), referrer);
        }
        let fallback = digest.to_string().replace(':', "-");
        if let Some(listed) = self.named(&fallback)
            && let Some(raw) = self.manifest(&listed)?
            && let Ok(manifest) = Manifest::parse(&raw)
            && manifest.kind == Kind::Index
        {
            for child in manifest.children {
                found.entry(child.digest.clone()).or_insert(child);
            }
        }
        Ok(found.into_values().collect())
    }

    fn legacy_layers(&mut self, tag: &str) -> Result<Vec<legacy::Layer>, Error> {
        let Some(named) = self.named(tag) else { return Ok(Vec::new()) };
        let Some(raw) = self.manifest(&named)? else { return Ok(Vec::new()) };
        match legacy::layers(&raw.bytes) {
            Ok(layers) => Ok(layers),
            Err(error) => {
                self.found.unreadable.push(format!("{tag}: {error}"));
                Ok(Vec::new())
            }
        }
    }

    /// The entry of a tag; some tools write the whole reference as the name.
    fn named(&self, tag: &str) -> Option<Descriptor> {
        let suffix = format!(":{tag}");
        let whole = || self.refs.iter().find(|(name, _)| name.ends_with(&suffix));
        self.refs.get(tag).or_else(|| whole().map(|(_, descriptor)| descriptor)).cloned()
    }

    fn manifest(&mut self, descriptor: &Descriptor) -> Result<Option<RawManifest>, Error> {
        let read = self.layout.manifest(&descriptor.digest);
        self.readable(&format!("manifest {}", descriptor.digest), read)
    }

    fn blob(
        &mut self,
        blob: &arc_evidence::Descriptor,
        limit: usize,
    ) -> Result<Option<Vec<u8>>, Error> {
        // The verifier refuses more than this; there is no use in holding it all in memory first.
        self.pieces += 1;
        if self.pieces > limits::MAX_EVIDENCE + 1 || self.bytes > limits::MAX_EVIDENCE_BYTES {
            return Ok(None);
        }
        let what = format!("blob {}", blob.digest);
        let Ok(digest) = blob.digest.parse::<Digest>() else {
            self.found.unreadable.push(format!("{what}: {:?} is not a digest", blob.digest));
            return Ok(None);
        };
        let read = self.layout.read_blob(&digest, limit as u64);
        let read = self.readable(&what, read)?.map(|bytes| bytes.to_vec());
        self.bytes += read.as_ref().map_or(0, Vec::len);
        Ok(read)
    }

    /// Content that is absent, changed, too large or malformed is noted; a layout that cannot be read is an error.
    fn readable<T>(
        &mut self,
        what: &str,
        read: Result<T, arc_oci::Error>,
    ) -> Result<Option<T>, Error> {
        match read {
            Ok(content) => Ok(Some(content)),
            Err(error @ arc_oci::Error::ReadLayout { .. }) => Err(error.into()),
            Err(error) => {
                self.found.unreadable.push(format!("{what}: {error}"));
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use arc_evidence::{Bundle, SigningKey, Statement, dsse, predicate, simple_signing};

    use super::*;

    /// A layout with an image, its signature in both formats, and an attestation layer.
    fn layout() -> (tempfile::TempDir, Layout, RawManifest, RawManifest) {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::create(folder.path().join("layout")).unwrap();
        let config = layout.put_blob(b"{}").unwrap();
        let manifest = serde_json::json!({
            "schemaVersion": 2, "mediaType": arc_oci::media_type::OCI_MANIFEST,
            "config": {"mediaType": arc_oci::media_type::OCI_CONFIG, "digest": config, "size": 2},
            "layers": [],
        });
        let image = RawManifest::new(arc_oci::media_type::OCI_MANIFEST, manifest.to_string());
        layout.put_manifest(&image).unwrap();
        layout.set_ref("1.0", &image.descriptor()).unwrap();
        let subject = image.digest.to_string();
        let key = SigningKey::generate().unwrap();
        let statement = Statement::signature(&subject).unwrap();
        let envelope = dsse::sign(&key, dsse::PAYLOAD_TYPE_IN_TOTO, statement.to_bytes());
        let bundle = Bundle::new(envelope.clone(), &key.public());
        let descriptor = arc_evidence::Descriptor {
            media_type: image.media_type.clone(),
            digest: subject.clone(),
            size: image.bytes.len() as u64,
        };
        let artifact = bundle::referrer(
            &bundle,
            &descriptor,
            predicate::PREDICATE_SIGNATURE,
            "2026-01-02T03:04:05Z",
        );
        let referrer = put(&layout, &artifact);
        layout.add_unnamed(&referrer.descriptor()).unwrap();
        let payload = simple_signing::payload("registry.example/app", &subject);
        let artifact = legacy::append_signature(None, &payload, &key.sign(&payload)).unwrap();
        layout.set_ref(&legacy::sig_tag(&subject), &put(&layout, &artifact).descriptor()).unwrap();
        let artifact =
            legacy::append_attestation(None, &envelope, predicate::PREDICATE_VULN).unwrap();
        let name = format!("registry.example/app:{}", legacy::att_tag(&subject));
        layout.set_ref(&name, &put(&layout, &artifact).descriptor()).unwrap();
        (folder, layout, image, referrer)
    }

    fn put(layout: &Layout, artifact: &arc_evidence::OciArtifact) -> RawManifest {
        for blob in &artifact.blobs {
            layout.put_blob(blob).unwrap();
        }
        let raw = RawManifest::new(artifact.media_type.clone(), artifact.manifest.clone());
        layout.put_manifest(&raw).unwrap();
        raw
    }

    fn counts(evidence: &Evidence) -> (usize, usize, usize, usize) {
        let Evidence { bundles, signatures, attestations, unreadable } = evidence;
        (bundles.len(), signatures.len(), attestations.len(), unreadable.len())
    }

    #[test]
    fn both_formats_are_found_whether_names_are_tags_or_whole_references() {
        let (_folder, layout, image, _) = layout();
        let found = evidence_in_layout(&layout, &image.digest).unwrap();
        assert_eq!(counts(&found), (1, 1, 1, 0));
        assert_eq!(
            found.attestations[0].predicate_type.as_deref(),
            Some(predicate::PREDICATE_VULN)
        );
        let other = Digest::sha256(b"other");
        assert_eq!(evidence_in_layout(&layout, &other).unwrap(), Evidence::default());
    }

    #[test]
    fn a_fallback_tag_that_was_copied_lists_referrers_too() {
        let (folder, layout, image, referrer) = layout();
        let elsewhere = Layout::create(folder.path().join("other")).unwrap();
        for raw in [&image, &referrer] {
            elsewhere.put_manifest(raw).unwrap();
        }
        let carried = bundle::carried(&referrer.bytes).unwrap().blob.digest.parse().unwrap();
        elsewhere.put_blob(&layout.read_blob(&carried, 1 << 20).unwrap()).unwrap();
        let index = serde_json::json!({
            "schemaVersion": 2, "mediaType": arc_oci::media_type::OCI_INDEX,
            "manifests": [referrer.descriptor()],
        });
        let index = RawManifest::new(arc_oci::media_type::OCI_INDEX, index.to_string());
        elsewhere.put_manifest(&index).unwrap();
        let tag = image.digest.to_string().replace(':', "-");
        elsewhere.set_ref(&tag, &index.descriptor()).unwrap();
        let found = evidence_in_layout(&elsewhere, &image.digest).unwrap();
        assert_eq!(counts(&found), (1, 0, 0, 0));
    }

    #[test]
    fn what_was_changed_or_taken_away_is_noted_and_never_evidence() {
        let (_folder, layout, image, referrer) = layout();
        let blob = bundle::carried(&referrer.bytes).unwrap().blob.digest.parse::<Digest>().unwrap();
        std::fs::write(layout.blob_path(&blob), b"changed").unwrap();
        let found = evidence_in_layout(&layout, &image.digest).unwrap();
        assert_eq!(counts(&found), (0, 1, 1, 1));
        std::fs::remove_file(layout.blob_path(&blob)).unwrap();
        let found = evidence_in_layout(&layout, &image.digest).unwrap();
        assert_eq!(counts(&found), (0, 1, 1, 1));
        assert!(found.unreadable[0].contains(&blob.to_string()), "{:?}", found.unreadable);
    }
}
