//! Pushes content to any registry over plain requests: blobs, manifests by digest, and the tag last.

use futures::stream;
use reqwest::Body;

use crate::{
    client::Client,
    images::{Blob, Content},
};

impl Content {
    /// Pushes everything, and the root also under `tag`.
    pub async fn push(&self, client: &Client, repository: &str, tag: &str) {
        self.push_untagged(client, repository).await;
        client.put_manifest(repository, tag, &self.root.media_type, self.root_bytes()).await;
    }

    /// Pushes everything by digest.
    pub async fn push_untagged(&self, client: &Client, repository: &str) {
        for (digest, blob) in &self.blobs {
            let (length, body) = match blob {
                Blob::Bytes(bytes) => (bytes.len() as u64, Body::from(bytes.clone())),
                Blob::Random { recipe, size } => {
                    let pieces = recipe.pieces().map(Ok::<_, std::convert::Infallible>);
                    (*size, Body::wrap_stream(stream::iter(pieces)))
                }
            };
            client.put_blob(repository, digest, length, body).await;
        }
        for (descriptor, bytes) in &self.manifests {
            let (digest, media_type) = (&descriptor.digest, &descriptor.media_type);
            client.put_manifest(repository, digest, media_type, bytes.clone()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        images::{Content, Layer, alpine, debian},
        lying::LyingRegistry,
    };

    #[tokio::test]
    async fn pushed_content_is_what_was_made() {
        let registry = LyingRegistry::honest().await;
        let client = registry.backdoor();
        let layers =
            [debian("12", &[("openssl", "3.0.11-1")]), alpine("3.20", &[("musl", "1.2.5-r0")])];
        let (content, referrer) =
            Content::multi_arch(&layers).with_referrer("application/vnd.example", "{}");
        content.push(client, "library/a", "v1").await;

        assert_eq!(client.digest("library/a", "v1").await.as_deref(), Some(content.digest()));
        assert_eq!(client.tags("library/a").await, ["v1"]);
        assert_eq!(client.get("/v2/library/a/manifests/v1").await.body, content.root_bytes());
        for blob in content.blob_digests() {
            let answer = client.get(&format!("/v2/library/a/blobs/{blob}")).await;
            assert_eq!(crate::images::sha256(&answer.body), blob);
        }
        let referrers =
            client.get(&format!("/v2/library/a/referrers/{}", content.digest())).await.json();
        assert_eq!(referrers["manifests"][0]["digest"], referrer);
    }

    #[tokio::test]
    async fn random_layer_is_a_real_layer_of_the_promised_size() {
        let registry = LyingRegistry::honest().await;
        let client = registry.backdoor();
        let content = Content::image("linux/amd64", [Layer::Random { mebibytes: 3, seed: 7 }]);
        content.push(client, "big", "v1").await;
        let manifest = client.get("/v2/big/manifests/v1").await.json();
        let layer = manifest["layers"][0]["digest"].as_str().expect("a digest is text").to_owned();
        let body = client.get(&format!("/v2/big/blobs/{layer}")).await.body;
        assert_eq!(manifest["layers"][0]["size"], body.len());
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(body.as_ref()));
        let sizes: Vec<_> = archive.entries().unwrap().map(|entry| entry.unwrap().size()).collect();
        assert_eq!(sizes, [3 << 20]);
    }

    #[test]
    fn same_calls_give_the_same_digests_and_other_seeds_do_not() {
        let image = |seed| {
            Content::image("linux/arm/v7", [Layer::Random { mebibytes: 1, seed }])
                .digest()
                .to_owned()
        };
        assert_eq!(image(1), image(1));
        assert_ne!(image(1), image(2));
        let index = || Content::multi_arch(&[Layer::files(&[("a", "b")])]).digest().to_owned();
        assert_eq!(index(), index());
    }
}
