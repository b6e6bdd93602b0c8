//! Writes everything an audit looked at into a folder: raw evidence, keys, a report, and a script that checks it all.
//!
//! The chain that the script follows: a manifest has its digest, a referrer names the manifest and its bundle, the
//! bundle carries payload and signature, a key signed the payload, the payload names the digest. What was rejected is
//! kept apart in `rejected/`, and nothing of it is checked or told.

mod folder;
mod report;
mod script;

use std::path::{Path, PathBuf};

use arc_evidence::verify::{AttestationEvidence, BundleEvidence, Item, Origin, SignatureEvidence};
use arc_evidence::{Bundle, Envelope, PublicKey, bundle, dsse, legacy, predicate};
use base64::Engine as _;

use self::folder::Folder;
use self::script::{Check, Script};
use super::Level;
use super::story::Story;
use crate::registry_access::read;
use crate::report::Failure;
use crate::verify::subject::Subject;

/// What cosign reads as a trusted root that trusts nothing.
const EMPTY_TRUSTED_ROOT: &str =
    "{\"mediaType\":\"application/vnd.dev.sigstore.trustedroot+json;version=0.1\"}\n";

/// Everything that goes into the folder.
pub(super) struct Package<'a> {
    pub(super) subject: &'a Subject,
    pub(super) levels: &'a [Level],
    pub(super) story: &'a Story,
    pub(super) keys: &'a [PublicKey],
    pub(super) log_keys: &'a [PathBuf],
}

/// Writes the folder, which must be empty or not there yet.
pub(super) async fn export(dir: &Path, package: &Package<'_>) -> Result<(), Failure> {
    let mut writer =
        Writer { folder: Folder::create(dir)?, script: Script::default(), keys: package.keys };
    writer.write_keys(package.log_keys)?;
    for level in package.levels {
        writer.manifest(level.manifest.digest.to_string(), &level.manifest.bytes)?;
        if level.platform.is_some() {
            writer.listed(package.subject, &level.manifest.digest.to_string()).await?;
        }
        writer.level(package.subject, level).await?;
    }
    let story =
        serde_json::to_vec_pretty(package.story).map_err(|error| Failure::failed(&error))?;
    writer.folder.put("audit.json", &story)?;
    let Writer { mut folder, script, .. } = writer;
    folder.put(script::TRUSTED_ROOT, EMPTY_TRUSTED_ROOT.as_bytes())?;
    folder.put("report.md", report::markdown(package.story).as_bytes())?;
    let text = script.write(package.subject);
    folder.put("recheck.sh", text.as_bytes())?;
    folder.finish()
}

struct Writer<'a> {
    folder: Folder,
    script: Script,
    keys: &'a [PublicKey],
}

