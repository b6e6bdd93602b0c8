//! Reads volumes, from a template file or from the typed volumes of a Workflow.

use k8s_openapi::api::core::v1 as kubernetes;

use super::read::name;
use super::{Keys, Volume, VolumeSource};
use crate::fields::{Fields, Reader};
use crate::problem::Position;
use crate::yaml::Node;

/// Reads one volume.
pub(super) fn volume(reader: &mut Reader<'_>, node: &Node) -> Option<Volume> {
    let mut fields = reader.map(node, "volume");
    let name = fields.require(reader, "name").and_then(|node| name(reader, node, "volume"));
    if let Some(name) = &name {
        fields.what = format!("volume {:?}", name.text);
    }
    let source = if let Some(node) = fields.take("emptyDir") {
        let mut inner = reader.map(node, "emptyDir");
        inner.ignore(&["medium", "sizeLimit"]);
        reader.finish(inner);
        Some(VolumeSource::EmptyDir)
    } else if let Some(node) = fields.take("secret") {
        keys(reader, node, true).map(VolumeSource::Keys)
    } else if let Some(node) = fields.take("configMap") {
        keys(reader, node, false).map(VolumeSource::Keys)
    } else {
        None
    };
    reader.finish(fields);
    let name = name?;
    Some(Volume { at: name.at, name: name.text, source: source? })
}

/// Reads one `volumeClaimTemplates` item, of which only the name matters here.
pub(super) fn claim(reader: &mut Reader<'_>, node: &Node) -> Option<Volume> {
    let mut fields = reader.map(node, "volumeClaimTemplate");
    fields.ignore(&["spec", "status", "apiVersion", "kind"]);
    let metadata = fields.require(reader, "metadata")?;
    reader.finish(fields);
    let mut fields = reader.map(metadata, "volumeClaimTemplate");
    fields.ignore(&["labels", "annotations", "creationTimestamp"]);
    let name = fields.require(reader, "name").and_then(|node| name(reader, node, "name"))?;
    reader.finish(fields);
    Some(Volume { at: name.at, name: name.text, source: VolumeSource::Claim })
}

fn keys(reader: &mut Reader<'_>, node: &Node, secret: bool) -> Option<Keys> {
    let mut fields = reader.map(node, if secret { "secret" } else { "configMap" });
    // Files are private to the user who runs the engine, whatever the mode says.
    fields.ignore(&["defaultMode"]);
    let object = fields
        .require(reader, if secret { "secretName" } else { "name" })
        .and_then(|node| reader.plain(node, "name"));
    let optional = fields.take("optional").and_then(|node| reader.boolean(node, "optional"));
    let items = fields.take("items").map(|node| {
        reader.list(node, "items").iter().filter_map(|node| item(reader, node)).collect()
    });
    reader.finish(fields);
    Some(Keys { secret, object: object?, optional: optional.unwrap_or(false), items })
}

fn item(reader: &mut Reader<'_>, node: &Node) -> Option<(String, String)> {
    let mut fields: Fields<'_> = reader.map(node, "items");
    fields.ignore(&["mode"]);
    let key = fields.require(reader, "key").and_then(|node| reader.plain(node, "key"));
    let path = fields.require(reader, "path").and_then(|node| reader.plain(node, "path"));
    reader.finish(fields);
    let (key, path) = key.zip(path)?;
    if !is_safe_path(&path) {
        reader.refuse(node.at, format!("items: {path:?} is not a path inside the volume"));
        return None;
    }
    Some((key, path))
}

/// Reads a typed volume; the error names what is not supported.
pub(crate) fn from_kubernetes(volume: &kubernetes::Volume) -> Result<Volume, String> {
    let kubernetes::Volume { name, empty_dir, secret, config_map, .. } = volume;
    let source = match (empty_dir, secret, config_map) {
        (Some(_), None, None) => VolumeSource::EmptyDir,
        (None, Some(secret), None) => VolumeSource::Keys(Keys {
            secret: true,
            object: secret.secret_name.clone().unwrap_or_default(),
            optional: secret.optional.unwrap_or(false),
            items: secret.items.as_deref().map(typed_items).transpose()?,
        }),
        (None, None, Some(map)) => VolumeSource::Keys(Keys {
            secret: false,
            object: map.name.clone(),
            optional: map.optional.unwrap_or(false),
            items: map.items.as_deref().map(typed_items).transpose()?,
        }),
        _ => {
            return Err(format!(
                "volume {name:?} is not supported by `arc run`: expected one of emptyDir, secret, configMap"
            ));
        }
    };
    Ok(Volume { name: name.clone(), at: Position::default(), source })
}

fn typed_items(items: &[kubernetes::KeyToPath]) -> Result<Vec<(String, String)>, String> {
    items
        .iter()
        .map(|item| {
            if is_safe_path(&item.path) {
                Ok((item.key.clone(), item.path.clone()))
            } else {
                Err(format!("{:?} is not a path inside the volume", item.path))
            }
        })
        .collect()
}

/// Whether a relative path stays inside its folder and can be given to a container runtime.
pub(crate) fn is_safe_path(path: &str) -> bool {
    !path.contains([':', ',', '\0', '\n', '\\'])
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}
