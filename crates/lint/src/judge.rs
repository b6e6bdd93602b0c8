//! The whole judgement: read, look at each object with everything around it, leave out what is allowed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::finding::{Finding, Findings, say};
use crate::object::{Kind, Object, objects};
use crate::rules::{self, Severity};
use crate::source::{Origin, Parsed, Source};
use crate::world::World;
use crate::{artifact_type, endpoint, order, policy, schema, suppress, template};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The findings, by file and place.
    pub findings: Vec<Finding>,
    /// How many files were judged.
    pub files: usize,
}

/// How many findings of each severity there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// The files that were judged.
    pub files: usize,
    /// The errors.
    pub errors: usize,
    /// The warnings.
    pub warnings: usize,
}

impl Report {
    /// Counts the findings.
    pub fn counts(&self) -> Counts {
        let of = |severity: Severity| {
            self.findings.iter().filter(|finding| finding.severity == severity).count()
        };
        Counts { files: self.files, errors: of(Severity::Error), warnings: of(Severity::Warning) }
    }
}

/// Returns the namespaces that the sources speak about.
pub fn namespaces(sources: &[Source]) -> BTreeSet<String> {
    let parsed: Vec<_> = sources.iter().map(Parsed::new).collect();
    let mut ignored = Findings::default();
    let mut found = BTreeSet::new();
    for source in parsed.iter().filter(|source| !source.is_context()) {
        let objects = objects(source, &mut ignored).into_iter();
        let namespaced = objects.filter(|object| object.kind != Kind::Policy);
        found.extend(namespaced.map(|object| object.namespace.to_owned()));
    }
    found.remove("");
    found
}

/// Judges all sources together.
///
/// `is_complete` says that the sources of origin [`Origin::Context`] are everything that exists besides the files:
/// what is not there does not exist. Otherwise what no file could show is a warning or nothing.
pub fn lint(sources: &[Source], is_complete: bool) -> Report {
    let parsed: Vec<_> = sources.iter().map(Parsed::new).collect();
    let mut findings = Findings::default();
    let mut ignored = Findings::default();
    let mut all = Vec::new();
    // Files first: an object of a file stands for the one of the same name that the cluster has.
    for is_context in [false, true] {
        for source in parsed.iter().filter(|source| source.is_context() == is_context) {
            let findings = if is_context { &mut ignored } else { &mut findings };
            all.extend(objects(source, findings));
        }
    }
    let all = without_duplicates(all, &mut findings);
    let world = World::new(&all, is_complete);
    for object in all.iter().filter(|object| !object.source.is_context()) {
        check(object, &world, &mut findings);
    }
    let mut findings = findings.into_sorted();
    let files = parsed.iter().filter(|source| source.source.origin != Origin::Context);
    for source in files.clone() {
        suppress::apply(source, &mut findings);
    }
    findings.sort_by(|one, other| {
        let key = |finding: &Finding| (finding.line, finding.column, finding.severity);
        one.file.cmp(&other.file).then_with(|| key(one).cmp(&key(other)))
    });
    Report { findings, files: files.count() }
}

fn check(object: &Object<'_>, world: &World<'_>, findings: &mut Findings) {
    if schema::is_ours(object.kind) {
        schema::check(object, findings);
    }
    match object.kind {
        Kind::Order => order::check(object, world, findings),
        Kind::Endpoint => endpoint::check(object, world, findings),
        Kind::ArtifactType | Kind::ClusterArtifactType => {
            artifact_type::check(object, world, findings);
        }
        Kind::WorkflowTemplate | Kind::ClusterWorkflowTemplate => {
            template::check(object, findings);
        }
        Kind::Policy => policy::check(object, findings),
        Kind::ArtifactWorkflow | Kind::Secret => {}
    }
}

/// Keeps the first object of each name; a second one in the files is a finding.
fn without_duplicates<'a>(all: Vec<Object<'a>>, findings: &mut Findings) -> Vec<Object<'a>> {
    let mut first: BTreeMap<(Kind, &str, &str), Object<'a>> = BTreeMap::new();
    let mut kept = Vec::new();
    for object in all {
        let key = (object.kind, object.namespace, object.name);
        let is_named = !object.name.is_empty();
        let Some(other) = first.get(&key).filter(|_| is_named) else {
            if is_named {
                first.insert(key, object);
            }
            kept.push(object);
            continue;
        };
        if !object.source.is_context() {
            let text = say(
                format!(
                    "{} {:?} is also defined in {}:{}",
                    object.kind.as_str(),
                    object.name,
                    other.source.source.name,
                    other.node.at.line
                ),
                "keep one of the two, or rename one",
            );
            let at = object.value("metadata.name");
            findings.add(object.source, rules::DUPLICATE_OBJECT, at, text);
        }
    }
    kept
}
