//! Reads facts out of statements whose signature held: ARC's own in full, those of others as far as the formats go.
//!
//! Nothing is required to be there: a field that is absent or of another type is a fact less, never an error.

use arc_evidence::{Statement, predicate};
use arc_oci::Digest;
use serde_json::Value;

/// How many findings are told one by one; the attestation has them all.
const MAX_FINDINGS: usize = 20;
/// How many materials of one delivery are told.
const MAX_MATERIALS: usize = 50;

/// Which question a fact answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    Source,
    Order,
    Workflow,
    Scan,
    Content,
    Policy,
    Signature,
    Log,
    Other,
}

/// One thing that a statement says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) topic: Topic,
    pub(crate) what: String,
    pub(crate) text: String,
}

impl Fact {
    pub(crate) fn new(topic: Topic, what: &str, text: impl Into<String>) -> Self {
        Self { topic, what: what.to_owned(), text: text.into() }
    }
}

/// Returns what a statement says about `subject`.
pub(crate) fn of_statement(statement: &Statement, subject: &str) -> Vec<Fact> {
    let predicate = &statement.predicate;
    match statement.predicate_type.as_str() {
        predicate::PREDICATE_SLSA_PROVENANCE => provenance(predicate, subject),
        predicate::PREDICATE_VULN => scan(predicate),
        predicate::PREDICATE_VSA => summary(predicate),
        predicate::PREDICATE_CYCLONEDX => contents("CycloneDX", predicate, "components", 0),
        // The first package of an SPDX document is the image itself.
        predicate::PREDICATE_SPDX => contents("SPDX", predicate, "packages", 1),
        other => vec![Fact::new(Topic::Other, "statement", format!("of the type {other}"))],
    }
}

/// Returns the time that a statement gives for what it says, for the order of the story.
pub(crate) fn time(statement: &Statement) -> String {
    let places = [
        "/runDetails/metadata/finishedOn",
        "/metadata/scanFinishedOn",
        "/timeVerified",
        "/metadata/timestamp",
        "/creationInfo/created",
    ];
    places.iter().find_map(|place| text(&statement.predicate, place)).unwrap_or_default()
}

fn provenance(predicate: &Value, subject: &str) -> Vec<Fact> {
    let mut facts = Facts(predicate, Vec::new());
    facts.add(Topic::Source, "source", "/buildDefinition/externalParameters/source/ref");
    facts.add(Topic::Source, "requested", "/buildDefinition/externalParameters/options/requested");
    facts.add(Topic::Source, "destination", "/buildDefinition/externalParameters/destination/ref");
    for material in list(predicate, "/buildDefinition/resolvedDependencies", MAX_MATERIALS) {
        facts.push(Topic::Source, "material", material_text(material, subject));
    }
    if let Some(policy) = predicate.pointer("/buildDefinition/internalParameters/policy") {
        // The summary names the policy by the digest of exactly this text.
        let policy = policy.to_string();
        let digest = Digest::sha256(policy.as_bytes());
        facts.push(Topic::Policy, "demands", format!("{policy}, which is {digest}"));
    }
    if let Some(text) = order_text(predicate) {
        facts.push(Topic::Order, "order", text);
    }
    let workflow = "/buildDefinition/internalParameters/workflow";
    let name = [
        text(predicate, &format!("{workflow}/namespace")),
        text(predicate, &format!("{workflow}/name")),
    ];
    let name: Vec<_> = name.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    if !name.is_empty() {
        facts.push(Topic::Workflow, "workflow", name.join("/"));
    }
    facts.add(Topic::Workflow, "run", "/runDetails/metadata/invocationId");
    let steps: Vec<_> = list(predicate, "/buildDefinition/externalParameters/steps", MAX_MATERIALS)
        .filter_map(Value::as_str)
        .collect();
    if !steps.is_empty() {
        facts.push(Topic::Workflow, "steps", steps.join(", "));
    }
    facts.add(Topic::Workflow, "began", "/runDetails/metadata/startedOn");
    facts.add(Topic::Workflow, "ended", "/runDetails/metadata/finishedOn");
    if let Some(builder) = text(predicate, "/runDetails/builder/id") {
        let version = text(predicate, "/runDetails/builder/version/arc");
        let version = version.map(|version| format!(", arc {version}")).unwrap_or_default();
        facts.push(Topic::Workflow, "builder", format!("{builder}{version}"));
    }
    facts.1
}

fn order_text(predicate: &Value) -> Option<String> {
    let order = predicate.pointer("/buildDefinition/externalParameters/order")?;
    let part = |name: &str| text(order, &format!("/{name}")).filter(|part| !part.is_empty());
    let name: Vec<_> = [part("namespace"), part("name")].into_iter().flatten().collect();
    let mut told = vec![name.join("/")];
    for name in ["artifact", "uid", "generation"] {
        told.extend(part(name).map(|value| format!("{name} {value}")));
    }
    Some(told.join(", ")).filter(|told| !told.is_empty())
}

/// Names a material; that the source's bytes are those delivered is what a transfer is about.
fn material_text(material: &Value, subject: &str) -> String {
    let name = text(material, "/name").unwrap_or_default();
    let uri = text(material, "/uri").unwrap_or_default();
    let digests = material.get("digest").and_then(Value::as_object);
    let digests: Vec<_> = digests
        .into_iter()
        .flatten()
        .filter_map(|(algorithm, hex)| Some(format!("{algorithm}:{}", hex.as_str()?)))
        .collect();
    let same = match name.as_str() {
        "source" if digests.iter().any(|digest| digest == subject) => ", the same bytes as here",
        "source" => ", OTHER BYTES than here",
        _ => "",
    };
    format!("{name} {uri} {}{same}", digests.join(" ")).trim().to_owned()
}

