//! The check of server certificates, made ready when the first certificate comes.
//!
//! Reading the system's authorities takes some ten milliseconds and some megabytes; who speaks plain HTTP pays neither.

use std::sync::{Arc, OnceLock};

use rustls::{
    CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

/// Checks certificates against the system's authorities and some of our own.
#[derive(Debug)]
pub(super) struct WhenNeeded {
    provider: Arc<CryptoProvider>,
    /// Trusted besides the system's.
    own: RootCertStore,
    ready: OnceLock<Result<Arc<WebPkiServerVerifier>, rustls::Error>>,
}

impl WhenNeeded {
    pub(super) fn new(provider: Arc<CryptoProvider>, own: RootCertStore) -> Self {
        Self { provider, own, ready: OnceLock::new() }
    }

    fn ready(&self) -> Result<&WebPkiServerVerifier, rustls::Error> {
        let ready = self.ready.get_or_init(|| {
            let mut roots = super::system_roots().clone();
            roots.roots.extend(self.own.roots.iter().cloned());
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone())
                .build()
                // A machine that trusts nobody trusts nobody here either.
                .map_err(|_no_roots| CertificateError::UnknownIssuer.into())
        });
        ready.as_deref().map_err(Clone::clone)
    }
}

impl ServerCertVerifier for WhenNeeded {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.ready()?.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
