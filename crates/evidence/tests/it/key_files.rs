//! Key files: what opens, what is refused, what is never shown.

use arc_evidence::{
    KeyFiles, KeyInfo, PublicKey, Signer, SigningKey, dsse,
    keys::{Encryption, PublicInfo, is_encrypted},
};
use p256::{SecretKey, pkcs8::EncodePrivateKey as _, pkcs8::LineEnding};

use crate::fixture::{kat, kat_files, key, other_key};

#[test]
fn written_key_files_open_again_with_their_password_only() {
    for password in ["", "secret", "with line break\n", "pässwörd"] {
        let pem = key().to_cosign_pem(password.as_bytes()).unwrap();
        assert!(
            pem.starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n")
                && is_encrypted(&pem)
        );
        assert!(pem.lines().all(|line| line.len() <= 64));
        let opened = SigningKey::from_pem(&pem, password.as_bytes()).unwrap();
        assert_eq!(opened.public(), key().public());
    }
    let pem = key().to_cosign_pem(b"secret").unwrap();
    let refused = |password: &[u8]| SigningKey::from_pem(&pem, password).unwrap_err().to_string();
    assert_eq!(refused(b"other"), "failed to decrypt the private key: wrong password");
    assert_eq!(
        refused(b""),
        "failed to decrypt the private key: wrong password (the empty password was given)"
    );
    assert_eq!(
        refused(b"secret\n"),
        "failed to decrypt the private key: wrong password (it ends with a line break, which counts; write the file without one)"
    );
}

#[test]
fn the_old_label_windows_line_ends_and_text_around_the_block_do_not_matter() {
    let old = kat("key").replace("SIGSTORE", "COSIGN").replace('\n', "\r\n");
    let opened = SigningKey::from_pem(&format!("made for a test\n{old}\n\n"), b"sample").unwrap();
    assert_eq!(opened.public(), key().public());
}

#[test]
fn keys_without_encryption_open_and_ignore_the_password() {
    let secret = SecretKey::from_slice(&[7; 32]).unwrap();
    let public = PublicKey::from(p256::ecdsa::VerifyingKey::from(secret.public_key()));
    let sec1 = secret.to_sec1_pem(LineEnding::LF).unwrap();
    // As `openssl ecparam -name prime256v1 -genkey` writes it.
    let openssl = format!(
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{}",
        *sec1
    );
    for pem in [secret.to_pkcs8_pem(LineEnding::LF).unwrap().to_string(), sec1.to_string(), openssl]
    {
        assert_eq!(SigningKey::from_pem(&pem, b"ignored").unwrap().public(), public);
        assert!(!is_encrypted(&pem));
        let files = KeyFiles { key: pem.into(), password: None, public: None };
        assert_eq!(files.open().unwrap().public(), public);
    }
}

/// The JSON of the vector's key file with one change, as a PEM file.
fn changed(from: &str, to: &str) -> String {
    let json = kat("keyjson");
    assert!(json.contains(from), "{from}");
    pem("ENCRYPTED SIGSTORE PRIVATE KEY", json.replacen(from, to, 1).as_bytes())
}

