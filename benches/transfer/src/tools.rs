//! What is typed: each tool in the configuration its own documentation recommends for the work.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use arc_tests::peers::{Peer, require};

use crate::workloads::{Images, Item};

/// How many processes of a tool that copies one image at a time run together.
pub(crate) const PROCESSES: usize = 8;

/// A tool that is here.
#[derive(Debug, Clone)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
    pub(crate) version: String,
}

/// A tool that is not here, and why.
#[derive(Debug, Clone)]
pub(crate) struct Absent {
    pub(crate) name: &'static str,
    pub(crate) why: &'static str,
}

/// One way to do a piece of work.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    pub(crate) tool: Tool,
    /// As typed, shortened.
    pub(crate) label: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    ArcCopy,
    ArcSync,
    SkopeoCopy,
    SkopeoSync,
    CraneCopy,
    CraneAllTags,
    OrasCopy,
}

/// Looks for all tools; `arc` is the first.
pub(crate) fn find(arc: &Path) -> (Vec<Tool>, Vec<Absent>) {
    let mut tools =
        vec![Tool { name: "arc", program: arc.to_owned(), version: version(arc, "--version") }];
    let mut absent = Vec::new();
    for (peer, name, ask) in [
        (Peer::Skopeo, "skopeo", "--version"),
        (Peer::Crane, "crane", "version"),
        (Peer::Oras, "oras", "version"),
    ] {
        match require(peer) {
            Some(program) => {
                let program = fs::canonicalize(program.parent().unwrap())
                    .unwrap()
                    .join(program.file_name().unwrap());
                let version = version(&program, ask);
                tools.push(Tool { name, program, version });
            }
            None => {
                absent.push(Absent { name, why: "not unpacked on this machine; run .ci/peers" });
            }
        }
    }
    absent.extend([
        Absent { name: "regctl, regsync", why: "not in this machine's Debian release" },
        Absent { name: "ocync", why: "not published as a crate" },
    ]);
    (tools, absent)
}

/// Returns how each tool does this work.
pub(crate) fn ways(tools: &[Tool], images: Images) -> Vec<Way> {
    let mut kinds = match images {
        Images::Large(_) => vec![Kind::ArcCopy, Kind::SkopeoCopy, Kind::CraneCopy, Kind::OrasCopy],
        Images::Small(_) => vec![
            Kind::ArcSync,
            Kind::SkopeoSync,
            Kind::SkopeoCopy,
            Kind::CraneAllTags,
            Kind::CraneCopy,
            Kind::OrasCopy,
        ],
        Images::Shared { .. } => {
            vec![Kind::ArcSync, Kind::SkopeoSync, Kind::SkopeoCopy, Kind::CraneCopy, Kind::OrasCopy]
        }
    };
    let many = !matches!(images, Images::Large(_));
    kinds.retain(|kind| tools.iter().any(|tool| tool.name == kind.tool()));
    let way = |kind: Kind| {
        let tool = tools.iter().find(|tool| tool.name == kind.tool()).unwrap().clone();
        let together = if many && kind.is_one_by_one() {
            format!(", {PROCESSES} processes")
        } else {
            String::new()
        };
        Way { tool, label: format!("{}{together}", kind.label()), kind }
    };
    kinds.into_iter().map(way).collect()
}

impl Kind {
    fn tool(self) -> &'static str {
        match self {
            Self::ArcCopy | Self::ArcSync => "arc",
            Self::SkopeoCopy | Self::SkopeoSync => "skopeo",
            Self::CraneCopy | Self::CraneAllTags => "crane",
            Self::OrasCopy => "oras",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::ArcCopy => "arc copy",
            Self::ArcSync => "arc sync",
            Self::SkopeoCopy => "skopeo copy --all --preserve-digests",
            Self::SkopeoSync => "skopeo sync --all --preserve-digests",
            Self::CraneCopy => "crane copy",
            Self::CraneAllTags => "crane copy --all-tags -j 16",
            Self::OrasCopy => "oras cp -r --concurrency 10",
        }
    }

    fn is_one_by_one(self) -> bool {
        matches!(self, Self::SkopeoCopy | Self::CraneCopy | Self::OrasCopy)
    }
}

impl Way {
    /// Tells whether this is ours.
    pub(crate) fn is_ours(&self) -> bool {
        self.tool.name == "arc"
    }

