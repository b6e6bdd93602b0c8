//! What the public logs of Sigstore signed: an entry of the v2 log made with a plain key, checkpoints of both.

use arc_evidence::{
    LogEntry, LogKey, PublicKey,
    transparency::{Checkpoint, Error, Signed},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

const V1_KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2G2Y+2tabdTV5BcGiBIx0a9fAFwrkBbmLSGtks4L3qX6yYY0zufBnhC8Ur/iy55GhWP/9A/bY2LhC30M9+RYtw==";
const V2_KEY: &str = "MCowBQYDK2VwAyEAt8rlp1knGwjfbcXAYPYAkn0XiLz1x8O4t0YkEhie244=";
/// Who signed the entry.
const SIGNER: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE0q9Q+tdG195CXKfmUx1YatvZ/mN3rhjpOfm1lvskWprH9Pxpe9Xc6LjEJbBcVPhutkfUvBB9RDk+42SNE6/5xg==";

fn pem(der: &str) -> String {
    format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n")
}

fn keys(der: &str) -> Vec<LogKey> {
    LogKey::all_from_pem(&pem(der)).unwrap()
}

/// Entry 412114 of the log of 2025, as the log answered when it was made.
fn answer() -> Value {
    json!({
        "logIndex": "412114",
        "logId": {"keyId": "zxGZFVvd0FEmjR8WrFwMdcAJ9vtaY/QXf44Y1wUeP6A="},
        "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"},
        "integratedTime": "0",
        "inclusionPromise": null,
        "inclusionProof": {
            "logIndex": "412114",
            "rootHash": "+8vUkEgBK/ansexBUomzocaWoPEmPIzxJC/y+xNMQN4=",
            "treeSize": "412115",
            "hashes": [
                "KIoYVJ0TqmaEkFboP7YWTjSh8vFjVECmokcTOAByfIM=",
                "Umf0h0cK2hegTzNnSgsXszyiA4bp5OvEvP+GrWq3C8w=",
                "vNQeSNBfepYZI2Ez3ViKdCft0JH87ZS8IGKwixxUVjc=",
                "JBAugd5awOqmHXIKgz1MOjlR5f37VqmP0bWoRVcHX5M=",
                "xYH2mAxGxfOgvSOLnItT2LsJt+Z2a2egjf8QJFwK7jA=",
                "PbZWM3NitzChx9A22m/kddDtzh2bAKX5Fy7j76l3z2k=",
                "sKX9Sbsahvw5DiC2oP6pbZsDi1NzuNS1nIULXkCC57o=",
                "pfTCxXHnCM253jwYxVJcuUhmoTTtDxznn92QhN0M4Ws=",
                "cJ8uk2ZvZyfg+HRILKOHcyHu2pvI8Fz3R1MyMvyzWtA=",
            ],
            "checkpoint": {"envelope": "log2025-1.rekor.sigstore.dev\n412115\n+8vUkEgBK/ansexBUomzocaWoPEmPIzxJC/y+xNMQN4=\n\n\u{2014} log2025-1.rekor.sigstore.dev zxGZFahCZ/+MqTjH4rC5MWcdLDWbpetE5l30RZfQc4BQkRjWSoKipEUPjvHENeZDHIlAsuezJcLzUVvItpNjaSRoMAs=\n"},
        },
        "canonicalizedBody": STANDARD.encode(
            json!({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": {"hashedRekordV002": {
                "data": {"algorithm": "SHA2_256", "digest": "5dJ2SakUeOXY4ut1hBHPomz+hTn6tc0KTzcGosA+epE="},
                "signature": {
                    "content": SIGNATURE,
                    "verifier": {"keyDetails": "PKIX_ECDSA_P256_SHA_256", "publicKey": {"rawBytes": SIGNER}},
                },
            }}})
            .to_string(),
        ),
    })
}

const SIGNATURE: &str = "MEYCIQDcJO82nz1rrtu1DxSpruX1ogJum8dl4IiGBMPz3jYcbgIhAKwQ8wNu1On8pYfhAJCK8OqT0OOGTh/yAQ+An/e3d/dU";

#[test]
fn an_entry_of_the_public_log_holds_without_the_log() {
    let entry = LogEntry::from_v2_answer(answer().to_string().as_bytes()).unwrap();
    let signature = STANDARD.decode(SIGNATURE).unwrap();
    let digest = STANDARD.decode("5dJ2SakUeOXY4ut1hBHPomz+hTn6tc0KTzcGosA+epE=").unwrap();
    let message_sha256 = digest.try_into().unwrap();
    let signed = Signed {
        signature_der: &signature,
        key: &PublicKey::from_pem(&pem(SIGNER)).unwrap(),
        message_sha256,
        payload_sha256: [0; 32],
    };
    let summary = entry.verify(&keys(V2_KEY), &signed).unwrap();
    assert_eq!((summary.log_index, summary.tree_size), (412_114, 412_115));
    assert_eq!(summary.origin, "log2025-1.rekor.sigstore.dev");
    // The other log's key has nothing to say here.
    assert_eq!(entry.verify(&keys(V1_KEY), &signed), Err(Error::VerifyCheckpoint { keys: 1 }));
}

#[test]
fn checkpoints_of_the_public_logs_hold() {
    let v1 = |size: &str, root: &str, line: &str| {
        (
            V1_KEY,
            format!(
                "rekor.sigstore.dev - 1193050959916656506\n{size}\n{root}\n\n\u{2014} rekor.sigstore.dev {line}\n"
            ),
        )
    };
    let v2 = |size: &str, root: &str, line: &str| {
        let name = "log2025-1.rekor.sigstore.dev";
        (V2_KEY, format!("{name}\n{size}\n{root}\n\n\u{2014} {name} {line}\n"))
    };
    for (key, note) in [
        v1(
            "266676745",
            "3ZhLKI3mKUlpedQ9hiIMbJIjKr3vTc+ueViyxWqwQGA=",
            "wNI9ajBEAiAE7ER4yd8Waq4ZzLQt9BIUyfAvbizhv5PCcxk5Glf28AIgWT6LH4VlkrI8VhZnqCPigxEVzdlwVQpuRo0OsISdPGs=",
        ),
        v1(
            "1506280580",
            "ZjDd73mjc1W8RZxpRzKqh8APDj+MIHjlQC8Km8UeBpQ=",
            "wNI9ajBEAiA/pOpue/xfCkoAWy4yASWxiSN7ffSt5+xwHR+Hl8o6EgIgRmu2RQ+rGTisl0L2tETVrIJyf3h0FwfvabDGa3WTPwg=",
        ),
        v2(
            "34356369",
            "dA9mMr0smTXgo7nGsE01Zdc5KOOqTs2/zYfdSqxO+ks=",
            "zxGZFQZgTebN28s0D7vKP5gX8R+CsXCved700HCQAHgDHbdkaH3tfx7+DMPkccNhzsnSy7LijLzWMa+evZduylLs0wc=",
        ),
    ] {
        let checkpoint = Checkpoint::parse(&note).unwrap();
        let keys = [keys(V1_KEY), keys(V2_KEY)].concat();
        assert_eq!(checkpoint.verify(&keys).ok(), self::keys(key).first());
        // A larger tree than the one that was signed.
        let forged = Checkpoint::parse(&note.replacen('\n', "\n1", 1)).unwrap();
        assert_eq!(forged.verify(&keys), Err(Error::VerifyCheckpoint { keys: 2 }));
    }
}
