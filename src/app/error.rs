//! Why a process did not start.

use std::net::SocketAddr;

use crate::config::InvalidSetting;
use crate::store::StoreError;
use crate::store::redis::tls::CertificateError;
use crate::user::jwks::JwksError;
use crate::web::theme::ThemeError;

/// Why a process did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Settings contradict each other.
    #[error(transparent)]
    Settings(#[from] InvalidSetting),
    /// The file of the identity provider's keys cannot be used.
    #[error("ONSALE_JWKS_PATH: {0}")]
    JwksPath(JwksError),
    /// No HTTP client can be created for the URL of the identity provider's keys.
    #[error("ONSALE_JWKS_URL: {0}")]
    JwksUrl(JwksError),
    /// A file with certificates for connections to Redis cannot be used.
    #[error(transparent)]
    Certificates(#[from] CertificateError),
    /// A store's URL is not valid, or the store could lose data.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder `ONSALE_THEME` cannot be used.
    #[error("ONSALE_THEME: {0}")]
    Theme(#[from] ThemeError),
    /// TLS for webhooks cannot be set up.
    #[error("TLS for webhooks: {0}")]
    Webhooks(#[from] reqwest::Error),
    /// The process cannot listen on the address.
    #[error("ONSALE_LISTEN: {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
}
