//! Reads containers, scripts and container sets.

use std::collections::BTreeSet;

use super::read::{name, names, path_of};
use super::{Container, Mount, Name, Pod};
use crate::fields::{Fields, Reader};
use crate::text::Text;
use crate::yaml::Node;

/// Containers of one pod; Argo's own examples stop at a handful.
const MAX_CONTAINERS: usize = 64;
/// The name Argo gives the only container of a pod.
pub(crate) const MAIN: &str = "main";

/// Reads a `container` template.
pub(super) fn container(reader: &mut Reader<'_>, node: &Node) -> Option<(Container, Vec<Mount>)> {
    let mut fields = reader.map(node, "container");
    // A name is allowed and has no effect: Argo calls the container `main` anyway.
    fields.ignore(&["name"]);
    let mounts = mounts(reader, &mut fields);
    let container = common(reader, &mut fields, MAIN);
    reader.finish(fields);
    Some((container?, mounts))
}

/// Reads a `script` template.
pub(super) fn script(reader: &mut Reader<'_>, node: &Node) -> Option<(Container, Vec<Mount>)> {
    let mut fields = reader.map(node, "script");
    fields.ignore(&["name"]);
    let mounts = mounts(reader, &mut fields);
    let source = fields.require(reader, "source").and_then(|node| reader.text(node, "source"));
    let command_at = fields.has("command");
    let container = common(reader, &mut fields, MAIN);
    if !command_at {
        reader.refuse(node.at, "script: `command` is missing");
    }
    reader.finish(fields);
    Some((Container { source: Some(source?), ..container? }, mounts))
}

/// Reads a `containerSet` template.
pub(super) fn container_set(reader: &mut Reader<'_>, node: &Node) -> Pod {
    let mut fields = reader.map(node, "containerSet");
    let mounts = mounts(reader, &mut fields);
    let mut containers: Vec<Container> = Vec::new();
    if let Some(list) = fields.require(reader, "containers") {
        for node in reader.list(list, "containers") {
            let Some(container) = member(reader, node, &mounts) else { continue };
            if containers.iter().any(|other| other.name == container.name) {
                reader.refuse(
                    container.at,
                    format!("there is another container {:?}", container.name),
                );
                continue;
            }
            containers.push(container);
        }
    }
    if containers.len() > MAX_CONTAINERS {
        reader.refuse(node.at, format!("containerSet: more than {MAX_CONTAINERS} containers"));
    }
    reader.finish(fields);
    Pod { is_set: true, containers, mounts }
}

fn member(reader: &mut Reader<'_>, node: &Node, of_set: &[Mount]) -> Option<Container> {
    let mut fields = reader.map(node, "container");
    let name = fields.require(reader, "name").and_then(|node| name(reader, node, "name"))?;
    fields.what = format!("container {:?}", name.text);
    for mount in mounts(reader, &mut fields) {
        let known =
            of_set.iter().any(|other| other.volume == mount.volume && other.path == mount.path);
        if !known {
            // A cluster makes such a pod invalid when the volume is not mounted by the set.
            reader.refuse_with_hint(
                mount.at,
                format!(
                    "container {:?}: volume mount {:?} is not one of the set",
                    name.text, mount.volume
                ),
                "mount the volume in `containerSet.volumeMounts`",
            );
        }
    }
    let dependencies = fields
        .take("dependencies")
        .map_or_else(Vec::new, |node| names(reader, node, "dependencies"));
    let container = common(reader, &mut fields, &name.text);
    reader.finish(fields);
    Some(Container { dependencies, at: name.at, ..container? })
}

fn common(reader: &mut Reader<'_>, fields: &mut Fields<'_>, name: &str) -> Option<Container> {
    let what = fields.what.clone();
    let image = fields.require(reader, "image").and_then(|node| reader.text(node, "image"));
    let command = texts(reader, fields, "command");
    let args = texts(reader, fields, "args");
    let env = environment(reader, fields);
    let working_dir = fields
        .take("workingDir")
        .and_then(|node| path_of(reader, node, &format!("{what}: workingDir")));
    let container = Container {
        name: name.to_owned(),
        at: fields.at,
        image: image?,
        command,
        args,
        env,
        working_dir,
        source: None,
        dependencies: Vec::new(),
    };
    refuse_kubelet_expansion(reader, &container);
    Some(container)
}