    /// Returns the commands that copy `items`, writing what they read into `folder`.
    pub(crate) fn commands(
        &self,
        items: &[Item],
        source: &str,
        destination: &str,
        folder: &Path,
    ) -> Vec<Vec<String>> {
        let program = self.tool.program.to_str().unwrap();
        let one = |arguments: &[&str]| {
            let all = [&[program], arguments].concat();
            all.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let file = folder.join("sync.yaml");
        let config = file.to_str().unwrap();
        let each = |arguments: &dyn Fn(&str, &str) -> Vec<String>| {
            let names = items.iter().map(|item| {
                let name = format!("{}:{}", item.repository, item.tag);
                (format!("{source}/{name}"), format!("{destination}/mirror/{name}"))
            });
            names.map(|(from, to)| arguments(&from, &to)).collect::<Vec<_>>()
        };
        match self.kind {
            Kind::ArcCopy => {
                each(&|from, to| one(&["copy", &format!("http://{from}"), &format!("http://{to}")]))
            }
            Kind::ArcSync => {
                fs::write(&file, arc_config(items, source, destination)).unwrap();
                vec![one(&["sync", "-f", config])]
            }
            Kind::SkopeoCopy => each(&|from, to| {
                let flags = ["--insecure-policy", "copy", "--all", "--preserve-digests"];
                let tls = ["--src-tls-verify=false", "--dest-tls-verify=false"];
                let (from, to) = (format!("docker://{from}"), format!("docker://{to}"));
                one(&[&flags[..], &tls, &[&from, &to]].concat())
            }),
            Kind::SkopeoSync => {
                fs::write(&file, skopeo_config(items, source)).unwrap();
                let flags = ["--insecure-policy", "sync", "--all", "--preserve-digests"];
                let sides = ["--dest-tls-verify=false", "--src", "yaml", "--dest", "docker"];
                let to = format!("{destination}/mirror");
                vec![one(&[&flags[..], &sides, &[config, &to]].concat())]
            }
            Kind::CraneCopy => each(&|from, to| one(&["copy", "--insecure", from, to])),
            Kind::CraneAllTags => {
                let repository = &items[0].repository;
                let from = format!("{source}/{repository}");
                let to = format!("{destination}/mirror/{repository}");
                vec![one(&["copy", "--insecure", "--all-tags", "-j", "16", &from, &to])]
            }
            Kind::OrasCopy => each(&|from, to| {
                let flags = ["cp", "-r", "--no-tty", "--concurrency", "10"];
                one(&[&flags[..], &["--from-plain-http", "--to-plain-http", from, to]].concat())
            }),
        }
    }
}

/// The repositories in order, each with its tags.
fn by_repository(items: &[Item]) -> Vec<(&str, Vec<&str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for item in items {
        match found.last_mut() {
            Some((repository, tags)) if *repository == item.repository => tags.push(&item.tag),
            _ => found.push((&item.repository, vec![&item.tag])),
        }
    }
    found
}

fn arc_config(items: &[Item], source: &str, destination: &str) -> String {
    let mut text = "entries:\n".to_owned();
    for (repository, tags) in by_repository(items) {
        let tags = tags.join(", ");
        writeln!(
            text,
            "- source: http://{source}/{repository}\n  destination: http://{destination}/mirror/{repository}\n  tags: {{names: [{tags}]}}"
        )
        .unwrap();
    }
    text
}

fn skopeo_config(items: &[Item], source: &str) -> String {
    let mut text = format!("{source:?}:\n  tls-verify: false\n  images:\n");
    for (repository, tags) in by_repository(items) {
        writeln!(text, "    {repository}: {tags:?}").unwrap();
    }
    text
}

/// Asks a program for its version and keeps the number; peers that do not know theirs are packages that do.
fn version(program: &Path, ask: &str) -> String {
    let output = Command::new(program).arg(ask).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let is_number = |word: &&str| {
        word.trim_start_matches('v').starts_with(|first: char| first.is_ascii_digit())
    };
    if let Some(number) = text.split_whitespace().find(is_number) {
        return number.to_owned();
    }
    // `.ci/peers` notes beside `bin/crane`, in `crane/VERSION`, which package it unpacked.
    let note = program.parent().and_then(Path::parent).zip(program.file_name());
    let note =
        note.and_then(|(peers, name)| fs::read_to_string(peers.join(name).join("VERSION")).ok());
    note.as_deref().and_then(|note| note.split_whitespace().nth(1)).unwrap_or("unknown").to_owned()
}
