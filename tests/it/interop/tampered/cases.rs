//! The table: each way to tamper, and who says what.

use super::evidence::{Evidence, KIND, SCAN, SIGNATURE};

const PAYLOAD: &str = "/payload";
const ENVELOPE_SIGNATURE: &str = "/signatures/0/sig";
const NO_KEY_MATCHES: &str = "no signature of the 1 keys given matches its content";
const DOWNGRADE: &str = "a downgrade";

/// What somebody says to `verify`, and to `verify-attestation --type vuln`.
pub(super) type Says = (bool, bool);
const YES: Says = (true, true);
const NO: Says = (false, false);
const NOT_SIGNED: Says = (false, true);
const NOT_SCANNED: Says = (true, false);

/// One way to tamper.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// Gets the evidence of this image, and that of another one signed with the same key.
    pub(super) tamper: fn(&mut Evidence, Evidence),
    pub(super) cosign2: Says,
    pub(super) cosign3: Says,
    /// What `arc verify` accepts with, or what it must name as the reason.
    pub(super) arc: Result<(), &'static str>,
    /// Further arguments of `arc verify`.
    pub(super) arguments: &'static [&'static str],
    /// Whether the reader has the public key of somebody else.
    pub(super) by_another_key: bool,
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

/// Returns all ways.
pub(super) fn cases() -> impl Iterator<Item = Case> {
    [untouched(), everywhere(), bundles(), tags(), parts()].into_iter().flatten()
}

fn as_delivered(_: &mut Evidence, _: Evidence) {}

/// Nothing is changed, and the reader decides.
fn untouched() -> Vec<Case> {
    vec![
        Case { cosign2: YES, cosign3: YES, ..case("nothing", as_delivered) },
        Case {
            by_another_key: true,
            arc: Err(NO_KEY_MATCHES),
            ..case("nothing, but the reader has another key", as_delivered)
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

/// Bundles and tags are changed alike.
fn everywhere() -> Vec<Case> {
    vec![
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
    ]
}

/// The bundles are changed, and the tags are not.
fn bundles() -> Vec<Case> {
    vec![
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
        Case {
            cosign2: YES,
            cosign3: NOT_SCANNED,
            arc: Err(DOWNGRADE),
            ..case("a byte of the scan's bundle", |evidence, _| {
                evidence.bundles_of(SCAN).for_each(|it| it.change_envelopes(PAYLOAD, flip));
            })
        },
        Case {
            cosign2: YES,
            cosign3: NOT_SCANNED,
            arc: Err(DOWNGRADE),
            ..case("the scan's bundle is gone", |evidence, _| {
                evidence.bundles.retain(|bundle| bundle.kind() != SCAN);
            })
        },
        // This is what cosign 2 leaves, and what it signed was signed.
        Case {
            cosign2: YES,
            cosign3: YES,
            ..case("all bundles are gone", |evidence, _| evidence.bundles.clear())
        },
    ]
}

/// The tags are changed, and the bundles, which are what counts, are not.
fn tags() -> Vec<Case> {
    vec![
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
    ]
}

/// A part is missing, or in the place of another.
fn parts() -> Vec<Case> {
    vec![
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
    ]
}

/// Changes one bit in the middle.
fn flip(bytes: &mut [u8]) {
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
}
