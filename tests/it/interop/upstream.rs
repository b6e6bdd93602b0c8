//! What upstream signed travels with the image and still holds at the destination, beside ours.

use serde_json::Value;

use super::cosign::{Cosign, Format, refused, text};
use super::registry::Registry;
use super::theirs::provenance;
use crate::site::{Site, clean};

#[tokio::test]
async fn upstream_signatures_hold_at_the_destination_beside_ours() {
    let Some([cosign2, cosign3]) = Cosign::both().await else { return };
    let Some([with, without]) = Registry::both().await else { return };
    cosign2.generate_key_pair().await;
    cosign3.generate_key_pair().await;
    let (tags_key, bundles_key) = (cosign2.public_key(), cosign3.public_key());
    for registry in [&with, &without] {
        clean().push(&registry.client(), "app", "1.2.3").await;
        let image = format!("{}/app@{}", registry.host(), clean().digest());
        for (cosign, format) in [(&cosign2, Format::Legacy), (&cosign3, Format::Bundle)] {
            cosign.sign(&image, format).await;
            cosign.attest(&image, "slsaprovenance1", &provenance(), format).await;
        }
    }
    for (source, destination) in [(&with, &without), (&without, &with)] {
        let site = Site::new(&source.side(), &destination.side());
        let reference = site.deliver().await;
        let ours = site.public_key();
        for key in [&tags_key, &ours] {
            cosign2.verify(key, &reference).await.expect_code(0);
            cosign2.verify_attestation(key, "slsaprovenance1", &reference).await.expect_code(0);
        }
        for key in [&bundles_key, &ours] {
            cosign3.verify(key, &reference).await.expect_code(0);
            cosign3.verify_attestation(key, "slsaprovenance1", &reference).await.expect_code(0);
        }
        // cosign 2 reads no bundles, and cosign 3 no tags once there is any bundle, upstream's or ours, unless told to.
        refused(cosign2.verify(&bundles_key, &reference).await);
        refused(cosign3.verify(&tags_key, &reference).await);
        let tags = ["--insecure-ignore-tlog=true", "--new-bundle-format=false", &reference];
        let verify = [&["verify", "--key", text(&tags_key)], &tags[..]].concat();
        cosign3.run(&verify).await.expect_code(0);
        site.verify(&format!("http://{reference}")).await.expect_code(0);
        // ARC judges each by itself, too: signatures by other keys neither help nor harm.
        for (key, origin) in [(&tags_key, "legacyTag"), (&bundles_key, "bundle")] {
            let url = format!("http://{reference}");
            let args = ["verify", &url, "--key", text(key), "--require", "slsaprovenance1"];
            let finished = site.arc.run(&[&args[..], &["-o", "json"]].concat()).await;
            let report: Value = serde_json::from_str(&finished.expect_code(0).stdout).unwrap();
            let signatures = report["signatures"].as_array().unwrap();
            let held: Vec<_> =
                signatures.iter().filter(|item| item.get("rejection").is_none()).collect();
            assert_eq!(held.len(), 1, "{report:#}");
            assert_eq!(held[0]["origin"], origin);
        }
    }
}
