//! Traces to a collector over HTTPS.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::support::program::Program;
use crate::support::tls::Certificates;
use crate::support::world::World;

/// A collector that speaks only TLS.
struct Collector {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Collector {
    async fn start(certificates: &Certificates) -> Self {
        let chain = CertificateDer::pem_file_iter(certificates.path("server.pem")).expect("a file");
        let chain = chain.collect::<Result<_, _>>().expect("a certificate");
        let key = PrivateKeyDer::from_pem_file(certificates.path("server.key")).expect("a key");
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
        let acceptor = TlsAcceptor::from(Arc::new(config.expect("a configuration")));
        Self { listener: TcpListener::bind("127.0.0.1:0").await.expect("a port"), acceptor }
    }

    fn endpoint(&self) -> String {
        format!("https://{}", self.listener.local_addr().expect("an address"))
    }

    /// The head of the next request; `None` if the client does not accept the certificate.
    async fn next(&self) -> Option<String> {
        let (stream, _) = self.listener.accept().await.expect("a connection");
        let mut stream = self.acceptor.accept(stream).await.ok()?;
        let mut text = Vec::new();
        while !text.windows(4).any(|part| part == b"\r\n\r\n") {
            if stream.read_buf(&mut text).await.ok()? == 0 {
                return None;
            }
        }
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        stream.write_all(answer).await.ok()?;
        Some(String::from_utf8_lossy(&text).into_owned())
    }
}

/// The CAs of the system are trusted; `SSL_CERT_FILE` replaces them.
#[tokio::test]
async fn traces_reach_a_collector_over_https_only_if_its_certificate_is_trusted() {
    let (world, certificates) = (World::new().await, Certificates::new());
    for (ca, is_trusted) in [("ca.pem", true), ("other.pem", false)] {
        let collector = Collector::start(&certificates).await;
        let (endpoint, ca) = (collector.endpoint(), certificates.path(ca));
        let environment = [("ONSALE_OTLP_ENDPOINT", endpoint.as_str()), ("SSL_CERT_FILE", &ca)];
        let program = Program::start(&world, &environment).await;
        program.anonymous().get("/v1/concerts").await.ok(200);
        let request = collector.next().await;
        assert_eq!(request.is_some(), is_trusted, "{request:?}");
        if let Some(head) = request {
            assert!(head.starts_with("POST /v1/traces "), "{head}");
        }
    }
}