impl Writer<'_> {
    fn write_keys(&mut self, log_keys: &[PathBuf]) -> Result<(), Failure> {
        for (index, key) in self.keys.iter().enumerate() {
            self.folder.put(&key_name(index), key.to_pem().as_bytes())?;
        }
        for (index, path) in log_keys.iter().enumerate() {
            self.folder.put(&format!("keys/log-{}.pub", index + 1), read(path)?.as_bytes())?;
        }
        Ok(())
    }

    /// Writes a manifest under its digest and has that checked.
    fn manifest(&mut self, digest: String, bytes: &[u8]) -> Result<String, Failure> {
        let name = format!("manifests/{}.json", digest.replace(':', "-"));
        self.folder.put(&name, bytes)?;
        self.script.check(Check::Digest { file: name.clone(), digest });
        Ok(name)
    }

    /// That the index lists the platform; of nested indexes the one between is written too.
    async fn listed(&mut self, subject: &Subject, platform: &str) -> Result<(), Failure> {
        let mut open = vec![subject.root.clone()];
        // Bounded by `Subject::platforms`, which walked the same indexes.
        while let Some(index) = open.pop() {
            let manifest =
                arc_oci::Manifest::parse(&index).map_err(|error| Failure::input(&error))?;
            let file = self.manifest(index.digest.to_string(), &index.bytes)?;
            if manifest.children.iter().any(|child| child.digest.to_string() == platform) {
                self.script.check(Check::Contains { file, text: platform.to_owned() });
                return Ok(());
            }
            for child in manifest.children {
                if arc_oci::media_type::is_index(&child.media_type) {
                    open.push(subject.manifest(&child.digest).await?);
                }
            }
        }
        Ok(())
    }

    async fn level(&mut self, subject: &Subject, level: &Level) -> Result<(), Failure> {
        let items = || level.report.signatures.iter().chain(&level.report.attestations);
        let digest = level.manifest.digest.to_string();
        for evidence in &level.evidence.bundles {
            let manifest = arc_oci::Digest::sha256(&evidence.manifest).to_string();
            let item =
                items().find(|item| item.origin == Origin::Bundle && item.digest == manifest);
            match item.filter(|item| item.held()) {
                Some(item) => self.bundle(evidence, item, &digest)?,
                None => self.rejected_bundle(evidence)?,
            }
        }
        let is_legacy = |item: &&Item| item.origin == Origin::LegacyTag;
        // The verifier keeps the order of what it was given.
        let signatures = level.report.signatures.iter().filter(is_legacy);
        let tag = legacy::sig_tag(&digest);
        let tag = self.tag(subject, &tag, !level.evidence.signatures.is_empty()).await?;
        for (evidence, item) in level.evidence.signatures.iter().zip(signatures) {
            self.signature(evidence, item, &digest, tag.as_deref())?;
        }
        let attestations = level.report.attestations.iter().filter(is_legacy);
        let tag = legacy::att_tag(&digest);
        let tag = self.tag(subject, &tag, !level.evidence.attestations.is_empty()).await?;
        for (evidence, item) in level.evidence.attestations.iter().zip(attestations) {
            self.attestation(evidence, item, &digest, tag.as_deref())?;
        }
        Ok(())
    }

    /// Writes the manifest of one of cosign's tags.
    async fn tag(
        &mut self,
        subject: &Subject,
        tag: &str,
        is_wanted: bool,
    ) -> Result<Option<String>, Failure> {
        if !is_wanted {
            return Ok(None);
        }
        match subject.tagged(tag).await? {
            Some(raw) => Ok(Some(self.manifest(raw.digest.to_string(), &raw.bytes)?)),
            None => Ok(None),
        }
    }

    fn bundle(
        &mut self,
        evidence: &BundleEvidence,
        item: &Item,
        subject: &str,
    ) -> Result<(), Failure> {
        // Both were read before, or the item would not have held.
        let (Ok(carried), Ok(bundle)) =
            (bundle::carried(&evidence.manifest), Bundle::parse(&evidence.blob))
        else {
            return self.rejected_bundle(evidence);
        };
        let referrer = self.manifest(item.digest.clone(), &evidence.manifest)?;
        self.script.check(Check::Contains { file: referrer.clone(), text: subject.to_owned() });
        self.script.check(Check::Contains { file: referrer, text: carried.blob.digest.clone() });
        let file = format!("bundles/{}.json", carried.blob.digest.replace(':', "-"));
        self.folder.put(&file, &evidence.blob)?;
        self.script.check(Check::Digest { file: file.clone(), digest: carried.blob.digest });
        if item.predicate_type.as_deref() == Some(predicate::PREDICATE_VSA) {
            // The envelope alone is what `slsa-verifier verify-vsa` reads.
            let file = self.folder.put_content("envelopes", "json", &bundle.envelope.to_json())?;
            let digest = arc_oci::Digest::sha256(&bundle.envelope.to_json()).to_string();
            self.script.check(Check::Digest { file, digest });
        }
        let payload = self.envelope(&bundle.envelope, item, subject, Some(&file))?;
        if let (Some(_), Some(key), Some(predicate_type)) =
            (payload, self.key(item), item.predicate_type.clone())
        {
            // cosign hashes the blob with SHA-256 and nothing else.
            if subject.starts_with("sha256:") {
                let subject = subject.to_owned();
                self.script.check(Check::Bundle { file, key, predicate_type, subject });
            }
        }
        Ok(())
    }

    fn attestation(
        &mut self,
        evidence: &AttestationEvidence,
        item: &Item,
        subject: &str,
        tag: Option<&str>,
    ) -> Result<(), Failure> {
        let envelope = Envelope::parse(&evidence.envelope).ok().filter(|_| item.held());
        let Some(envelope) = envelope else {
            return self.rejected(&item.digest, &evidence.envelope);
        };
        let file = format!("envelopes/{}.json", item.digest.replace(':', "-"));
        self.folder.put(&file, &evidence.envelope)?;
        self.script.check(Check::Digest { file: file.clone(), digest: item.digest.clone() });
        if let Some(tag) = tag {
            self.script.check(Check::Contains { file: tag.to_owned(), text: item.digest.clone() });
        }
        self.envelope(&envelope, item, subject, Some(&file))?;
        Ok(())
    }

    /// Writes payload and signature of an envelope; returns the payload's file.
    fn envelope(
        &mut self,
        envelope: &Envelope,
        item: &Item,
        subject: &str,
        carrier: Option<&str>,
    ) -> Result<Option<String>, Failure> {
        let signed = dsse::pae(&envelope.payload_type, &envelope.payload);
        let found = envelope.signatures.iter().find_map(|signature| {
            let key =
                self.keys.iter().position(|key| key.verify(&signed, &signature.der).is_ok())?;
            Some((key_name(key), signature.der.clone()))
        });
        let Some((key, der)) = found else { return Ok(None) };
        let payload = self.folder.put_content("payloads", "json", &envelope.payload)?;
        let signature = self.folder.put_content("signatures", "sig", &der)?;
        if let Some(carrier) = carrier {
            let container = self.folder.get(carrier)?;
            for (part, bytes) in [(&payload, &envelope.payload), (&signature, &der)] {
                // Other writers may spell base64 with escapes; then there is nothing to compare literally.
                let spelled = base64::engine::general_purpose::STANDARD.encode(bytes);
                if contains(&container, &spelled) {
                    let (file, part) = (carrier.to_owned(), part.clone());
                    self.script.check(Check::Carries { file, part });
                }
            }
        }
        let payload_type = envelope.payload_type.clone();
        let file = payload.clone();
        self.script.check(Check::Attested { payload: file, signature, key, payload_type });
        self.about(&payload, &envelope.payload, item, subject);
        Ok(Some(payload))
    }

    /// That the payload is about the digest and of its type, as literally as its writer's spelling allows.
    fn about(&mut self, file: &str, payload: &[u8], item: &Item, subject: &str) {
        let (algorithm, hex) = subject.split_once(':').unwrap_or(("sha256", subject));
        let mut wanted = vec![vec![
            format!("\"{algorithm}\":\"{hex}\""),
            format!("\"{algorithm}\": \"{hex}\""),
            hex.to_owned(),
        ]];
        if let Some(uri) = &item.predicate_type {
            wanted.push(vec![
                format!("\"predicateType\":\"{uri}\""),
                format!("\"predicateType\": \"{uri}\""),
            ]);
        }
        let payload_text = String::from_utf8_lossy(payload);
        for spellings in wanted {
            if let Some(text) = spellings.into_iter().find(|text| payload_text.contains(text)) {
                self.script.check(Check::Contains { file: file.to_owned(), text });
            }
        }
    }

    fn signature(
        &mut self,
        evidence: &SignatureEvidence,
        item: &Item,
        subject: &str,
        tag: Option<&str>,
    ) -> Result<(), Failure> {
        let annotation = evidence.signature.as_deref().unwrap_or_default();
        let der = base64::engine::general_purpose::STANDARD.decode(annotation).ok();
        let (Some(der), Some(key), true) = (der, self.key(item), item.held()) else {
            return self.rejected(&item.digest, &evidence.payload);
        };
        let payload = self.folder.put_content("payloads", "json", &evidence.payload)?;
        let signature = self.folder.put_content("signatures", "sig", &der)?;
        self.script.check(Check::Digest { file: payload.clone(), digest: item.digest.clone() });
        if let Some(tag) = tag {
            let part = signature.clone();
            self.script.check(Check::Contains { file: tag.to_owned(), text: item.digest.clone() });
            self.script.check(Check::Carries { file: tag.to_owned(), part });
        }
        self.script.check(Check::Contains { file: payload.clone(), text: subject.to_owned() });
        self.script.check(Check::Signed { payload, signature, key: key.clone() });
        self.script.verified(key, subject);
        Ok(())
    }

    fn rejected_bundle(&mut self, evidence: &BundleEvidence) -> Result<(), Failure> {
        let digest = arc_oci::Digest::sha256(&evidence.manifest).to_string();
        self.rejected(&digest, &evidence.manifest)?;
        self.folder.put_content("rejected", "json", &evidence.blob)?;
        Ok(())
    }

    fn rejected(&mut self, digest: &str, bytes: &[u8]) -> Result<(), Failure> {
        self.folder.put(&format!("rejected/{}.json", digest.replace(':', "-")), bytes)
    }

    /// The file of the key that made a piece of evidence.
    fn key(&self, item: &Item) -> Option<String> {
        let hint = item.key.as_deref()?;
        self.keys.iter().position(|key| key.hint() == hint).map(key_name)
    }
}

fn key_name(index: usize) -> String {
    format!("keys/key-{}.pub", index + 1)
}

fn contains(bytes: &[u8], text: &str) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|content| content.contains(text))
}
