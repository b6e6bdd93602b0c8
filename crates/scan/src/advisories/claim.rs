//! What an advisory says about one package: which versions are affected, and from which on it is fixed.

use std::cmp::Ordering;

use crate::Severity;
use crate::ecosystem::Ecosystem;
use crate::osv;
use crate::version;

/// The advisory behind a claim, as far as findings show it.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) id: String,
    /// Other names of the same vulnerability, and the vulnerabilities a distribution's advisory is about.
    pub(crate) aliases: Vec<String>,
    pub(crate) summary: String,
    pub(crate) url: String,
}

/// What an advisory says about one package of one ecosystem.
#[derive(Debug)]
pub(crate) struct Claim {
    /// Index of the advisory.
    pub(crate) record: usize,
    pub(crate) ecosystem: Ecosystem,
    pub(crate) severity: Severity,
    pub(crate) score: Option<f64>,
    ranges: Vec<Range>,
    versions: Vec<String>,
    /// Whether neither ranges nor versions were given: then all versions are affected.
    is_unbounded: bool,
}

#[derive(Debug)]
struct Range {
    /// Sorted by version.
    events: Vec<Event>,
    /// The version must be before one of these, if there are any.
    limits: Vec<String>,
}

#[derive(Debug)]
struct Event {
    version: String,
    kind: EventKind,
}

/// Kinds of events in the order in which they apply to the same version:
/// what is fixed and introduced in one version counts as affected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum EventKind {
    Start,
    Fixed,
    Introduced,
    LastAffected,
}

/// The version that OSV uses for "before all others".
const FIRST: &str = "0";
/// The limit that OSV uses for "no limit".
const NO_LIMIT: &str = "*";

impl Claim {
    /// Takes over what is needed of an affected package.
    pub(super) fn new(
        record: usize,
        ecosystem: Ecosystem,
        rating: (Severity, Option<f64>),
        affected: osv::Affected,
    ) -> Self {
        let is_unbounded = affected.ranges.is_empty() && affected.versions.is_empty();
        let manager = ecosystem.family.manager();
        let compare = |a: &str, b: &str| version::compare(manager, a, b);
        // Ranges of commits say nothing about packages.
        let ranges =
            affected.ranges.into_iter().filter(|range| !range.kind.eq_ignore_ascii_case("GIT"));
        let ranges: Vec<Range> = ranges.map(|range| Range::new(range, &compare)).collect();
        let mut versions = affected.versions;
        // Databases list all versions that are in the ranges anyway; most of a database's size is that.
        versions.retain(|version| !ranges.iter().any(|range| range.contains(version, &compare)));
        let (severity, score) = rating;
        Self { record, ecosystem, severity, score, ranges, versions, is_unbounded }
    }

    /// Returns whether a version of the source package is affected.
    pub(crate) fn affects(&self, installed: &str) -> bool {
        let manager = self.ecosystem.family.manager();
        let compare = |a: &str, b: &str| version::compare(manager, a, b);
        self.is_unbounded
            || self.versions.iter().any(|version| compare(version, installed).is_eq())
            || self.ranges.iter().any(|range| range.contains(installed, &compare))
    }

    /// Returns the lowest fixed version above the installed one.
    pub(crate) fn fixed(&self, installed: &str) -> Option<&str> {
        let manager = self.ecosystem.family.manager();
        let events = self.ranges.iter().flat_map(|range| &range.events);
        events
            .filter(|event| event.kind == EventKind::Fixed)
            .map(|event| event.version.as_str())
            .filter(|fixed| version::compare(manager, fixed, installed).is_gt())
            .min_by(|a, b| version::compare(manager, a, b))
    }
}

impl Range {
    fn new(range: osv::Range, compare: &impl Fn(&str, &str) -> Ordering) -> Self {
        let mut events = Vec::new();
        let mut limits = Vec::new();
        for event in range.events {
            let given = [
                (event.introduced, EventKind::Introduced),
                (event.fixed, EventKind::Fixed),
                (event.last_affected, EventKind::LastAffected),
            ];
            for (version, kind) in given {
                let Some(version) = version else { continue };
                let is_start = kind == EventKind::Introduced && version == FIRST;
                events
                    .push(Event { version, kind: if is_start { EventKind::Start } else { kind } });
            }
            limits.extend(event.limit.filter(|limit| limit != NO_LIMIT));
        }
        if !events
            .iter()
            .any(|event| matches!(event.kind, EventKind::Start | EventKind::Introduced))
        {
            // A record that forgets to say since when is taken to mean since ever.
            events.push(Event { version: FIRST.to_owned(), kind: EventKind::Start });
        }
        let is_start = |event: &Event| event.kind == EventKind::Start;
        events.sort_by(|a, b| {
            let by_version = || compare(&a.version, &b.version).then(a.kind.cmp(&b.kind));
            is_start(b).cmp(&is_start(a)).then_with(by_version)
        });
        Self { events, limits }
    }

    fn contains(&self, version: &str, compare: &impl Fn(&str, &str) -> Ordering) -> bool {
        let mut is_affected = false;
        for event in &self.events {
            let position = compare(version, &event.version);
            match event.kind {
                EventKind::Start => is_affected = true,
                EventKind::Introduced if position.is_ge() => is_affected = true,
                // Distributions write "fixed in 0" for packages that never were affected.
                EventKind::Fixed if position.is_ge() || event.version == FIRST => {
                    is_affected = false;
                }
                EventKind::LastAffected if position.is_gt() => is_affected = false,
                _ => {}
            }
        }
        let is_within = self.limits.is_empty()
            || self.limits.iter().any(|limit| compare(version, limit).is_lt());
        is_affected && is_within
    }
}
