//! Evidence that somebody changed, in every way that a registry cannot notice: what both cosigns and ARC say.
//!
//! ARC refuses whatever one of them refuses and it reads itself, and more; where cosign accepts, the table says so.

mod cases;
mod evidence;

use arc_tests::images::Content;
use arc_tests::lying::LyingRegistry;

use self::cases::{Says, cases};
use self::evidence::Evidence;
use super::cosign::{Cosign, text};
use super::registry::Registry;
use crate::site::{Site, clean, clean_too};

/// Delivers two images and returns the evidence of each.
async fn delivered() -> (Site, [Evidence; 2]) {
    let registry = Registry::WithApi(LyingRegistry::honest().await);
    let client = registry.client();
    let site = Site::new(&registry.side(), &registry.side());
    let evidence = async |image: Content| {
        image.push(&client, "app", "1.2.3").await;
        site.deliver().await;
        Evidence::read(&client, "mirror/app", image.digest()).await
    };
    let evidence = [evidence(clean()).await, evidence(clean_too()).await];
    (site, evidence)
}

async fn table(registry: Registry) {
    let Some([cosign2, cosign3]) = Cosign::both().await else { return };
    let (site, [evidence, other]) = delivered().await;
    let keys = [site.public_key(), site.manifests().join("stranger.pub")];
    let stranger = arc_evidence::KeyFiles::generate(b"").unwrap();
    std::fs::write(&keys[1], stranger.public.unwrap()).unwrap();
    let mut wrong = Vec::new();
    for (number, case) in cases().enumerate() {
        let repository = format!("case-{number}");
        clean().push(&registry.client(), &repository, "1").await;
        let mut evidence = evidence.clone();
        (case.tamper)(&mut evidence, other.clone());
        evidence.write(&registry, &repository, clean().digest()).await;

        let key = &keys[usize::from(case.by_another_key)];
        let image = format!("{}/{repository}:1", registry.host());
        let by_cosign = async |cosign: &Cosign| -> Says {
            let (signed, scanned) = tokio::join!(
                cosign.verify(key, &image),
                cosign.verify_attestation(key, "vuln", &image)
            );
            (signed.code == Some(0), scanned.code == Some(0))
        };
        let reference = format!("http://{image}");
        let args = [&["verify", &reference, "--key", text(key)], case.arguments].concat();
        let (said2, said3, ours) =
            tokio::join!(by_cosign(&cosign2), by_cosign(&cosign3), site.arc.run(&args));
        let as_expected = match case.arc {
            Ok(()) => ours.code == Some(0),
            Err(reason) => ours.code == Some(3) && ours.stdout.contains(reason),
        };
        if (said2, said3) != (case.cosign2, case.cosign3) || !as_expected {
            wrong.push(format!(
                "{}: cosign 2 {said2:?}, cosign 3 {said3:?}, arc {:?}\n{}{}",
                case.name, ours.code, ours.stdout, ours.stderr
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn tampered_evidence_is_refused_with_the_referrers_api() {
    let Some([registry, _]) = Registry::both().await else { return };
    table(registry).await;
}

#[tokio::test]
async fn tampered_evidence_is_refused_without_the_referrers_api() {
    let Some([_, registry]) = Registry::both().await else { return };
    table(registry).await;
}
