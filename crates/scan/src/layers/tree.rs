//! What the layers add up to: the files of interest, and the links that may lead to them.
//!
//! Paths are relative to the root, without `.`, `..` or doubled slashes. An entry's parent folders are followed
//! through links before it is placed, as containerd does, so every file has one path only.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::Error;

/// Longest chain of links, as in the Linux kernel.
const MAX_LINKS: usize = 40;
/// Most names one path may pass through, links included; the kernel allows 4096 bytes, so half as many names.
const MAX_STEPS: usize = 4096;
/// Names of the files that are kept: `os-release`, dpkg's `status` and apk's `installed`.
/// Names rather than paths, because a link may lead to them from where they are looked for.
const NAMES: [&str; 3] = ["os-release", "status", "installed"];
/// The folder of which every file is kept.
const FOLDER: &str = "status.d";
/// What a whiteout's name starts with.
const WHITEOUT: &str = ".wh.";
/// The whiteout that hides everything the lower layers have in its folder.
const OPAQUE: &str = ".wh..wh.opq";
/// What other markers' names start with; they belong to a storage driver and hide nothing.
const MARKER: &str = ".wh..wh.";

/// Returns whether a file's content is kept.
pub(super) fn is_of_interest(path: &str) -> bool {
    let (folder, name) = split(path);
    NAMES.contains(&name) || split(folder).1 == FOLDER
}

/// What a whiteout hides.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hidden {
    /// One path and everything below it.
    Path(String),
    /// Everything in a folder.
    Inside(String),
    /// Nothing.
    Nothing,
}

/// Returns what an entry of this name hides, or nothing if it is no whiteout.
pub(super) fn whiteout(name: &str) -> Option<Result<Hidden, &'static str>> {
    let clean = clean(name);
    let (folder, name) = split(&clean);
    let hidden = name.strip_prefix(WHITEOUT)?;
    Some(match name {
        OPAQUE => Ok(Hidden::Inside(folder.to_owned())),
        marker if marker.starts_with(MARKER) => Ok(Hidden::Nothing),
        _ if matches!(hidden, "" | "." | "..") => Err("a whiteout hides no name"),
        _ => Ok(Hidden::Path(join(folder, hidden))),
    })
}

/// The files of interest and links of an image.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    nodes: BTreeMap<String, Node>,
    kept_bytes: u64,
    visits: u64,
}

#[derive(Debug)]
struct Node {
    /// The layer it comes from; a whiteout hides lower layers only.
    layer: usize,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    File(Arc<[u8]>),
    Link(String),
    /// Something of interest that was not kept: too large, sparse, a device, or a link to what was not kept.
    Unread,
}

impl Tree {
    /// Returns how much memory the tree holds, in bytes of paths and contents.
    pub(super) fn kept_bytes(&self) -> u64 {
        self.kept_bytes
    }

    /// Returns how many files were looked at to see whether a whiteout hides them.
    pub(super) fn visits(&self) -> u64 {
        self.visits
    }

    /// Returns where an entry of this name goes: its parent folders followed, the entry itself not.
    pub(super) fn place(&self, name: &str) -> Result<String, Error> {
        let clean = clean(name);
        let (folder, name) = split(&clean);
        Ok(join(&self.follow(folder)?, name))
    }

    pub(super) fn put_file(&mut self, path: String, content: Vec<u8>, layer: usize) {
        self.put(path, Content::File(content.into()), layer);
    }

    pub(super) fn put_link(&mut self, path: String, target: String, layer: usize) {
        self.put(path, Content::Link(target), layer);
    }

    pub(super) fn put_hard_link(
        &mut self,
        path: String,
        target: &str,
        layer: usize,
    ) -> Result<(), Error> {
        let target = self.place(target)?;
        match self.nodes.get(&target).map(|node| node.content.clone()) {
            // A link to itself changes nothing.
            _ if target == path => {}
            Some(content) => self.put(path, content, layer),
            None => self.put_unread(path, layer),
        }
        Ok(())
    }

    /// A folder takes the place of a file or link, but what is in it stays.
    pub(super) fn put_directory(&mut self, path: &str) {
        self.remove(path);
    }

    /// Anything else takes the place of what was there, and is remembered if it is of interest.
    pub(super) fn put_unread(&mut self, path: String, layer: usize) {
        if is_of_interest(&path) {
            self.put(path, Content::Unread, layer);
        } else {
            self.remove(&path);
            self.remove_inside(&path, usize::MAX);
        }
    }

