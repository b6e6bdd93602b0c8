//! The file of `arc sync`, read and checked as a whole before anything is asked or written.

use std::io::Read as _;
use std::path::Path;

use arc_oci::copy::Referrers;
use arc_oci::{Platform, Remote};
use arc_steps::Exit;
use serde::Deserialize;

use super::filter::{Filter, TagRules, glob};
use crate::registry_access::{parse_platform, parse_repository, read};
use crate::report::Failure;

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    entries: Vec<FileEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileEntry {
    source: String,
    destination: String,
    #[serde(default)]
    tags: TagRules,
    #[serde(default)]
    repositories: Option<Vec<String>>,
    #[serde(default)]
    platforms: Vec<String>,
    #[serde(default)]
    referrers: Option<Choice>,
}

/// Which referrers travel.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Choice {
    Switch(bool),
    Types(String),
}

impl Choice {
    fn referrers(self) -> Referrers {
        match self {
            Self::Switch(true) => Referrers::All,
            Self::Switch(false) => Referrers::None,
            Self::Types(text) => Referrers::parse(&text),
        }
    }
}

/// The file, checked.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) entries: Vec<Entry>,
}

/// One entry, checked.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) source: Scope,
    pub(super) destination: Remote,
    pub(super) tags: Filter,
    pub(super) platforms: Vec<Platform>,
    pub(super) referrers: Referrers,
}

/// Where an entry reads from.
#[derive(Debug)]
pub(super) enum Scope {
    /// One repository, which becomes the destination's prefix as it stands there.
    Repository(Remote),
    /// Repositories of a registry below a prefix; each keeps its path below the destination's prefix.
    Registry { remote: Remote, patterns: Vec<regex::Regex> },
}

impl Config {
    /// Reads a file, or standard input for `-`.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = if path == Path::new("-") { standard_input()? } else { read(path)? };
        Self::parse(&text).map_err(|problem| {
            Failure::new(Exit::WrongInput, format!("{}: {problem}", path.display()))
                .hint("`arc sync --help` shows a file")
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut documents = crate::yaml::documents(text)?;
        if documents.len() != 1 {
            return Err(format!("it has {} documents; expected one", documents.len()));
        }
        let file: File =
            serde_json::from_value(documents.remove(0)).map_err(|error| error.to_string())?;
        let check = |(index, entry)| {
            Entry::check(entry).map_err(|problem| format!("entries[{index}]: {problem}"))
        };
        let entries = file.entries.into_iter().enumerate().map(check).collect::<Result<_, _>>()?;
        Ok(Self { entries })
    }
}

impl Entry {
    fn check(entry: FileEntry) -> Result<Self, String> {
        let place = |text: &str| Remote::parse(text).map_err(|error| error.to_string());
        let message = |failure: Failure| failure.message;
        let (source, destination) = match entry.repositories {
            None => {
                let one = |text: &str| {
                    let (remote, repository) = parse_repository(text).map_err(message)?;
                    Ok::<_, String>(Remote { prefix: repository, ..remote })
                };
                (Scope::Repository(one(&entry.source)?), one(&entry.destination)?)
            }
            Some(patterns) => {
                let patterns = patterns.iter().map(|text| glob(text)).collect::<Result<_, _>>()?;
                let remote = place(&entry.source)?;
                (Scope::Registry { remote, patterns }, place(&entry.destination)?)
            }
        };
        let platforms = entry.platforms.iter().map(|text| parse_platform(text).map_err(message));
        Ok(Self {
            source,
            destination,
            tags: Filter::new(&entry.tags).map_err(|problem| format!("tags: {problem}"))?,
            platforms: platforms.collect::<Result<_, _>>()?,
            referrers: entry.referrers.map_or(Referrers::All, Choice::referrers),
        })
    }
}

fn standard_input() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|error| {
        Failure::new(Exit::WrongInput, format!("failed to read standard input: {error}"))
    })?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_file_is_said_with_its_place() {
        for (text, problem) in [
            ("entries: [{source: r.example/a}]", "missing field `destination`"),
            (
                "entries: [{source: r.example/a, destination: d.example/a, tag: x}]",
                "unknown field `tag`",
            ),
            (
                "entries: [{source: 'r.example/a:1', destination: d.example/a}]",
                "entries[0]: \"r.example/a:1\" names one image; expected a repository",
            ),
            (
                "entries: [{source: r.example/a, destination: d.example/a, tags: {glob: 'x'}}]",
                "invalid type: string \"x\", expected a sequence",
            ),
            (
                "entries: [{source: r.example/a, destination: d.example/a, tags: {newest: 0}}]",
                "entries[0]: tags: `newest` is 0, which chooses nothing; expected 1 or more",
            ),
            (
                "entries: [{source: r.example/a, destination: d.example/a, platforms: [linux]}]",
                "entries[0]: \"linux\" is not a platform; expected os/architecture",
            ),
            (
                "entries: [{source: 'ftp://r.example', destination: d.example, repositories: ['*']}]",
                "unsupported scheme",
            ),
            ("entries: []\n---\nentries: []", "it has 2 documents; expected one"),
        ] {
            let error = Config::parse(text).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn repositories_and_registries_are_told_apart_by_the_list() {
        let config = Config::parse(
            "entries:\n\
             - {source: r.example/team/a, destination: 'http://127.0.0.1:5000/mirror/a'}\n\
             - {source: 'https://r.example', destination: d.example/all, repositories: ['team/*']}",
        )
        .unwrap();
        let shown: Vec<_> = config
            .entries
            .iter()
            .map(|entry| {
                let source = match &entry.source {
                    Scope::Repository(remote) => remote.to_string(),
                    Scope::Registry { remote, patterns } => format!("{remote} {patterns:?}"),
                };
                (source, entry.destination.to_string())
            })
            .collect();
        let expected = [
            ("https://r.example/team/a", "http://127.0.0.1:5000/mirror/a"),
            ("https://r.example [Regex(\"^team/.*$\")]", "https://d.example/all"),
        ];
        assert_eq!(shown, expected.map(|(one, other)| (one.to_owned(), other.to_owned())));
    }
}
