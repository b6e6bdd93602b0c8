//! Which tags are meant: by name, glob, expression, version range, and the newest of them. Pure.

use std::collections::BTreeSet;

use regex::Regex;
use serde::Deserialize;

/// Largest compiled expression in bytes, so that a file cannot take all memory.
const MAX_EXPRESSION: usize = 1 << 20;

/// What a file says about tags.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TagRules {
    /// These, whether or not the source lists them.
    pub(crate) names: Vec<String>,
    /// Those like one of these, with `*` for anything and `?` for one character.
    pub(crate) glob: Vec<String>,
    /// Those that one of these expressions matches somewhere.
    pub(crate) regex: Vec<String>,
    /// Those that are versions in this range.
    pub(crate) semver: Option<String>,
    /// Of all chosen, only so many highest versions; tags that are no versions are left out.
    pub(crate) newest: Option<usize>,
}

/// Rules that were checked.
#[derive(Debug)]
pub(crate) struct Filter {
    names: Vec<String>,
    patterns: Vec<Regex>,
    semver: Option<String>,
    newest: Option<usize>,
}

impl Filter {
    /// Checks the rules, or says what is wrong with them.
    pub(crate) fn new(rules: &TagRules) -> Result<Self, String> {
        let globs = rules.glob.iter().map(|text| glob(text));
        let expressions = rules.regex.iter().map(|text| expression(text));
        for name in &rules.names {
            arc_oci::validate_tag(name).map_err(|error| error.to_string())?;
        }
        if let Some(range) = &rules.semver {
            arc_oci::tags::select_all(range, &[]).map_err(|error| error.to_string())?;
        }
        if rules.newest == Some(0) {
            return Err("`newest` is 0, which chooses nothing; expected 1 or more".to_owned());
        }
        Ok(Self {
            names: rules.names.clone(),
            patterns: globs.chain(expressions).collect::<Result<_, _>>()?,
            semver: rules.semver.clone(),
            newest: rules.newest,
        })
    }

    /// Returns the tags when they are known without asking for a list.
    pub(crate) fn known(&self) -> Option<Vec<String>> {
        let is_list = self.patterns.is_empty() && self.semver.is_none() && self.newest.is_none();
        (is_list && !self.names.is_empty()).then(|| self.names.clone())
    }

    /// Returns what is chosen of `all`; the order is the list's, or highest version first with `newest`.
    pub(crate) fn choose(&self, all: &[String]) -> Vec<String> {
        let is_open = self.names.is_empty() && self.patterns.is_empty() && self.semver.is_none();
        let versions: BTreeSet<&str> = self
            .semver
            .iter()
            // The range was checked when the filter was made.
            .filter_map(|range| arc_oci::tags::select_all(range, all).ok())
            .flatten()
            .collect();
        let is_chosen = |tag: &&String| {
            is_open
                || self.names.contains(tag)
                || versions.contains(tag.as_str())
                || self.patterns.iter().any(|pattern| pattern.is_match(tag))
        };
        let mut chosen: Vec<String> = all.iter().filter(is_chosen).cloned().collect();
        // A name that was asked for and is missing is an error later, not a silence here.
        let missing = self.names.iter().filter(|name| !all.contains(name)).cloned();
        chosen.extend(missing);
        match self.newest {
            None => chosen,
            Some(count) => {
                let newest = arc_oci::tags::versions(&chosen).into_iter().take(count);
                newest.map(str::to_owned).collect()
            }
        }
    }
}

/// Reads a pattern with `*` and `?`, which has to match all of a name.
pub(crate) fn glob(text: &str) -> Result<Regex, String> {
    let escaped = regex::escape(text).replace(r"\*", ".*").replace(r"\?", ".");
    expression(&format!("^{escaped}$"))
}

fn expression(text: &str) -> Result<Regex, String> {
    regex::RegexBuilder::new(text)
        .size_limit(MAX_EXPRESSION)
        .build()
        .map_err(|error| format!("{text:?} is not a usable expression: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&str; 7] = ["1.0.0", "1.2.0", "1.10.0", "2.0.0-rc.1", "edge", "latest", "v2.0.0"];

    fn choose(yaml: &str) -> Vec<String> {
        let rules: TagRules =
            serde_json::from_value(crate::yaml::documents(yaml).unwrap().remove(0)).unwrap();
        Filter::new(&rules).unwrap().choose(&ALL.map(str::to_owned))
    }

    #[test]
    fn rules_add_up_and_newest_cuts() {
        for (rules, expected) in [
            ("{}", ALL.to_vec()),
            ("names: [edge]", vec!["edge"]),
            ("names: [gone]", vec!["gone"]),
            ("glob: ['1.*']", vec!["1.0.0", "1.2.0", "1.10.0"]),
            ("glob: ['?dge', 'latest']", vec!["edge", "latest"]),
            ("regex: ['^v', 'rc']", vec!["2.0.0-rc.1", "v2.0.0"]),
            ("semver: '^1'", vec!["1.0.0", "1.2.0", "1.10.0"]),
            ("{semver: '^1', names: [edge]}", vec!["1.0.0", "1.2.0", "1.10.0", "edge"]),
            ("newest: 2", vec!["v2.0.0", "2.0.0-rc.1"]),
            ("{semver: '^1', newest: 2}", vec!["1.10.0", "1.2.0"]),
        ] {
            assert_eq!(choose(rules), expected, "{rules}");
        }
    }

    #[test]
    fn wrong_rules_say_what_is_wrong() {
        let filter = |rules: TagRules| Filter::new(&rules).unwrap_err();
        let some = |text: &str| vec![text.to_owned()];
        for (rules, problem) in [
            (
                TagRules { regex: some("("), ..TagRules::default() },
                "\"(\" is not a usable expression",
            ),
            (TagRules { names: some("a b"), ..TagRules::default() }, "\"a b\" is not a tag"),
            (
                TagRules { semver: Some("x y".into()), ..TagRules::default() },
                "not a version constraint",
            ),
            (TagRules { newest: Some(0), ..TagRules::default() }, "expected 1 or more"),
        ] {
            let error = filter(rules);
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn a_list_of_names_needs_no_question() {
        let known = |rules: TagRules| Filter::new(&rules).unwrap().known();
        let names = vec!["a".to_owned()];
        assert_eq!(
            known(TagRules { names: names.clone(), ..TagRules::default() }),
            Some(names.clone())
        );
        assert_eq!(known(TagRules { names, newest: Some(1), ..TagRules::default() }), None);
        assert_eq!(known(TagRules::default()), None);
    }
}