fn pem(label: &str, content: &[u8]) -> String {
    use base64::Engine as _;
    let body = base64::engine::general_purpose::STANDARD.encode(content);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

#[test]
fn costs_other_than_cosigns_are_refused_before_they_are_paid() {
    for (from, to, shown) in [
        ("\"N\":65536", "\"N\":1073741824", "N=1073741824 r=8 p=1"),
        ("\"N\":65536", "\"N\":65535", "N=65535 r=8 p=1"),
        ("\"N\":65536", "\"N\":2", "N=2 r=8 p=1"),
        ("\"N\":65536", "\"N\":0", "N=0 r=8 p=1"),
        ("\"r\":8", "\"r\":1024", "N=65536 r=1024 p=1"),
        ("\"p\":1", "\"p\":4294967296", "N=65536 r=8 p=4294967296"),
    ] {
        let error = SigningKey::from_pem(&changed(from, to), b"sample").unwrap_err().to_string();
        let expected = "expected N 32768, 65536 or 131072 with r=8 p=1";
        assert_eq!(error, format!("refused encrypted key file: scrypt cost {shown}; {expected}"));
    }
    for cost in ["32768", "131072"] {
        let error =
            SigningKey::from_pem(&changed("65536", cost), b"sample").unwrap_err().to_string();
        assert_eq!(
            error, "failed to decrypt the private key: wrong password",
            "the cost {cost} is tried"
        );
    }
}

#[test]
fn broken_key_files_are_explained() {
    let salt = "Y0ea1poJCyWCd+yPum+ZQZov+ySJgVEGV8lEzNEUjpc=";
    for (pem, expected) in [
        (String::new(), "invalid key file: there is no PEM block in it"),
        ("-----BEGIN X-----\nAAAA\n".to_owned(), "invalid key file: a PEM block has no end line"),
        (
            "-----BEGIN X-----\n!\n-----END X-----\n".to_owned(),
            "invalid key file: the base64 inside a PEM block is broken, or the block has headers",
        ),
        (
            pem("RSA PRIVATE KEY", b"x"),
            "invalid key file: found a PEM block \"RSA PRIVATE KEY\"; expected one of \"ENCRYPTED SIGSTORE PRIVATE KEY\", \"ENCRYPTED COSIGN PRIVATE KEY\", \"PRIVATE KEY\", \"EC PRIVATE KEY\"",
        ),
        (
            pem("PRIVATE KEY", b"x"),
            "invalid private key: it is not an ECDSA P-256 key; make one with `arc keys generate` or `cosign generate-key-pair`",
        ),
        (
            changed("scrypt", "argon2"),
            "invalid encrypted key file: key derivation \"argon2\"; expected \"scrypt\"",
        ),
        (
            changed("nacl/secretbox", "none"),
            "invalid encrypted key file: cipher \"none\"; expected \"nacl/secretbox\"",
        ),
        (changed(salt, "AAAA"), "invalid encrypted key file: the salt is not base64 of 32 bytes"),
        (
            changed("eDd7UldXtJRCf4kBT5fXmSjzk40U61Hi", ""),
            "invalid encrypted key file: the nonce is not base64 of 24 bytes",
        ),
        ("x".repeat(65537), "invalid key file: it has 65537 bytes, a key file has at most 65536"),
    ] {
        assert_eq!(SigningKey::from_pem(&pem, b"sample").unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_flipped_bit_in_the_ciphertext_is_a_wrong_password() {
    let error =
        SigningKey::from_pem(&changed("\"ciphertext\":\"t7EW", "\"ciphertext\":\"t7EX"), b"sample")
            .unwrap_err();
    assert_eq!(error.to_string(), "failed to decrypt the private key: wrong password");
}

#[test]
fn a_folder_of_key_files_opens_only_if_they_belong_together() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let open = || {
        KeyFiles::read(folder.path()).and_then(|files| files.open()).map(|key| key.public().hint())
    };
    let missing = format!("failed to read key file {:?}", folder.path().join("cosign.key"));
    assert_eq!(open().unwrap_err().to_string(), missing);
    write("cosign.key", &kat("key"));
    assert_eq!(
        open().unwrap_err().to_string(),
        "failed to decrypt the private key: \"cosign.password\" is missing (an empty file means the empty password)"
    );
    write("cosign.password", "sample");
    assert_eq!(open().unwrap(), kat("hint"));
    write("cosign.pub", &other_key().public().to_pem());
    assert_eq!(
        open().unwrap_err().to_string(),
        format!(
            "public and private key do not belong together: cosign.pub has the hint {:?}, the private key {:?}",
            other_key().public().hint(),
            kat("hint")
        )
    );
    write("cosign.pub", &kat("pub"));
    assert_eq!(open().unwrap(), kat("hint"));
}

#[test]
fn a_generated_key_pair_opens() {
    let files = KeyFiles::generate(b"").unwrap();
    assert_eq!(files.open().unwrap().public().to_pem(), files.public.clone().unwrap());
}

#[test]
fn nothing_secret_is_printed() {
    assert_eq!(format!("{:?} {:?}", key(), kat_files()), "[redacted] [redacted]");
}

#[test]
fn a_public_key_file_may_hold_a_set_where_a_set_is_wanted() {
    let both = format!("{}{}", kat("pub"), other_key().public().to_pem());
    assert_eq!(PublicKey::all_from_pem(&both).unwrap(), [key().public(), other_key().public()]);
    for (text, expected) in [
        (both.as_str(), "invalid key file: there is more than one public key in it"),
        (
            &kat("key"),
            "invalid key file: found a PEM block \"ENCRYPTED SIGSTORE PRIVATE KEY\"; expected one of \"PUBLIC KEY\"",
        ),
        (
            &pem("PUBLIC KEY", b"x"),
            "invalid public key: it is not an ECDSA P-256 key; make one with `arc keys generate` or `cosign generate-key-pair`",
        ),
    ] {
        assert_eq!(PublicKey::from_pem(text).unwrap_err().to_string(), expected);
    }
}

#[test]
fn key_files_say_what_they_are_without_the_password() {
    let public =
        PublicInfo { algorithm: "ECDSA P-256", hint: kat("hint"), key_id: key().public().key_id() };
    let encryption = Encryption {
        kdf: "scrypt".to_owned(),
        n: 65536,
        r: 8,
        p: 1,
        cipher: "nacl/secretbox".to_owned(),
    };
    let closed = KeyInfo {
        label: "ENCRYPTED SIGSTORE PRIVATE KEY".to_owned(),
        encryption: Some(encryption),
        public: None,
    };
    let open = KeyInfo { public: Some(public.clone()), ..closed.clone() };
    let of_public =
        KeyInfo { label: "PUBLIC KEY".to_owned(), encryption: None, public: Some(public) };
    assert_eq!(KeyInfo::read(&kat("key")).unwrap(), closed);
    assert_eq!(KeyInfo::open(&kat("key"), b"sample").unwrap(), open);
    assert_eq!(KeyInfo::read(&kat("pub")).unwrap(), of_public);
    assert_eq!(KeyInfo::open(&kat("pub"), b"ignored").unwrap(), of_public);
    let wrong = KeyInfo::open(&kat("key"), b"other").unwrap_err().to_string();
    assert_eq!(wrong, "failed to decrypt the private key: wrong password");
    assert_eq!(
        KeyInfo::read("text").unwrap_err().to_string(),
        "invalid key file: there is no PEM block in it"
    );
    assert_eq!(
        serde_json::to_value(&closed).unwrap(),
        serde_json::json!({
            "label": "ENCRYPTED SIGSTORE PRIVATE KEY",
            "encryption": {"kdf": "scrypt", "n": 65536, "r": 8, "p": 1, "cipher": "nacl/secretbox"},
        })
    );
}

#[test]
fn a_signer_signs_like_its_key() {
    let signer = Signer::from(key().clone());
    assert_eq!(signer.public(), key().public());
    let payload = b"payload".to_vec();
    let envelope = dsse::sign_with(&signer, "text/plain", payload.clone()).unwrap();
    assert_eq!(envelope, dsse::sign(key(), "text/plain", payload));
    assert_eq!(format!("{signer:?}"), "Key([redacted])");
}
