//! Chooses platforms from an index; pure.

use serde_json::Value;

use crate::{Descriptor, Digest, Error, Kind, Manifest, Platform, RawManifest, copy::Selection};

/// Annotation of a builder's attestation: which manifest of the index it is about.
const ATTESTED: &str = "vnd.docker.reference.digest";

/// Returns an index of the chosen platforms only, or the manifest as it is when nothing is to be left out.
///
/// An image without an index is taken as it is.
///
/// # Errors
/// When the index has no platform of those wanted.
pub(super) fn select(
    raw: RawManifest,
    wanted: &[Platform],
) -> Result<(RawManifest, Option<Selection>), Error> {
    let manifest = Manifest::parse(&raw)?;
    if wanted.is_empty() || manifest.kind != Kind::Index {
        return Ok((raw, None));
    }
    let chosen: Vec<&Descriptor> =
        manifest.children.iter().filter(|child| is_wanted(child, wanted)).collect();
    let digests: Vec<&Digest> = chosen.iter().map(|child| &child.digest).collect();
    let platforms = chosen.iter().filter_map(|child| child.platform.clone()).collect();
    if chosen.is_empty() {
        return Err(Error::SelectPlatform {
            digest: raw.digest.clone(),
            wanted: wanted.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            available: available(&manifest),
        });
    }
    let is_kept = |child: &Descriptor| {
        let attested = child.annotations.get(ATTESTED);
        digests.contains(&&child.digest)
            || attested
                .is_some_and(|about| digests.iter().any(|digest| digest.to_string() == *about))
    };
    let kept: Vec<bool> = manifest.children.iter().map(is_kept).collect();
    let left_out = kept.iter().filter(|kept| !**kept).count() as u64;
    let selection = Some(Selection { chosen: platforms, left_out });
    if left_out == 0 {
        return Ok((raw, selection));
    }
    // As a JSON value, so that fields which we do not know survive.
    let mut index: Value = serde_json::from_slice(&raw.bytes).unwrap_or_default();
    if let Some(entries) = index.get_mut("manifests").and_then(Value::as_array_mut) {
        let mut kept = kept.iter();
        entries.retain(|_| kept.next().copied().unwrap_or_default());
    }
    Ok((RawManifest::new(raw.media_type, index.to_string()), selection))
}

fn is_wanted(child: &Descriptor, wanted: &[Platform]) -> bool {
    let Some(platform) = &child.platform else { return false };
    let matches = |wish: &str, found: &str| wish.is_empty() || wish == found;
    wanted.iter().any(|wish| {
        wish.os == platform.os
            && wish.architecture == platform.architecture
            && matches(&wish.variant, &platform.variant)
            && matches(&wish.os_version, &platform.os_version)
    })
}

fn available(manifest: &Manifest) -> String {
    let platforms = manifest.children.iter().filter_map(|child| child.platform.as_ref());
    let mut names: Vec<_> =
        platforms.filter(|platform| platform.os != "unknown").map(ToString::to_string).collect();
    names.sort();
    names.dedup();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::media_type;

    fn platform(text: &str) -> Platform {
        let mut parts = text.split('/').map(str::to_owned);
        Platform {
            os: parts.next().unwrap(),
            architecture: parts.next().unwrap(),
            variant: parts.next().unwrap_or_default(),
            os_version: String::new(),
        }
    }

    fn entry(name: &str, text: &str) -> Value {
        let mut entry = json!(Descriptor::of(media_type::OCI_MANIFEST, name.as_bytes()));
        entry["platform"] = json!(platform(text));
        entry
    }

    fn attestation(name: &str, about: &Value) -> Value {
        let mut attestation = entry(name, "unknown/unknown");
        attestation["annotations"] = json!({ ATTESTED: about["digest"] });
        attestation
    }

    #[test]
    fn the_chosen_platforms_stay_with_their_attestations_and_every_field() {
        let (amd64, arm6, arm7) =
            (entry("1", "linux/amd64"), entry("2", "linux/arm/v6"), entry("3", "linux/arm/v7"));
        let (about_amd64, about_arm7) = (attestation("4", &amd64), attestation("5", &arm7));
        let index = |entries: &[&Value]| json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": entries, "later": 1});
        let all = [&amd64, &arm6, &arm7, &about_amd64, &about_arm7];
        let raw = RawManifest::new(media_type::OCI_INDEX, index(&all).to_string());
        for (wanted, kept) in [
            (vec!["linux/amd64"], vec![&amd64, &about_amd64]),
            (vec!["linux/arm"], vec![&arm6, &arm7, &about_arm7]),
            (vec!["linux/arm/v7", "windows/amd64"], vec![&arm7, &about_arm7]),
            (vec!["linux/amd64", "linux/arm"], all.to_vec()),
        ] {
            let wanted: Vec<_> = wanted.into_iter().map(platform).collect();
            let (found, selection) = select(raw.clone(), &wanted).unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&found.bytes).unwrap(), index(&kept));
            assert_eq!(selection.unwrap().left_out, (all.len() - kept.len()) as u64);
            // Nothing left out, nothing changed.
            assert_eq!(found == raw, kept.len() == all.len());
        }
        let error = select(raw, &[platform("linux/s390x")]).unwrap_err().to_string();
        let end = "has no platform linux/s390x; it has linux/amd64, linux/arm/v6, linux/arm/v7";
        assert!(error.ends_with(end), "{error}");
    }
}
