//! TLS connections to Redis: which certificates are trusted and shown, and what errors mean.

use std::path::Path;
use std::sync::Arc;

use redis::{
    Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo,
    RedisError, TlsCertificates,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{AlertDescription as Alert, Error as TlsError};

use crate::config::RedisTlsSettings;

/// The certificates for TLS connections. By default the CAs of the system are trusted, and no
/// certificate is shown.
#[derive(Debug, Clone, Default)]
pub struct Certificates(Option<Arc<TlsCertificates>>);

/// A file of certificates that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{variable}: {path}: {reason}")]
pub struct CertificateError {
    variable: &'static str,
    path: String,
    reason: String,
}

impl Certificates {
    /// Reads the files that the settings name.
    ///
    /// # Errors
    /// [`CertificateError`] names the variable of a file that cannot be read, or has no certificate
    /// or key.
    pub fn read(settings: &RedisTlsSettings) -> Result<Self, CertificateError> {
        let RedisTlsSettings { redis_ca_path, redis_cert_path, redis_key_path } = settings;
        let file = |variable, path: &Path, check: fn(&[u8]) -> Result<(), String>| {
            let read = std::fs::read(path).map_err(|error| error.to_string());
            let read = read.and_then(|pem| check(&pem).map(|()| pem));
            let path = path.display().to_string();
            read.map_err(|reason| CertificateError { variable, path, reason })
        };
        let root_cert = redis_ca_path.as_deref();
        let root_cert = root_cert
            .map(|path| file("ONSALE_REDIS_CA_PATH", path, has_certificate))
            .transpose()?;
        let client_tls = match (redis_cert_path, redis_key_path) {
            (Some(certificate), Some(key)) => Some(ClientTlsConfig {
                client_cert: file("ONSALE_REDIS_CERT_PATH", certificate, has_certificate)?,
                client_key: file("ONSALE_REDIS_KEY_PATH", key, has_key)?,
            }),
            _ => None,
        };
        let has_any = root_cert.is_some() || client_tls.is_some();
        Ok(Self(has_any.then(|| Arc::new(TlsCertificates { client_tls, root_cert }))))
    }

    /// A client for one server: with the certificates if its URL asks for TLS.
    pub(super) fn client(&self, server: impl IntoConnectionInfo) -> Result<Client, RedisError> {
        let server = server.into_connection_info()?;
        match (server.addr(), &self.0) {
            (ConnectionAddr::TcpTls { insecure: true, .. }, _) => {
                Err(refused("onsale always checks certificates: remove #insecure from the URL"))
            }
            (ConnectionAddr::TcpTls { .. }, Some(certificates)) => {
                Client::build_with_tls(server, (**certificates).clone())
            }
            _ => Client::open(server),
        }
    }
}

fn has_certificate(pem: &[u8]) -> Result<(), String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err("it has no certificate (PEM)".into()),
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn has_key(pem: &[u8]) -> Result<(), String> {
    let key = PrivateKeyDer::from_pem_slice(pem);
    key.map(|_| ()).map_err(|_| "it has no private key (PEM)".into())
}

/// Whether connections to this server use TLS.
pub(super) fn is_used(server: &ConnectionInfo) -> bool {
    matches!(server.addr(), ConnectionAddr::TcpTls { .. })
}

/// `server` at another address, with the same login and the same use of TLS.
pub(super) fn moved(server: &ConnectionInfo, host: &str, port: u16) -> ConnectionInfo {
    let host = host.to_owned();
    let addr = match server.addr() {
        ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
            let (insecure, tls_params) = (*insecure, tls_params.clone());
            ConnectionAddr::TcpTls { host, port, insecure, tls_params }
        }
        _ => ConnectionAddr::Tcp(host, port),
    };
    server.clone().set_addr(addr)
}

/// The error of an attempt to connect, with what to do if the two sides do not agree about TLS.
pub(super) fn explained(error: RedisError, uses_tls: bool) -> RedisError {
    let Some(reason) = tls_error(&error) else {
        if !uses_tls && error.is_connection_dropped() && !error.is_connection_refusal() {
            let reason = "the server closed a new connection at once: if it expects TLS, REDIS_URL \
                          must begin with rediss";
            return super::failure::refused(reason);
        }
        return error;
    };
    match reason {
        TlsError::InvalidCertificate(why) => refused(&format!(
            "the certificate of the server is not accepted ({why}): its CA must be in \
             ONSALE_REDIS_CA_PATH, or trusted by the system, and it must be valid for the host that \
             onsale connects to"
        )),
        TlsError::AlertReceived(
            alert @ (Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnknownCA
            | Alert::CertificateUnknown
            | Alert::CertificateExpired
            | Alert::HandshakeFailure),
        ) => refused(&format!(
            "the server does not accept the certificate of this process, or misses it ({alert:?}): \
             see ONSALE_REDIS_CERT_PATH and ONSALE_REDIS_KEY_PATH"
        )),
        TlsError::InvalidMessage(_) => refused(
            "the server does not speak TLS at this port: use its TLS port, or a URL that begins with \
             redis",
        ),
        other => refused(&other.to_string()),
    }
}

/// An error of settings, which no retry repairs.
fn refused(reason: &str) -> RedisError {
    (ErrorKind::InvalidClientConfig, "TLS", reason.to_owned()).into()
}

/// The error of TLS that a failed connection had, if any.
fn tls_error(error: &RedisError) -> Option<&TlsError> {
    let cause = std::error::Error::source(error)?;
    let cause = cause.downcast_ref::<Arc<dyn std::error::Error + Send + Sync>>()?;
    cause.downcast_ref::<std::io::Error>()?.get_ref()?.downcast_ref()
}
