//! Checks what the containers need from this machine: programs, volumes, secrets.

use std::collections::BTreeMap;

use super::{InFile, Objects, Ready, known_before_run};
use crate::template::{Container, Keys, Kind, Pod, Template, Volume, VolumeSource, is_safe_path};
use crate::text::Scope;

/// Tells a step where the root folder of its pod is.
pub(crate) const MOUNT_ROOT: &str = "ARC_MOUNT_ROOT";

/// Checks the containers of every template.
pub(super) fn check(ready: &Ready, known: &Scope, file: &mut InFile<'_>) {
    for template in ready.spec().templates.values() {
        let Kind::Pod(pod) = &template.kind else { continue };
        if pod.containers.is_empty() {
            file.refuse(template.at, format!("template {:?} has no containers", template.name));
        }
        for container in &pod.containers {
            check_program(ready, known, container, file);
        }
        check_mounts(ready, template, pod, file);
    }
}

/// Whether a container runs as a child process: the program `arc` of an image called `arc`.
pub(crate) fn is_arc(image: &str, command: Option<&str>) -> bool {
    let name = image.rsplit('/').next().unwrap_or_default();
    let name = name.split(['@', ':']).next().unwrap_or_default();
    name == "arc" && command == Some("arc")
}

fn check_program(ready: &Ready, known: &Scope, container: &Container, file: &mut InFile<'_>) {
    let Some(image) = known_before_run(&container.image, known) else { return };
    let command = container.command.first().and_then(|text| known_before_run(text, known));
    if is_arc(&image, command.as_deref()) && container.source.is_none() {
        check_environment(container, file);
        return;
    }
    let valid = image.starts_with(|first: char| first.is_ascii_alphanumeric())
        && image.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/' | b':' | b'@' | b'_' | b'-')
        });
    if !valid {
        let message = format!("container {:?}: {image:?} is not an image", container.name);
        file.refuse(container.image.at, message);
    } else if ready.programs.container_runtime.is_none() {
        file.refuse_with_hint(
            container.image.at,
            format!(
                "container {:?}: image {image:?} needs podman or docker, and neither was found",
                container.name
            ),
            "install podman or docker, or use a template whose steps are all `arc`",
        );
    }
}

/// A step runs as the user who started the engine, so its template must not choose what is loaded into it.
fn check_environment(container: &Container, file: &mut InFile<'_>) {
    for (name, value) in &container.env {
        if name.starts_with("LD_") || name.starts_with("DYLD_") || name == MOUNT_ROOT {
            let message = format!(
                "container {:?}: the variable {name} is not supported by `arc run`",
                container.name
            );
            file.refuse_with_hint(value.at, message, "remove it");
        }
    }
}

fn check_mounts(ready: &Ready, template: &Template, pod: &Pod, file: &mut InFile<'_>) {
    let own: BTreeMap<&str, &Volume> =
        template.volumes.iter().map(|volume| (volume.name.as_str(), volume)).collect();
    for mount in &pod.mounts {
        let volume =
            own.get(mount.volume.as_str()).copied().or_else(|| ready.volumes.get(&mount.volume));
        let Some(volume) = volume else {
            let message = format!("volume {:?} does not exist", mount.volume);
            file.refuse_with_hint(
                mount.at,
                message,
                "declare it under `volumes` or `volumeClaimTemplates`",
            );
            continue;
        };
        if let VolumeSource::Keys(keys) = &volume.source
            && let Some((message, hint)) = missing(keys, &ready.objects)
        {
            file.refuse_with_hint(mount.at, format!("volume {:?}: {message}", volume.name), hint);
        }
    }
}

/// What a secret or config map volume lacks.
fn missing(keys: &Keys, objects: &Objects) -> Option<(String, &'static str)> {
    let (kind, all) = if keys.secret {
        ("secret", &objects.secrets)
    } else {
        ("configmap", &objects.config_maps)
    };
    let hint = "add it to the files given, or set `optional: true`";
    match (all.get(&keys.object), &keys.items) {
        (None, _) if keys.optional => None,
        (None, _) => Some((format!("{kind} {:?} not found", keys.object), hint)),
        (Some(object), Some(items)) => items
            .iter()
            .find(|(key, _)| !keys.optional && !object.contains_key(key))
            .map(|(key, _)| (format!("{kind} {:?} has no key {key:?}", keys.object), hint)),
        (Some(object), None) => object
            .keys()
            .find(|key| key.contains('/') || !is_safe_path(key))
            .map(|key| (format!("{kind} {:?}: key {key:?} is not a file name", keys.object), hint)),
    }
}