    /// Hides what the layers below the given one have.
    pub(super) fn hide(&mut self, hidden: &Hidden, layer: usize) -> Result<(), Error> {
        match hidden {
            Hidden::Nothing => {}
            Hidden::Inside(folder) => {
                let folder = self.follow(folder)?;
                self.remove_inside(&folder, layer);
            }
            Hidden::Path(path) => {
                let path = self.place(path)?;
                if self.nodes.get(&path).is_some_and(|node| node.layer < layer) {
                    self.remove(&path);
                }
                self.remove_inside(&path, layer);
            }
        }
        Ok(())
    }

    /// Returns the text of a file of interest, or nothing if there is no such file.
    ///
    /// # Errors
    ///
    /// A file that is there but was not kept is an error.
    pub(crate) fn read(&self, path: &str) -> Result<Option<String>, Error> {
        let target = self.follow(path)?;
        match self.nodes.get(&target).map(|node| &node.content) {
            Some(Content::File(content)) => Ok(Some(String::from_utf8_lossy(content).into_owned())),
            None if is_of_interest(&target) => Ok(None),
            _ => Err(Error::UnreadFile { path: path.to_owned(), target }),
        }
    }

    /// Returns the paths of the files in a folder of interest.
    pub(crate) fn list(&self, folder: &str) -> Result<Vec<String>, Error> {
        let target = self.follow(folder)?;
        if split(&target).1 != FOLDER {
            return Err(Error::UnreadFile { path: folder.to_owned(), target });
        }
        let inside = format!("{target}/");
        let paths = self.nodes.range(inside.clone()..).map(|(path, _)| path);
        let paths = paths.take_while(|path| path.starts_with(&inside));
        Ok(paths.filter(|path| !path[inside.len()..].contains('/')).cloned().collect())
    }

    /// Follows all links in a path.
    fn follow(&self, path: &str) -> Result<String, Error> {
        let mut todo: VecDeque<&str> = path.split('/').collect();
        let mut done = String::new();
        let mut n_links = 0;
        let mut n_steps = 0;
        while let Some(name) = todo.pop_front() {
            n_steps += 1;
            if n_steps > MAX_STEPS {
                return Err(Error::FollowLinks { path: path.to_owned() });
            }
            match name {
                "" | "." => continue,
                ".." => {
                    done.truncate(split(&done).0.len());
                    continue;
                }
                _ if done.is_empty() => done.push_str(name),
                _ => {
                    done.push('/');
                    done.push_str(name);
                }
            }
            if let Some(Node { content: Content::Link(target), .. }) = self.nodes.get(&done) {
                n_links += 1;
                if n_links > MAX_LINKS {
                    return Err(Error::FollowLinks { path: path.to_owned() });
                }
                let base = if target.starts_with('/') { 0 } else { split(&done).0.len() };
                done.truncate(base);
                target.rsplit('/').for_each(|name| todo.push_front(name));
            }
        }
        Ok(done)
    }

    fn put(&mut self, path: String, content: Content, layer: usize) {
        if path.is_empty() {
            return;
        }
        self.remove(&path);
        self.remove_inside(&path, usize::MAX);
        self.kept_bytes += cost(&path, &content);
        self.nodes.insert(path, Node { layer, content });
    }

    fn remove(&mut self, path: &str) {
        if let Some(node) = self.nodes.remove(path) {
            self.kept_bytes -= cost(path, &node.content);
        }
    }

    /// Removes what is in a folder and comes from a layer below the given one.
    fn remove_inside(&mut self, folder: &str, layer: usize) {
        let inside = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let nodes = self.nodes.range(inside.clone()..);
        let mut lower = Vec::new();
        for (path, node) in nodes.take_while(|(path, _)| path.starts_with(&inside)) {
            self.visits += 1;
            if node.layer < layer {
                lower.push(path.clone());
            }
        }
        for path in lower {
            self.remove(&path);
        }
    }
}

/// What a node itself takes in memory, roughly: its place in the tree.
const NODE_BYTES: u64 = 128;

fn cost(path: &str, content: &Content) -> u64 {
    let content = match content {
        Content::File(content) => content.len(),
        Content::Link(target) => target.len(),
        Content::Unread => 0,
    };
    NODE_BYTES + path.len() as u64 + content as u64
}

/// Returns a name as a path from the root; `..` cannot leave it.
fn clean(name: &str) -> String {
    let mut names = Vec::new();
    for name in name.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    names.join("/")
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
