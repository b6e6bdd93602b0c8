//! Lists that registries cut into pages: repositories, tags and referrers.

use reqwest::{
    Method,
    header::{ACCEPT, HeaderMap, LINK},
};
use serde::Deserialize;
use url::Url;

use crate::{
    Client, Context, Error,
    auth::Scope,
    descriptor::{media_type, null_is_default},
    request::{Body, Request, text_header},
};

/// How many entries are asked for at once; registries may give fewer.
const PAGE_LENGTH: usize = 1000;
/// How many pages are read: with our page length a million entries, and an end for registries that page in circles.
const MAX_PAGES: usize = 1000;
/// Largest page in bytes: a thousand tags of 128 bytes are far below.
const MAX_PAGE_SIZE: u64 = 8 << 20;

#[derive(Deserialize)]
struct CatalogPage {
    #[serde(default, deserialize_with = "null_is_default")]
    repositories: Vec<String>,
}

#[derive(Deserialize)]
struct TagPage {
    #[serde(default, deserialize_with = "null_is_default")]
    tags: Vec<String>,
}

impl Client {
    /// Returns the repositories of the registry, as far as it lists them; many registries do not, or not to everybody.
    pub async fn catalog(&self) -> Result<Vec<String>, Error> {
        let context = Context {
            registry: self.remote().host.clone(),
            repository: "*".to_owned(),
            action: "list the repositories".to_owned(),
        };
        let path = format!("/v2/_catalog?n={PAGE_LENGTH}");
        let url = self.inner.base.join(&path).map_err(|error| Error::ReadAnswer {
            context: Box::new(context.clone()),
            problem: format!("the URL is invalid: {error}"),
        })?;
        let request = Request {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: Body::Empty,
            scope: Scope::catalog(),
            context,
            repeats: true,
        };
        let mut repositories = Vec::new();
        let add = |page: &[u8], request: &Request| {
            let page: CatalogPage = serde_json::from_slice(page).map_err(|error| {
                request.read_answer_error(format!("the answer is not a list: {error}"))
            })?;
            repositories.extend(page.repositories);
            Ok(())
        };
        self.read_pages(request, MAX_PAGES, add).await?;
        Ok(repositories)
    }

    /// Returns all tags of a repository, in the registry's order.
    pub async fn tags(&self, repository: &str) -> Result<Vec<String>, Error> {
        let (tags, _) = self.tags_within(repository, MAX_PAGES).await?;
        Ok(tags)
    }

    /// Returns the tags when the registry lists all of them in one page, which costs one request.
    pub(crate) async fn tags_of_one_page(
        &self,
        repository: &str,
    ) -> Result<Option<Vec<String>>, Error> {
        let (tags, is_complete) = self.tags_within(repository, 1).await?;
        Ok(is_complete.then_some(tags))
    }

    async fn tags_within(
        &self,
        repository: &str,
        pages: usize,
    ) -> Result<(Vec<String>, bool), Error> {
        let path = format!("tags/list?n={PAGE_LENGTH}");
        let request =
            self.request(Method::GET, Scope::pull(repository), &path, "list tags".to_owned())?;
        let mut tags = Vec::new();
        let is_complete = self
            .read_pages(request, pages, |page, request| {
                let page: TagPage = serde_json::from_slice(page).map_err(|error| {
                    request.read_answer_error(format!("the answer is not a list of tags: {error}"))
                })?;
                tags.extend(page.tags);
                Ok(())
            })
            .await?;
        Ok((tags, is_complete))
    }

    /// Reads the pages of the referrers API and gives each to `add`.
    pub(crate) async fn read_referrer_pages(
        &self,
        scope: Scope,
        subject: &crate::Digest,
        add: impl FnMut(&[u8], &Request) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let action = format!("list referrers of {subject}");
        let request = self
            .request(Method::GET, scope, &format!("referrers/{subject}"), action)?
            .header(ACCEPT, media_type::OCI_INDEX);
        self.read_pages(request, MAX_PAGES, add).await.map(|_| ())
    }

    /// Follows `Link: <…>; rel="next"` for so many pages; returns whether the list ended by itself.
    async fn read_pages(
        &self,
        mut request: Request,
        pages: usize,
        mut add: impl FnMut(&[u8], &Request) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        for _ in 0..pages {
            let (headers, url, page) = self.send_and_read(&request, MAX_PAGE_SIZE).await?;
            add(&page, &request)?;
            let Some(next) = next_page(&headers, &url) else { return Ok(true) };
            if !self.is_own(&next) {
                return Err(request.read_answer_error("the next page is on another host"));
            }
            if next == request.url {
                return Err(request.read_answer_error("the next page is the same page again"));
            }
            request.url = next;
        }
        if pages == MAX_PAGES {
            return Err(
                request.read_answer_error(format!("the list has more than {MAX_PAGES} pages"))
            );
        }
        Ok(false)
    }
}

/// Reads the first link whose relation is `next`; it may be relative.
fn next_page(headers: &HeaderMap, url: &Url) -> Option<Url> {
    let text = text_header(headers, &LINK)?;
    let mut links = text.split('<').skip(1).filter_map(|link| link.split_once('>'));
    let (target, _) = links.find(|(_, parameters)| {
        let parameters = parameters.replace([' ', '"'], "").to_ascii_lowercase();
        parameters.split([';', ',']).any(|parameter| parameter == "rel=next")
    })?;
    url.join(target).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_the_next_page() {
        let url = Url::parse("http://r.example:5000/v2/a/tags/list?n=2").unwrap();
        for (link, expected) in [
            (
                r#"</v2/a/tags/list?n=2&last=b>; rel="next""#,
                Some("http://r.example:5000/v2/a/tags/list?n=2&last=b"),
            ),
            (r"<http://r.example:5000/x>;rel=next", Some("http://r.example:5000/x")),
            (r#"<?last=b>; rel="next""#, Some("http://r.example:5000/v2/a/tags/list?last=b")),
            (r#"</first>; rel="first", </next>; rel="next""#, Some("http://r.example:5000/next")),
            (r#"</first>; rel="first""#, None),
            ("nonsense", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(LINK, link.parse().unwrap());
            assert_eq!(next_page(&headers, &url).as_ref().map(Url::as_str), expected, "{link}");
        }
    }
}
