//! Lists tags and repositories, in pages.

use std::path::{Path, PathBuf};

use axum::{body::Body, response::Response};
use http::header;
use serde_json::json;

use crate::{
    Registry,
    error::{Code, Refusal, Reply},
    name::Name,
    route::Head,
    store,
};

/// Which part of a sorted list a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    size: usize,
    after: Option<String>,
}

impl Page {
    /// Reads `n` and `last`; a page is never longer than `limit`.
    pub(crate) fn parse(head: &Head, limit: usize) -> Result<Self, Refusal> {
        let size = match head.query("n") {
            None => limit,
            Some(text) => text.parse::<usize>().map_or_else(
                |error| Err(Refusal::new(Code::SizeInvalid, format!("`n` is {text:?}: {error}"))),
                |size| Ok(size.min(limit)),
            )?,
        };
        Ok(Self { size, after: head.query("last").map(str::to_owned) })
    }

    /// Cuts the page out of `items`, sorted by `key`, and returns the last key when more follow.
    pub(crate) fn cut<T>(
        &self,
        mut items: Vec<T>,
        key: impl Fn(&T) -> &String,
    ) -> (Vec<T>, Option<String>) {
        if let Some(after) = &self.after {
            items.retain(|item| key(item) > after);
        }
        let has_more = items.len() > self.size;
        items.truncate(self.size);
        // An empty page cannot say where to go on.
        let next = items.last().filter(|_| has_more).map(|item| key(item).clone());
        (items, next)
    }

    /// Writes the `Link` to the page after `last` (RFC 8288).
    pub(crate) fn link(&self, path: &str, last: &str, filter: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .extend_pairs(filter)
            .append_pair("n", &self.size.to_string())
            .append_pair("last", last);
        format!("<{path}?{}>; rel=\"next\"", query.finish())
    }
}

/// GET: the tags of a repository, sorted by byte.
pub(crate) async fn tags(registry: &Registry, name: &Name, head: &Head) -> Reply {
    if !store::is_file(&registry.store().manifests(name)).await? {
        return Err(Refusal::new(Code::NameUnknown, format!("there is no repository {name}")));
    }
    let page = Page::parse(head, registry.options().page_size)?;
    let tags = store::list(&registry.store().tags(name)).await?.unwrap_or_default();
    let (tags, next) = page.cut(tags, |tag| tag);
    let link = next.map(|next| page.link(&format!("/v2/{name}/tags/list"), &next, &[]));
    answer(&json!({ "name": name.as_str(), "tags": tags }), link)
}

/// GET: the repositories that hold manifests, sorted by byte.
pub(crate) async fn catalog(registry: &Registry, head: &Head) -> Reply {
    let page = Page::parse(head, registry.options().page_size)?;
    let mut repositories = repositories(registry.store().repositories()).await?;
    repositories.sort_unstable();
    let (repositories, next) = page.cut(repositories, |name| name);
    let link = next.map(|next| page.link("/v2/_catalog", &next, &[]));
    answer(&json!({ "repositories": repositories }), link)
}

/// Walks the folders; the depth is bounded by the length of names.
async fn repositories(root: PathBuf) -> Result<Vec<String>, Refusal> {
    let mut found = Vec::new();
    let mut open = vec![(root, String::new())];
    while let Some((folder, name)) = open.pop() {
        for entry in store::list(&folder).await?.unwrap_or_default() {
            if entry == "_manifests" {
                found.push(name.clone());
            } else if !entry.starts_with('_') {
                let child = Path::new(&name).join(&entry).to_string_lossy().into_owned();
                open.push((folder.join(entry), child));
            }
        }
    }
    Ok(found)
}

fn answer(body: &serde_json::Value, link: Option<String>) -> Reply {
    let mut response = Response::builder().header(header::CONTENT_TYPE, "application/json");
    if let Some(link) = link {
        response = response.header(header::LINK, link);
    }
    response.body(Body::from(body.to_string())).map_err(|error| Refusal::response(&error))
}
