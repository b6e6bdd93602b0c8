//! TLS settings of a client: ring, the system's roots, the endpoint's own CA bundle.
//!
//! A machine without any CA store can still speak plain HTTP and trust a given bundle.

mod verifier;

use std::sync::{Arc, OnceLock};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

use self::verifier::WhenNeeded;

/// Makes ring the crypto provider of the process, unless one is chosen already.
///
/// Clients of this crate name their provider themselves; this is for other users of rustls in the process.
pub fn install_crypto_provider() {
    if CryptoProvider::get_default().is_none() {
        // Losing a race against another thread is fine: then one is installed.
        let _ = ring::default_provider().install_default();
    }
}

/// Returns the TLS settings: the system's roots and those of the bundle; or what is wrong with the bundle.
pub fn client_config(
    ca_bundle: Option<&str>,
    insecure_skip_verify: bool,
) -> Result<ClientConfig, String> {
    install_crypto_provider();
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let mut own = RootCertStore::empty();
    if let Some(pem) = ca_bundle.filter(|pem| !pem.trim().is_empty()) {
        add_bundle(&mut own, pem)?;
    }
    if insecure_skip_verify {
        let verifier = Arc::new(AcceptAnyServer(provider));
        return Ok(builder
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth());
    }
    let verifier = Arc::new(WhenNeeded::new(provider, own));
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

fn add_bundle(roots: &mut RootCertStore, pem: &str) -> Result<(), String> {
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate =
            certificate.map_err(|error| format!("the CA bundle is not PEM: {error}"))?;
        roots
            .add(certificate)
            .map_err(|error| format!("the CA bundle has an unusable certificate: {error}"))?;
    }
    if roots.len() == before {
        return Err(
            "the CA bundle contains no certificate; expected PEM with \"BEGIN CERTIFICATE\""
                .to_owned(),
        );
    }
    Ok(())
}

/// Reading the store takes some ten milliseconds, so it is read once.
fn system_roots() -> &'static RootCertStore {
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        let (added, ignored) = roots.add_parsable_certificates(found.certs);
        tracing::debug!(added, ignored, errors = found.errors.len(), "system CA certificates read");
        roots
    })
}

/// Accepts every certificate, because the endpoint says `insecureSkipVerify`; signatures are still checked.
#[derive(Debug)]
struct AcceptAnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_without_a_certificate_is_refused() {
        let problem = client_config(Some("not a certificate"), false).unwrap_err();
        assert_eq!(
            problem,
            "the CA bundle contains no certificate; expected PEM with \"BEGIN CERTIFICATE\""
        );
    }

    #[test]
    fn an_empty_bundle_means_the_system_roots() {
        assert!(client_config(Some(" \n"), false).is_ok());
    }
}
