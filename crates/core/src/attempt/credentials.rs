//! The Secrets of a delivery, by name and version: nothing of the controller ever sees what is in them.

use std::collections::BTreeMap;

use arc_api::ArtifactWorkflow;

use crate::name;

/// Returns the hash of the versions of the Secrets that a delivery mounts, nothing where it mounts none, or the name of
/// the first that does not exist.
pub(super) fn hash<'a>(
    of: &'a ArtifactWorkflow,
    secrets: &BTreeMap<String, String>,
) -> Result<Option<String>, &'a str> {
    let references = [of.spec.src_secret_ref.as_ref(), of.spec.dst_secret_ref.as_ref()];
    let mut parts = Vec::new();
    for (side, reference) in ["src", "dst"].into_iter().zip(references) {
        let Some(reference) = reference else { continue };
        let version = secrets.get(&reference.name).ok_or(reference.name.as_str())?;
        parts.push(format!("{side}={}@{version}", reference.name));
    }
    Ok((!parts.is_empty()).then(|| name::short_hash(parts.join(";").as_bytes())))
}
