//! Certificates and keys of one server, as files beside its data.

use std::{fs, path::Path};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use serde_json::{Value, json};

/// The names and addresses the server certificate is good for.
const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];
/// Whoever is in this group may do everything.
const ADMINISTRATORS: &str = "system:masters";

/// Makes an authority, a certificate for the server, one for the administrator, and the key pair that signs the
/// tokens of service accounts.
pub(super) fn write(folder: &Path) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, "ARC test authority");
    let authority = params.self_signed(&key).unwrap();
    fs::write(folder.join("authority.pem"), authority.pem()).unwrap();
    let issuer = Issuer::new(params, key);

    let mut server = CertificateParams::new(NAMES.map(str::to_owned)).unwrap();
    server.distinguished_name.push(DnType::CommonName, "ARC test API server");
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    issue(folder, "server", &server, &issuer);

    let mut administrator = CertificateParams::new(Vec::new()).unwrap();
    administrator.distinguished_name.push(DnType::CommonName, "administrator");
    administrator.distinguished_name.push(DnType::OrganizationName, ADMINISTRATORS);
    administrator.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    issue(folder, "administrator", &administrator, &issuer);

    let accounts = KeyPair::generate().unwrap();
    fs::write(folder.join("accounts.key"), accounts.serialize_pem()).unwrap();
    fs::write(folder.join("accounts.pub"), accounts.public_key_pem()).unwrap();
}

/// The administrator's configuration for the server at `url`, for every client.
pub(super) fn kubeconfig(folder: &Path, url: &str) -> Value {
    let file = |name: &str| folder.join(name).display().to_string();
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{
            "name": "test",
            "context": { "cluster": "test", "user": "administrator", "namespace": "default" },
        }],
        "clusters": [{
            "name": "test",
            "cluster": { "server": url, "certificate-authority": file("authority.pem") },
        }],
        "users": [{
            "name": "administrator",
            "user": {
                "client-certificate": file("administrator.pem"),
                "client-key": file("administrator.key"),
            },
        }],
    })
}

fn issue(folder: &Path, name: &str, params: &CertificateParams, issuer: &Issuer<'_, KeyPair>) {
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap();
    fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
    fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
}
