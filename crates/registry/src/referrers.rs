//! Lists what refers to a manifest: the referrers API of distribution specification 1.1.

use std::collections::BTreeMap;

use axum::{body::Body, response::Response};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};

use crate::{
    Registry,
    error::{Code, Refusal, Reply},
    lists::Page,
    name::{Digest, Name},
    route::Head,
    store,
};

/// Sent exactly so, without parameters: go-containerregistry takes anything else for "no referrers API".
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The descriptor of a referring manifest, as it is listed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Referrer {
    pub(crate) media_type: String,
    pub(crate) digest: String,
    pub(crate) size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_type: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

/// GET: an index of all referrers, empty when there are none or the subject is unknown.
pub(crate) async fn list(registry: &Registry, name: &Name, subject: &Digest, head: &Head) -> Reply {
    if !registry.options().referrers_api {
        return Err(Refusal::new(Code::Unsupported, "this registry has no referrers API")
            .with_status(StatusCode::NOT_FOUND));
    }
    let wanted_type = head.query("artifactType");
    let folder = registry.store().referrers(name, subject);
    let page = Page::parse(head, registry.options().page_size)?;
    let mut referrers = Vec::new();
    for file in store::list(&folder).await?.unwrap_or_default() {
        let Some(bytes) = store::read(&folder.join(&file)).await? else { continue };
        let Ok(referrer) = serde_json::from_slice::<Referrer>(&bytes) else { continue };
        if wanted_type.is_none_or(|wanted| referrer.artifact_type.as_deref() == Some(wanted)) {
            referrers.push((file, referrer));
        }
    }
    let (referrers, next) = page.cut(referrers, |(file, _)| file);
    let manifests: Vec<Referrer> = referrers.into_iter().map(|(_, referrer)| referrer).collect();
    let index =
        serde_json::json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
    let mut response = Response::builder().header(header::CONTENT_TYPE, INDEX);
    let mut filter = Vec::new();
    if let Some(wanted) = wanted_type {
        response = response.header("oci-filters-applied", "artifactType");
        filter.push(("artifactType", wanted));
    }
    if let Some(next) = next {
        response = response.header(
            header::LINK,
            page.link(&format!("/v2/{name}/referrers/{subject}"), &next, &filter),
        );
    }
    response.body(Body::from(index.to_string())).map_err(|error| Refusal::response(&error))
}
