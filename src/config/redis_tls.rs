//! Settings of TLS connections to Redis.

use std::path::PathBuf;

use clap::Args;

use super::secret::{InvalidSetting, refuse};

/// Files for connections to Redis over TLS, which a `rediss://` URL asks for. All are PEM.
#[derive(Debug, Clone, Default, Args)]
pub struct RedisTlsSettings {
    /// File with the certificates of the CAs that sign those of the Redis servers, in place of the
    /// CAs that the system trusts. PEM.
    #[arg(long, env = "ONSALE_REDIS_CA_PATH", value_name = "FILE")]
    pub redis_ca_path: Option<PathBuf>,
    /// File with the certificate that this process shows to Redis, and its intermediate certificates.
    /// PEM.
    #[arg(long, env = "ONSALE_REDIS_CERT_PATH", value_name = "FILE")]
    pub redis_cert_path: Option<PathBuf>,
    /// File with the private key of the certificate that this process shows to Redis. PEM.
    #[arg(long, env = "ONSALE_REDIS_KEY_PATH", value_name = "FILE")]
    pub redis_key_path: Option<PathBuf>,
}

impl RedisTlsSettings {
    /// Refuses files that the URL of Redis does not use, and a certificate without its key.
    pub(super) fn check(&self, redis_url: &str) -> Result<(), InvalidSetting> {
        match (&self.redis_cert_path, &self.redis_key_path) {
            (Some(_), None) => {
                return refuse("ONSALE_REDIS_KEY_PATH", "ONSALE_REDIS_CERT_PATH needs its key");
            }
            (None, Some(_)) => {
                return refuse("ONSALE_REDIS_CERT_PATH", "ONSALE_REDIS_KEY_PATH needs it");
            }
            _ => {}
        }
        let variable = match (&self.redis_ca_path, &self.redis_cert_path) {
            (Some(_), _) => "ONSALE_REDIS_CA_PATH",
            (None, Some(_)) => "ONSALE_REDIS_CERT_PATH",
            (None, None) => return Ok(()),
        };
        if ["rediss", "valkeys"].iter().any(|scheme| redis_url.starts_with(scheme)) {
            return Ok(());
        }
        refuse(variable, "REDIS_URL does not ask for TLS: it must begin with rediss")
    }
}