fn texts(reader: &mut Reader<'_>, fields: &mut Fields<'_>, name: &str) -> Vec<Text> {
    let Some(node) = fields.take(name) else { return Vec::new() };
    reader.list(node, name).iter().filter_map(|node| reader.text(node, name)).collect()
}

fn environment(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Vec<(String, Text)> {
    let Some(node) = fields.take("env") else { return Vec::new() };
    let mut variables = Vec::new();
    for node in reader.list(node, "env") {
        let mut fields = reader.map(node, "env");
        let name = fields.require(reader, "name").and_then(|node| variable(reader, node));
        if let Some(name) = &name {
            fields.what = format!("env {:?}", name.text);
        }
        let value = match fields.take("value") {
            Some(node) => reader.text(node, "env"),
            None => Some(Text::literal("", node.at)),
        };
        reader.finish(fields);
        variables.extend(name.zip(value).map(|(name, value)| (name.text, value)));
    }
    variables
}

fn variable(reader: &mut Reader<'_>, node: &Node) -> Option<Name> {
    let text = reader.plain(node, "env")?;
    let valid = !text.is_empty()
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !valid {
        reader.refuse(node.at, format!("env: {text:?} is not a name of a variable"));
    }
    valid.then_some(Name { text, at: node.at })
}

/// On a cluster the kubelet replaces `$(NAME)` by a variable of the container, and `$$(` by `$(`.
fn refuse_kubelet_expansion(reader: &mut Reader<'_>, container: &Container) {
    let names: BTreeSet<&str> = container.env.iter().map(|(name, _)| name.as_str()).collect();
    let values = container.env.iter().map(|(_, value)| value);
    for text in values.chain(&container.command).chain(&container.args) {
        let expanded = text.literals().any(|literal| {
            literal.contains("$$(")
                || literal
                    .split("$(")
                    .skip(1)
                    .any(|rest| rest.split_once(')').is_some_and(|(name, _)| names.contains(name)))
        });
        if expanded {
            reader.refuse_with_hint(
                text.at,
                format!("container {:?}: `$(NAME)` is not supported by `arc run`", container.name),
                "write the value itself, or let the program read the variable",
            );
        }
    }
}

fn mounts(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Vec<Mount> {
    let Some(node) = fields.take("volumeMounts") else { return Vec::new() };
    let mut mounts: Vec<Mount> = Vec::new();
    for node in reader.list(node, "volumeMounts") {
        let Some(mount) = mount(reader, node) else { continue };
        if let Some(other) = mounts.iter().find(|other| overlap(&other.path, &mount.path)) {
            reader.refuse(
                mount.at,
                format!("volumeMounts: {:?} and {:?} overlap", other.path, mount.path),
            );
            continue;
        }
        mounts.push(mount);
    }
    mounts
}

fn mount(reader: &mut Reader<'_>, node: &Node) -> Option<Mount> {
    let mut fields = reader.map(node, "volumeMounts");
    let volume = fields.require(reader, "name").and_then(|node| name(reader, node, "volumeMounts"));
    let path = fields
        .require(reader, "mountPath")
        .and_then(|node| path_of(reader, node, "volumeMounts: mountPath"));
    let read_only = fields.take("readOnly").and_then(|node| reader.boolean(node, "readOnly"));
    reader.finish(fields);
    Some(Mount {
        volume: volume?.text,
        path: path?,
        read_only: read_only.unwrap_or(false),
        at: node.at,
    })
}

/// Mounts are symbolic links here, so one cannot lie inside another.
fn overlap(one: &str, other: &str) -> bool {
    let inside = |outer: &str, inner: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    inside(one, other) || inside(other, one)
}
