//! The containers of a template document, whatever kind of template they stand in.

use arc_engine::yaml::Node;

use super::items;

/// One container, with what it has from the template around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Container<'n> {
    pub(super) node: &'n Node,
    /// The template's name.
    template: &'n str,
    /// The set that it belongs to, whose mounts are every container's.
    pub(super) set: Option<&'n Node>,
    /// Security contexts that hold for it, its own first.
    pub(super) security: [Option<&'n Node>; 3],
    /// Whether it is a `script`, whose text is a program.
    pub(super) is_script: bool,
}

impl<'n> Container<'n> {
    /// How messages call it.
    pub(super) fn called(&self) -> String {
        match self.node.get("name").and_then(Node::text) {
            Some(name) if self.set.is_some() => format!("container {name:?}"),
            _ => format!("template {:?}", self.template),
        }
    }

    /// Command and arguments, as one line that is run.
    pub(super) fn arguments(&self) -> Vec<&'n Node> {
        ["command", "args"].into_iter().flat_map(|field| items(self.node, field)).collect()
    }

    /// Where it mounts what, the mounts of its set included.
    pub(super) fn mounts(&self) -> Vec<&'n Node> {
        let of_set = self.set.map(|set| items(set, "volumeMounts")).unwrap_or_default();
        of_set.iter().chain(items(self.node, "volumeMounts")).collect()
    }

    /// The field of the nearest security context that has it.
    pub(super) fn security(&self, field: &str) -> Option<&'n Node> {
        self.security.iter().flatten().find_map(|context| context.get(field))
    }
}

/// Every container of a template document.
pub(super) fn all(document: &Node) -> Vec<Container<'_>> {
    let mut all = Vec::new();
    let Some(spec) = document.get("spec") else { return all };
    for template in items(spec, "templates") {
        let name = template.get("name").and_then(Node::text).unwrap_or_default();
        let mut add = |node, set, is_script| {
            let outer = [template.get("securityContext"), spec.get("securityContext")];
            let security = [Node::get(node, "securityContext"), outer[0], outer[1]];
            all.push(Container { node, template: name, set, security, is_script });
        };
        for (field, is_script) in [("container", false), ("script", true)] {
            if let Some(node) = template.get(field) {
                add(node, None, is_script);
            }
        }
        if let Some(set) = template.get("containerSet") {
            for node in items(set, "containers") {
                add(node, Some(set), false);
            }
        }
        for field in ["initContainers", "sidecars"] {
            for node in items(template, field) {
                add(node, None, false);
            }
        }
    }
    all
}
