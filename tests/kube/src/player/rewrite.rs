//! A recorded status as it would be of another Workflow: its names, ids, parameters and times.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::recording::{Event, Recording, time};

/// What to write instead of what was recorded.
#[derive(Debug)]
pub(super) struct Rewrite<'a> {
    pub(super) recording: Recording,
    /// The Workflow as it is.
    pub(super) workflow: &'a Value,
    pub(super) speed: f64,
    pub(super) result: Option<&'a str>,
    /// Added to the ends of things, for a recording that begins in the middle of another.
    pub(super) delay: SignedDuration,
}

impl Rewrite<'_> {
    /// The Workflow after an event: spec and identity are its own, all else is recorded.
    pub(super) fn apply(&self, event: &Event) -> Value {
        let mut object = self.workflow.clone();
        let recorded = &event.object;
        for field in ["labels", "annotations"] {
            for (name, value) in recorded["metadata"][field].as_object().into_iter().flatten() {
                object["metadata"][field][name] = value.clone();
            }
        }
        self.name_template(&mut object, recorded);
        let mut status = recorded["status"].clone();
        self.shift_times(&mut status, time(&recorded["metadata"]["creationTimestamp"]), self.delay);
        if let Some(nodes) = status.pointer_mut("/nodes").and_then(Value::as_object_mut) {
            *nodes = std::mem::take(nodes)
                .into_iter()
                .map(|(_, mut node)| (self.node(&mut node), node))
                .collect();
        }
        let spec = &self.workflow["spec"];
        if let Some(stored) = status.get_mut("storedWorkflowTemplateSpec") {
            stored["arguments"] = spec["arguments"].clone();
            stored["workflowTemplateRef"] = spec["workflowTemplateRef"].clone();
        }
        let templates = status.pointer_mut("/storedTemplates").and_then(Value::as_object_mut);
        if let Some(templates) = templates {
            *templates = self.templates(std::mem::take(templates));
        }
        object["status"] = status;
        object
    }

    /// Argo labels a Workflow with its template, in another label where that is of the namespace.
    fn name_template(&self, object: &mut Value, recorded: &Value) {
        const CLUSTER: &str = "workflows.argoproj.io/cluster-workflow-template";
        if recorded["metadata"]["labels"][CLUSTER].is_null() {
            return;
        }
        let reference = &self.workflow["spec"]["workflowTemplateRef"];
        let label = match reference["clusterScope"] {
            Value::Bool(true) => CLUSTER,
            _ => "workflows.argoproj.io/workflow-template",
        };
        if let Some(labels) = object["metadata"]["labels"].as_object_mut() {
            labels.remove(CLUSTER);
            labels.insert(label.to_owned(), reference["name"].clone());
        }
    }

    fn own_name(&self) -> &str {
        self.workflow["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// `succeeded.fetch` as `<name>.fetch`.
    fn name(&self, recorded: &str) -> String {
        match recorded.strip_prefix(self.recording.name()) {
            Some(rest) => format!("{}{rest}", self.own_name()),
            None => recorded.to_owned(),
        }
    }

    /// Rewrites a node and gives its id.
    fn node(&self, node: &mut Value) -> String {
        let replace = |node: &mut Value, path: &str, by: &dyn Fn(&str) -> String| {
            let value = node.pointer_mut(path);
            if let Some(value) = value.filter(|value| value.is_string()) {
                *value = by(value.as_str().unwrap_or_default()).into();
            }
        };
        replace(node, "/name", &|name| self.name(name));
        replace(node, "/displayName", &|name| self.name(name));
        replace(node, "/boundaryID", &|id| self.id_of(id));
        for path in ["/children", "/outboundNodes"] {
            for other in node.pointer_mut(path).and_then(Value::as_array_mut).into_iter().flatten()
            {
                replace(other, "", &|id| self.id_of(id));
            }
        }
        let parameters = node.pointer_mut("/outputs/parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            if let (Some(result), true) = (self.result, parameter["name"] == "result") {
                replace(parameter, "/value", &|_| result.to_owned());
            }
        }
        let id = id(self.own_name(), node["name"].as_str().unwrap_or_default());
        replace(node, "/id", &|_| id.clone());
        id
    }

    /// The id of the node that had this id in the recording.
    fn id_of(&self, recorded: &str) -> String {
        let mut nodes = self.recording.events().iter().rev();
        let name =
            nodes.find_map(|event| event.object["status"]["nodes"][recorded]["name"].as_str());
        id(self.own_name(), &self.name(name.unwrap_or(recorded)))
    }

    fn templates(&self, templates: Map<String, Value>) -> Map<String, Value> {
        let template = self.workflow["spec"]["workflowTemplateRef"]["name"].as_str();
        let own = format!("/{}/", template.unwrap_or_default());
        let recorded = format!("/{}/", self.recording.name());
        templates.into_iter().map(|(name, value)| (name.replace(&recorded, &own), value)).collect()
    }

    fn shift_times(&self, value: &mut Value, recorded: Option<Timestamp>, delay: SignedDuration) {
        let created = time(&self.workflow["metadata"]["creationTimestamp"]);
        let (Some(created), Some(recorded)) = (created, recorded) else { return };
        match value {
            Value::String(text) => {
                // Only whole values that are times: messages and parameters are longer or shorter.
                if let (20, Ok(old)) = (text.len(), text.parse::<Timestamp>()) {
                    let since = scaled(old.duration_since(recorded), self.speed) + delay;
                    let new = created.checked_add(since).unwrap_or(created);
                    *text = new.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.shift_times(item, Some(recorded), delay);
                }
            }
            Value::Object(map) => {
                for (name, item) in map {
                    let delay = if name == "startedAt" { SignedDuration::ZERO } else { delay };
                    self.shift_times(item, Some(recorded), delay);
                }
            }
            _ => {}
        }
    }
}

/// A recorded duration at another speed.
pub(super) fn scaled(recorded: SignedDuration, speed: f64) -> SignedDuration {
    let seconds = recorded.as_secs_f64() / speed;
    if seconds.is_finite() { SignedDuration::from_secs_f64(seconds) } else { SignedDuration::ZERO }
}

/// A node's id as Argo makes it: the Workflow's name and FNV-1a of the node's name, or only the former for the root.
pub(super) fn id(workflow: &str, node: &str) -> String {
    if node == workflow { workflow.to_owned() } else { format!("{workflow}-{}", fnv(node)) }
}

/// FNV-1a of 32 bits, which Argo makes ids of nodes and names of pods with.
pub(super) fn fnv(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
