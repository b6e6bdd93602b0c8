//! Reads the `spec` of a `WorkflowTemplate`, template by template.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::read_container::{container, container_set, script};
use super::read_retry::retry;
use super::read_step::{dag, steps};
use super::read_volume::{claim, volume};
use super::{Kind, Name, Output, OutputSource, Parameter, Pod, Spec, Template};
use crate::fields::{Fields, Reader};
use crate::yaml::Node;

/// Argo's own limit on names of templates and steps.
const MAX_NAME_BYTES: usize = 128;

/// Reads the `spec`; whatever is not supported becomes a problem of `reader`.
pub(crate) fn read(reader: &mut Reader<'_>, node: &Node) -> Spec {
    let mut fields = reader.map(node, "spec");
    let mut spec = Spec {
        entrypoint: fields.take("entrypoint").and_then(|node| name(reader, node, "entrypoint")),
        on_exit: fields.take("onExit").and_then(|node| name(reader, node, "onExit")),
        arguments: fields
            .take("arguments")
            .map_or_else(Vec::new, |node| parameters(reader, node, "spec.arguments")),
        retry: fields.take("retryStrategy").and_then(|node| retry(reader, node)),
        deadline: fields
            .take("activeDeadlineSeconds")
            .and_then(|node| reader.duration(node, "activeDeadlineSeconds")),
        parallelism: parallelism(reader, &mut fields),
        ..Spec::default()
    };
    if let Some(node) = fields.take("volumes") {
        spec.volumes
            .extend(reader.list(node, "volumes").iter().filter_map(|node| volume(reader, node)));
    }
    if let Some(node) = fields.take("volumeClaimTemplates") {
        spec.volumes.extend(
            reader.list(node, "volumeClaimTemplates").iter().filter_map(|node| claim(reader, node)),
        );
    }
    if let Some(node) = fields.require(reader, "templates") {
        for node in reader.list(node, "templates") {
            add_template(reader, node, &mut spec.templates);
        }
    }
    reader.finish(fields);
    spec
}

fn add_template(
    reader: &mut Reader<'_>,
    node: &Node,
    templates: &mut BTreeMap<String, Arc<Template>>,
) {
    let Some(template) = template(reader, node) else { return };
    if templates.contains_key(&template.name) {
        reader.refuse(template.at, format!("there is another template {:?}", template.name));
        return;
    }
    templates.insert(template.name.clone(), Arc::new(template));
}

fn template(reader: &mut Reader<'_>, node: &Node) -> Option<Template> {
    let mut fields = reader.map(node, "template");
    let name = fields.require(reader, "name").and_then(|node| self::name(reader, node, "name"))?;
    fields.what = format!("template {:?}", name.text);
    let inputs = fields.take("inputs").map_or_else(Vec::new, |node| {
        parameters(reader, node, &format!("template {:?}: inputs", name.text))
    });
    let outputs = fields.take("outputs").map_or_else(Vec::new, |node| outputs(reader, node, &name));
    let retry = fields.take("retryStrategy").and_then(|node| retry(reader, node));
    let deadline_at = fields.take("activeDeadlineSeconds");
    let deadline = deadline_at.and_then(|node| reader.duration(node, "activeDeadlineSeconds"));
    let parallelism = parallelism(reader, &mut fields);
    let fail_fast = fields.take("failFast").and_then(|node| reader.boolean(node, "failFast"));
    let volumes = fields.take("volumes").map_or_else(Vec::new, |node| {
        reader.list(node, "volumes").iter().filter_map(|node| volume(reader, node)).collect()
    });
    let kind = kind(reader, &mut fields);
    reader.finish(fields);
    let kind = kind?;
    if let (Some(at), Kind::Steps(_) | Kind::Dag { .. }) = (deadline_at, &kind) {
        reader.refuse(
            at.at,
            format!(
                "template {:?}: activeDeadlineSeconds is only valid for templates with containers",
                name.text
            ),
        );
    }
    Some(Template {
        name: name.text,
        at: node.at,
        inputs,
        outputs,
        kind,
        retry,
        deadline,
        parallelism,
        fail_fast,
        volumes,
    })
}

