//! TLS with a private certificate authority.

use std::{io, net::SocketAddr, sync::Arc};

use arc_registry::Registry;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{Client, ClientOptions, Error, Remote};

struct TlsListener(TcpListener, TlsAcceptor);

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.0.accept().await.unwrap();
            // Clients that do not trust us hang up here.
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// Serves an empty registry with TLS and returns its address and its authority's certificate.
async fn serve() -> (tempfile::TempDir, SocketAddr, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let router = Registry::open(dir.path()).unwrap().router();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listener = TlsListener(listener, TlsAcceptor::from(Arc::new(config)));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (dir, address, authority.pem())
}

fn client(address: SocketAddr, change: impl FnOnce(&mut ClientOptions)) -> Client {
    let mut options = ClientOptions::new(Remote::parse(&format!("https://{address}")).unwrap());
    change(&mut options);
    Client::new(options).unwrap()
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_its_certificate_is_given() {
    let (_dir, address, bundle) = serve().await;
    let trusting = client(address, |options| options.ca_bundle = Some(bundle));
    assert_eq!(trusting.resolve("a", "1").await.unwrap(), None);
    let careless = client(address, |options| options.insecure_skip_verify = true);
    assert_eq!(careless.resolve("a", "1").await.unwrap(), None);
}

#[tokio::test]
async fn an_unknown_authority_is_refused_at_once() {
    let (_dir, address, _) = serve().await;
    let error = client(address, |_| ()).resolve("a", "1").await.unwrap_err();
    assert!(matches!(error, Error::SendRequest { .. }), "{error:?}");
    assert!(!error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let (_dir, address, bundle) = serve().await;
    let remote = Remote::parse(&format!("https://localhost:{}", address.port())).unwrap();
    let mut options = ClientOptions::new(remote);
    options.ca_bundle = Some(bundle);
    let error = Client::new(options).unwrap().resolve("a", "1").await.unwrap_err();
    assert!(matches!(error, Error::SendRequest { .. }), "{error:?}");
    assert!(!error.is_retryable(), "{error:?}");
}
