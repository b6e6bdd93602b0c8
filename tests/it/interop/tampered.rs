//! Evidence that somebody changed, in every way that a registry cannot notice: what both cosigns and ARC say.
//!
//! ARC refuses whatever one of them refuses and it reads itself, and more; where cosign accepts, the table says so.

mod evidence;

use arc_tests::images::Content;
use arc_tests::lying::LyingRegistry;

use self::evidence::{Evidence, KIND, SCAN, SIGNATURE};
use super::cosign::{Cosign, text};
use super::registry::Registry;
use crate::site::{Site, clean, clean_too};

const PAYLOAD: &str = "/payload";
const ENVELOPE_SIGNATURE: &str = "/signatures/0/sig";
const NO_KEY_MATCHES: &str = "no signature of the 1 keys given matches its content";
const DOWNGRADE: &str = "a downgrade";

/// What somebody says to `verify`, and to `verify-attestation --type vuln`.
type Says = (bool, bool);
const YES: Says = (true, true);
const NO: Says = (false, false);
const NOT_SIGNED: Says = (false, true);
const NOT_SCANNED: Says = (true, false);

/// One way to tamper.
struct Case {
    name: &'static str,
    /// Gets the evidence of this image, and that of another one signed with the same key.
    tamper: fn(&mut Evidence, Evidence),
    cosign2: Says,
    cosign3: Says,
    /// What `arc verify` accepts with, or what it must name as the reason.
    arc: Result<(), &'static str>,
    /// Further arguments of `arc verify`.
    arguments: &'static [&'static str],
    /// Whether the reader has the public key of somebody else.
    by_another_key: bool,
}

const fn case(name: &'static str, tamper: fn(&mut Evidence, Evidence)) -> Case {
    Case {
        name,
        tamper,
        cosign2: NO,
        cosign3: NO,
        arc: Ok(()),
        arguments: &[],
        by_another_key: false,
    }
}

fn cases() -> Vec<Case> {
    let as_delivered: fn(&mut Evidence, Evidence) = |_, _| {};
    vec![
        Case { cosign2: YES, cosign3: YES, ..case("nothing", as_delivered) },
        Case {
            by_another_key: true,
            arc: Err(NO_KEY_MATCHES),
            ..case("nothing, but the reader has another key", as_delivered)
        },
        Case {
            arc: Err(NO_KEY_MATCHES),
            ..case("a byte of every payload", |evidence, _| {
                for piece in evidence.bundles.iter_mut().chain(&mut evidence.att) {
                    piece.change_envelopes(PAYLOAD, flip);
                }
                evidence.sig.as_mut().unwrap().layers.iter_mut().for_each(|layer| flip(layer));
            })
        },
        Case {
            arc: Err(NO_KEY_MATCHES),
            ..case("a byte of every signature", |evidence, _| {
                for piece in evidence.bundles.iter_mut().chain(&mut evidence.att) {
                    piece.change_envelopes(ENVELOPE_SIGNATURE, flip);
                }
                evidence.sig.as_mut().unwrap().change_signatures(flip);
            })
        },
        Case {
            arc: Err("it is about"),
            ..case("everything is another image's", |evidence, other| {
                let subject = evidence.bundles[0].manifest["subject"].clone();
                *evidence = other;
                for bundle in &mut evidence.bundles {
                    bundle.manifest["subject"] = subject.clone();
                }
            })
        },
        // The bundles are changed and the tags are not.
        Case {
            cosign2: YES,
            arc: Err(DOWNGRADE),
            ..case("a byte of the payload in every bundle", |evidence, _| {
                evidence.bundles_of("").for_each(|bundle| bundle.change_envelopes(PAYLOAD, flip));
            })
        },
        // cosign 3 skips what is no bundle, and goes on to the tags.
        Case {
            cosign2: YES,
            cosign3: YES,
            arc: Err(DOWNGRADE),
            ..case("a byte of every bundle's JSON", |evidence, _| {
                evidence.bundles_of("").for_each(|bundle| bundle.layers[0][0] ^= 1);
            })
        },
        // For cosign 3 any bundle by the key is a signature.
        Case {
            cosign2: YES,
            cosign3: YES,
            arc: Err(DOWNGRADE),
            ..case("a byte of the signature's bundle", |evidence, _| {
                evidence.bundles_of(SIGNATURE).for_each(|it| it.change_envelopes(PAYLOAD, flip));
            })
        },
        Case {
            cosign2: YES,
            cosign3: YES,
            arc: Err(DOWNGRADE),
            ..case("the signature's bundle is gone", |evidence, _| {
                evidence.bundles.retain(|bundle| bundle.kind() != SIGNATURE);
            })
        },
        // This is what cosign 2 leaves, and what it signed was signed.
        Case {
            cosign2: YES,
            cosign3: YES,
            ..case("all bundles are gone", |evidence, _| evidence.bundles.clear())
        },
        // The tags are changed and the bundles are not: bundles are what counts.
        Case {
            cosign3: YES,
            ..case("a byte of every payload in the tags", |evidence, _| {
                evidence.att.as_mut().unwrap().change_envelopes(PAYLOAD, flip);
                evidence.sig.as_mut().unwrap().layers.iter_mut().for_each(|layer| flip(layer));
            })
        },
        Case {
            cosign3: YES,
            ..case("both tags are gone", |evidence, _| {
                (evidence.sig, evidence.att) = (None, None);
            })
        },
        // A part is missing, or in the place of another.
        Case {
            cosign2: NOT_SIGNED,
            cosign3: YES,
            arc: Err("no valid signature (0 found)"),
            ..case("attested and not signed", |evidence, _| {
                evidence.bundles.retain(|bundle| bundle.kind() != SIGNATURE);
                evidence.sig = None;
            })
        },
        Case {
            cosign2: NOT_SIGNED,
            cosign3: YES,
            arc: Err("it is announced as"),
            ..case("an attestation announced as the signature", |evidence, _| {
                evidence.bundles.retain(|bundle| bundle.kind() != SIGNATURE);
                let scan = evidence.bundles_of(SCAN).next().unwrap();
                let mut relabelled = scan.clone();
                relabelled.manifest["annotations"][KIND] = SIGNATURE.into();
                evidence.bundles.push(relabelled);
                evidence.sig = None;
            })
        },
        Case {
            cosign2: NOT_SCANNED,
            cosign3: NOT_SCANNED,
            arc: Err("no valid vulnerability attestation"),
            ..case("signed and not attested", |evidence, _| {
                evidence.bundles.retain(|bundle| bundle.kind() == SIGNATURE);
                evidence.att = None;
            })
        },
        Case {
            cosign2: NOT_SCANNED,
            cosign3: NOT_SCANNED,
            arc: Err("no valid vulnerability attestation"),
            ..case("the attestations are another image's", |evidence, other| {
                let subject = evidence.bundles[0].manifest["subject"].clone();
                evidence.bundles.retain(|bundle| bundle.kind() == SIGNATURE);
                for mut bundle in other.bundles {
                    bundle.manifest["subject"] = subject.clone();
                    evidence.bundles.extend((bundle.kind() != SIGNATURE).then_some(bundle));
                }
                evidence.att = other.att;
            })
        },
        // Only ARC asks how old a scan is.
        Case {
            cosign2: YES,
            cosign3: YES,
            arc: Err("is older than 1 s"),
            arguments: &["--max-scan-age", "1s"],
            ..case("nothing, but the scan is too old", as_delivered)
        },
    ]
}

/// Changes one bit in the middle.
fn flip(bytes: &mut [u8]) {
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
}

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
    for (number, case) in cases().into_iter().enumerate() {
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