fn kind(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Option<Kind> {
    let mut kinds = Vec::new();
    for name in ["steps", "dag", "container", "script", "containerSet"] {
        let Some(node) = fields.take(name) else { continue };
        kinds.push(match name {
            "steps" => Some(Kind::Steps(steps(reader, node))),
            "dag" => Some(dag(reader, node)),
            "container" => container(reader, node).map(single),
            "script" => script(reader, node).map(single),
            _ => Some(Kind::Pod(container_set(reader, node))),
        });
    }
    match kinds.len() {
        1 => kinds.pop().flatten(),
        0 => {
            let refused = ["resource", "suspend", "http", "plugin", "data"];
            if !refused.iter().any(|name| fields.has(name)) {
                reader.refuse(
                    fields.at,
                    format!(
                        "{}: expected one of steps, dag, container, script, containerSet",
                        fields.what
                    ),
                );
            }
            None
        }
        _ => {
            reader.refuse(fields.at, format!("{}: does more than one thing", fields.what));
            None
        }
    }
}

fn single((container, mounts): (super::Container, Vec<super::Mount>)) -> Kind {
    Kind::Pod(Pod { is_set: false, containers: vec![container], mounts })
}

fn parameters(reader: &mut Reader<'_>, node: &Node, what: &str) -> Vec<Parameter> {
    let mut fields = reader.map(node, what);
    let mut parameters: Vec<Parameter> = Vec::new();
    if let Some(list) = fields.take("parameters") {
        for node in reader.list(list, what) {
            let Some(parameter) = parameter(reader, node, what) else { continue };
            if parameters.iter().any(|other| other.name == parameter.name) {
                reader.refuse(
                    parameter.at,
                    format!("{what}: parameter {:?} is declared twice", parameter.name),
                );
            }
            parameters.push(parameter);
        }
    }
    reader.finish(fields);
    parameters
}

fn parameter(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Parameter> {
    let mut fields = reader.map(node, what);
    let name = fields.require(reader, "name").and_then(|node| self::name(reader, node, what));
    if let Some(name) = &name {
        fields.what = format!("{what}: parameter {:?}", name.text);
    }
    let value = fields.take("value").and_then(|node| reader.plain(node, "value"));
    let default = fields.take("default").and_then(|node| reader.plain(node, "default"));
    let allowed = fields.take("enum").map_or_else(Vec::new, |node| {
        reader.list(node, "enum").iter().filter_map(|node| reader.plain(node, "enum")).collect()
    });
    reader.finish(fields);
    name.map(|name| Parameter { name: name.text, at: name.at, default: value.or(default), allowed })
}

fn outputs(reader: &mut Reader<'_>, node: &Node, template: &Name) -> Vec<Output> {
    let what = format!("template {:?}: outputs", template.text);
    let mut fields = reader.map(node, what.clone());
    let mut outputs = Vec::new();
    if let Some(list) = fields.take("parameters") {
        outputs
            .extend(reader.list(list, &what).iter().filter_map(|node| output(reader, node, &what)));
    }
    reader.finish(fields);
    outputs
}

fn output(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Output> {
    let mut fields = reader.map(node, what);
    let name = fields.require(reader, "name").and_then(|node| self::name(reader, node, what));
    if let Some(name) = &name {
        fields.what = format!("{what}: parameter {:?}", name.text);
    }
    let from = fields.require(reader, "valueFrom");
    let what = fields.what.clone();
    reader.finish(fields);
    let mut from = reader.map(from?, format!("{what}: valueFrom"));
    let default = from.take("default").and_then(|node| reader.plain(node, "default"));
    let path = from.take("path");
    let parameter = from.take("parameter");
    let at = from.at;
    let is_refused = !from.is_empty();
    reader.finish(from);
    let source = match (path, parameter) {
        (Some(node), None) => OutputSource::Path(path_of(reader, node, &what)?),
        (None, Some(node)) => OutputSource::Parameter(reader.text(node, &what)?),
        _ if is_refused => return None,
        _ => {
            reader
                .refuse(at, format!("{what}: expected `valueFrom.path` or `valueFrom.parameter`"));
            return None;
        }
    };
    name.map(|name| Output { name: name.text, at: name.at, source, default })
}

fn parallelism(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Option<usize> {
    let node = fields.take("parallelism")?;
    let number = reader.number::<usize>(node, "parallelism")?;
    (number > 0).then_some(number)
}

/// Reads an absolute path inside a container.
pub(super) fn path_of(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<String> {
    let path = reader.plain(node, what)?;
    match path.strip_prefix('/') {
        Some(rest) if super::is_safe_path(rest.trim_end_matches('/')) => {
            Some(format!("/{}", rest.trim_end_matches('/')))
        }
        _ => {
            reader.refuse(
                node.at,
                format!("{what}: {path:?} is not an absolute path without `.`, `..`, `:` and `,`"),
            );
            None
        }
    }
}

/// Reads a name of a template, step, container or parameter.
pub(super) fn name(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Name> {
    let text = reader.plain(node, what)?;
    let valid = (1..=MAX_NAME_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && !text.starts_with('-');
    if !valid {
        reader.refuse(
            node.at,
            format!("{what}: {text:?} is not a name of letters, digits, `-` and `_`"),
        );
    }
    valid.then_some(Name { text, at: node.at })
}

/// Reads a place that must be a name, with the place of its node.
pub(super) fn names(reader: &mut Reader<'_>, node: &Node, what: &str) -> Vec<Name> {
    reader.list(node, what).iter().filter_map(|node| name(reader, node, what)).collect()
}
