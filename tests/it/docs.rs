//! Every page of the documentation is typed: its manifests are written, its commands are run, in order.
//!
//! A fenced block says by its language what it is:
//!
//! | block | what happens |
//! | --- | --- |
//! | `sh` | run by `sh -eu` in the page's folder; a line `# exits with N` says how it ends, otherwise with 0 |
//! | `yaml`, `json` with a first line `# file: NAME` | written to that file of the page's folder |
//! | `yaml` without | must be YAML |
//! | anything else | for reading |
//!
//! A comment `<!-- not run: REASON -->` above an `sh` block leaves it out; the reasons are counted here, so that
//! nothing slips out unnoticed.
//! A page's folder holds a demo that serves (`arc demo --keep-serving`), and `REGISTRY` is its address.

mod blocks;
mod gitops;
mod page;
mod parameters;
mod reference;

use std::path::{Path, PathBuf};

use self::blocks::{Block, Kind, blocks};

/// Pages in the order of the file system, as paths below the repository.
fn pages() -> Vec<PathBuf> {
    let root = root();
    let mut found = vec![root.join("README.md")];
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn name(page: &Path) -> String {
    page.strip_prefix(root()).unwrap().display().to_string()
}

#[tokio::test]
async fn every_command_in_the_documentation_does_what_the_page_says() {
    let all = pages().into_iter().map(|page| async move {
        let text = std::fs::read_to_string(&page).unwrap();
        let blocks = blocks(&text).unwrap_or_else(|problem| panic!("{}: {problem}", name(&page)));
        if blocks.iter().any(|block| block.kind == Kind::Run) {
            page::follow(&name(&page), &blocks).await
        } else {
            0
        }
    });
    let run: usize = futures::future::join_all(all).await.into_iter().sum();
    assert!(run > 20, "only {run} blocks were run; were the pages found?");
}

/// What cannot be typed here, page by page, with how often. A new one needs a reason in the page and a line here.
const NOT_RUN: &[(&str, usize)] = &[];

#[test]
fn what_is_not_run_is_known() {
    let mut found = Vec::new();
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        let count = blocks(&text)
            .unwrap()
            .iter()
            .filter(|block| matches!(block.kind, Kind::Left(_)))
            .count();
        if count > 0 {
            found.push((name(&page), count));
        }
    }
    let known: Vec<(String, usize)> =
        NOT_RUN.iter().map(|(page, count)| ((*page).to_owned(), *count)).collect();
    assert_eq!(found, known);
}

#[test]
fn every_manifest_in_the_documentation_is_yaml() {
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for block in blocks(&text).unwrap() {
            if let Kind::File(_) | Kind::Fragment = block.kind {
                check_yaml(&name(&page), &block);
            }
        }
    }
}

fn check_yaml(page: &str, block: &Block) {
    let parsed: Result<Vec<serde_json::Value>, _> = serde_saphyr::from_multiple(&block.text);
    parsed.unwrap_or_else(|error| panic!("{page}:{}: {error}", block.line));
}

/// Links between pages, and to files of the repository, lead somewhere.
#[test]
fn no_link_of_the_documentation_is_broken() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in links(&text) {
            let target = link.split('#').next().unwrap_or_default();
            let is_file =
                !target.is_empty() && !link.contains("://") && !link.starts_with("mailto:");
            if is_file && !page.parent().unwrap().join(target).exists() {
                broken.push(format!("{}: {link}", name(&page)));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// Somebody who searches the troubleshooting page for a word from a status finds it.
#[test]
fn every_reason_has_its_remedy() {
    let text = std::fs::read_to_string(root().join("docs/how-to/troubleshooting.md")).unwrap();
    let missing: Vec<_> = arc_api::Reason::ALL
        .iter()
        .filter(|reason| !text.contains(&format!("`{reason}`")))
        .collect();
    assert!(missing.is_empty(), "docs/how-to/troubleshooting.md says nothing about {missing:?}");
}
