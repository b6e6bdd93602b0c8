//! `arc referrers`: what refers to an image and its platforms, and to that in turn, as a tree.

use std::collections::BTreeSet;

use arc_oci::{Client, Descriptor, Digest, Kind, Manifest, Reference};
use arc_steps::Exit;
use serde::Serialize;

use crate::cli::{Output, Referrers};
use crate::registry_access::{connect, failed, nothing_at, parse_reference};
use crate::report::Failure;

/// How deep the tree is drawn; real ones have three levels.
const MAX_DEPTH: usize = 8;
/// How many manifests are asked about, so that a hostile registry cannot keep us forever.
const MAX_NODES: usize = 2000;
/// Suffixes of cosign's tags.
const COSIGN_SUFFIXES: [&str; 3] = ["sig", "att", "sbom"];

/// One manifest of the tree.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    /// How it belongs to what is above it.
    relation: Relation,
    /// Its artifact type, platform or tag.
    what: String,
    digest: String,
    size: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    children: Vec<Self>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Relation {
    Root,
    Platform,
    Referrer,
    CosignTag,
}

/// Runs the command.
pub(crate) async fn run(args: &Referrers) -> Result<Exit, Failure> {
    let (remote, reference) = parse_reference(&args.reference)?;
    let client = connect(&args.registry, remote, &reference.repository)?;
    let name = reference.tag_or_digest();
    let found = client.resolve(&reference.repository, &name).await.map_err(failed)?;
    let root = found.ok_or_else(|| nothing_at(&reference))?;
    let mut walk = Walk { client: &client, reference: &reference, seen: BTreeSet::new() };
    let tree = walk.root(&root).await?;
    match args.output {
        Output::Json => print_json(&reference, &tree)?,
        Output::Text => print_text(&reference, &tree),
    }
    Ok(Exit::Done)
}

struct Walk<'a> {
    client: &'a Client,
    reference: &'a Reference,
    seen: BTreeSet<Digest>,
}

impl Walk<'_> {
    async fn root(&mut self, root: &Descriptor) -> Result<Node, Failure> {
        let raw = self.client.manifest(&self.reference.repository, &root.digest.to_string()).await;
        let raw = raw.map_err(failed)?;
        let manifest = Manifest::parse(&raw).map_err(|error| Failure::input(&error))?;
        let mut node = self.node(Relation::Root, raw.media_type.clone(), root, 0).await?;
        if manifest.kind == Kind::Index {
            for child in &manifest.children {
                let platform = child.platform.as_ref().map(ToString::to_string);
                let what = platform.unwrap_or_else(|| child.media_type.clone());
                node.children.push(self.node(Relation::Platform, what, child, 0).await?);
            }
        }
        Ok(node)
    }

    /// Asks for everything that refers to a manifest, and to that in turn.
    async fn node(
        &mut self,
        relation: Relation,
        what: String,
        descriptor: &Descriptor,
        depth: usize,
    ) -> Result<Node, Failure> {
        let digest = &descriptor.digest;
        let mut node = Node {
            relation,
            what,
            digest: digest.to_string(),
            size: descriptor.size,
            children: Vec::new(),
        };
        // Digests cannot form a circle, but lists that clients keep can.
        if depth >= MAX_DEPTH || !self.seen.insert(digest.clone()) {
            return Ok(node);
        }
        if self.seen.len() > MAX_NODES {
            let message = format!("{} has more than {MAX_NODES} referrers", self.reference);
            return Err(Failure::new(Exit::WrongInput, message));
        }
        let repository = &self.reference.repository;
        for referrer in self.client.referrers(repository, digest).await.map_err(failed)? {
            let what =
                referrer.artifact_type.clone().unwrap_or_else(|| referrer.media_type.clone());
            let below = self.node(Relation::Referrer, what, &referrer, depth + 1);
            node.children.push(Box::pin(below).await?);
        }
        if matches!(relation, Relation::Root | Relation::Platform) {
            self.add_cosign_tags(&mut node, digest).await?;
        }
        Ok(node)
    }

    async fn add_cosign_tags(&self, node: &mut Node, subject: &Digest) -> Result<(), Failure> {
        for suffix in COSIGN_SUFFIXES {
            let tag = subject.legacy_tag(suffix);
            let found = self.client.resolve(&self.reference.repository, &tag).await;
            if let Some(found) = found.map_err(failed)? {
                node.children.push(Node {
                    relation: Relation::CosignTag,
                    what: tag,
                    digest: found.digest.to_string(),
                    size: found.size,
                    children: Vec::new(),
                });
            }
        }
        Ok(())
    }
}

#[expect(clippy::print_stdout, reason = "the outcome")]
fn print_json(reference: &Reference, tree: &Node) -> Result<(), Failure> {
    let mut value = serde_json::to_value(tree).map_err(|error| Failure::failed(&error))?;
    value["reference"] = reference.to_string().into();
    println!("{value:#}");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the outcome")]
fn print_text(reference: &Reference, tree: &Node) {
    println!("{reference}  {}", tree.digest);
    let mut lines = Vec::new();
    draw(tree, "", &mut lines);
    for line in lines {
        println!("{line}");
    }
    if tree.children.is_empty() {
        println!("nothing refers to it");
    }
}

fn draw(node: &Node, indent: &str, lines: &mut Vec<String>) {
    for (index, child) in node.children.iter().enumerate() {
        let is_last = index + 1 == node.children.len();
        let (branch, below) =
            if is_last { ("└── ", "    ") } else { ("├── ", "│   ") };
        lines.push(format!("{indent}{branch}{}  {}", child.what, child.digest));
        draw(child, &format!("{indent}{below}"), lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(what: &str, children: Vec<Node>) -> Node {
        let (what, digest) = (what.to_owned(), "d".to_owned());
        Node { relation: Relation::Referrer, what, digest, size: 1, children }
    }

    #[test]
    fn trees_are_drawn_with_branches() {
        let tree =
            node("root", vec![node("a", vec![node("b", Vec::new())]), node("c", Vec::new())]);
        let mut lines = Vec::new();
        draw(&tree, "", &mut lines);
        assert_eq!(lines, ["├── a  d", "│   └── b  d", "└── c  d"]);
    }
}