fn scan(predicate: &Value) -> Vec<Fact> {
    let mut facts = Facts(predicate, Vec::new());
    if let Some(verdict) = scan_verdict(predicate) {
        facts.push(Topic::Scan, "verdict", verdict);
    }
    facts.add(Topic::Scan, "ended", "/metadata/scanFinishedOn");
    let scanner = [text(predicate, "/scanner/uri"), text(predicate, "/scanner/version")];
    facts.push(Topic::Scan, "scanner", scanner.into_iter().flatten().collect::<Vec<_>>().join(" "));
    let database = text(predicate, "/scanner/db/uri").unwrap_or_default();
    let version = text(predicate, "/scanner/db/version").unwrap_or_default();
    let newest = text(predicate, "/scanner/db/lastUpdate")
        .map(|time| format!(", newest advisory {time}"))
        .unwrap_or_default();
    facts.push(Topic::Scan, "database", format!("{database} {version}{newest}").trim().to_owned());
    let findings = predicate.pointer("/scanner/result/findings").and_then(Value::as_array);
    let findings = findings.map(Vec::as_slice).unwrap_or_default();
    for finding in findings.iter().take(MAX_FINDINGS) {
        facts.push(Topic::Scan, "finding", finding_text(finding));
    }
    if findings.len() > MAX_FINDINGS {
        let rest = findings.len() - MAX_FINDINGS;
        facts.push(Topic::Scan, "finding", format!("and {rest} more in the attestation"));
    }
    facts.1
}

fn scan_verdict(predicate: &Value) -> Option<String> {
    let result = predicate.pointer("/scanner/result")?;
    let gate: Vec<_> = list(result, "/gate", MAX_MATERIALS).filter_map(Value::as_str).collect();
    let verdict = text(result, "/verdict")?;
    let counts = result.get("counts")?;
    let counted: Vec<_> = ["critical", "high", "medium", "low", "unknown"]
        .iter()
        .filter_map(|name| Some(format!("{} {name}", counts.get(*name)?.as_u64()?)))
        .collect();
    Some(format!("{verdict} by the gate {}: {}", gate.join(","), counted.join(", ")))
}

fn finding_text(finding: &Value) -> String {
    let part = |name: &str| text(finding, &format!("/{name}")).unwrap_or_default();
    let fixed = text(finding, "/fixed")
        .map_or_else(|| "no fix yet".to_owned(), |fixed| format!("fixed in {fixed}"));
    format!(
        "{} {} in {} {}, {fixed}",
        part("severity"),
        part("id"),
        part("package"),
        part("installed")
    )
}

fn summary(predicate: &Value) -> Vec<Fact> {
    let mut facts = Facts(predicate, Vec::new());
    let result = text(predicate, "/verificationResult").unwrap_or_default();
    let verifier = text(predicate, "/verifier/id").unwrap_or_default();
    facts.push(Topic::Policy, "result", format!("{result} by {verifier}"));
    facts.add(Topic::Policy, "verified", "/timeVerified");
    let digests = predicate.pointer("/policy/digest").and_then(Value::as_object);
    let digests: Vec<_> = digests
        .into_iter()
        .flatten()
        .filter_map(|(algorithm, hex)| Some(format!("{algorithm}:{}", hex.as_str()?)))
        .collect();
    let policy = text(predicate, "/policy/uri").unwrap_or_default();
    facts.push(
        Topic::Policy,
        "policy",
        format!("{policy} {}", digests.join(" ")).trim().to_owned(),
    );
    let levels: Vec<_> =
        list(predicate, "/verifiedLevels", MAX_MATERIALS).filter_map(Value::as_str).collect();
    facts.push(Topic::Policy, "levels", levels.join(", "));
    facts.add(Topic::Policy, "resource", "/resourceUri");
    facts.1
}

fn contents(format: &str, predicate: &Value, field: &str, own: usize) -> Vec<Fact> {
    let count = predicate.get(field).and_then(Value::as_array).map(Vec::len);
    let text = match count {
        Some(count) => format!("{} {field} ({format})", count.saturating_sub(own)),
        None => format!("a {format} document without {field}"),
    };
    vec![Fact::new(Topic::Content, "sbom", text)]
}

/// Collects facts of one predicate.
struct Facts<'a>(&'a Value, Vec<Fact>);

impl Facts<'_> {
    fn add(&mut self, topic: Topic, what: &str, place: &str) {
        if let Some(text) = text(self.0, place) {
            self.push(topic, what, text);
        }
    }

    fn push(&mut self, topic: Topic, what: &str, text: String) {
        if !text.is_empty() {
            self.1.push(Fact::new(topic, what, text));
        }
    }
}

fn text(value: &Value, place: &str) -> Option<String> {
    value.pointer(place)?.as_str().map(str::to_owned)
}

fn list<'a>(value: &'a Value, place: &str, limit: usize) -> impl Iterator<Item = &'a Value> {
    value.pointer(place).and_then(Value::as_array).into_iter().flatten().take(limit)
}

#[cfg(test)]
mod tests;
