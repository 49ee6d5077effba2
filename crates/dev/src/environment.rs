//! The settings with which onsale runs on the private stores.

use std::path::Path;

use crate::error::DevError;
use crate::folder::{random_hex, secret, write_private};

/// The addresses of a pair of stores.
pub(crate) struct StoreUrls {
    pub(crate) database: String,
    pub(crate) redis: String,
}

/// The settings that `onsale serve` requires, for one pair of private stores. Not `Debug`, because
/// most of them are secret.
#[derive(Clone)]
pub struct Environment {
    /// `DATABASE_URL`
    pub database_url: String,
    /// `REDIS_URL`
    pub redis_url: String,
    /// `ONSALE_JWT_SECRET`: 32 random bytes in hex.
    pub jwt_secret: String,
    /// `ONSALE_QUEUE_SECRETS`: one secret, 32 random bytes in hex.
    pub queue_secrets: String,
    /// Whether committed data survives a power failure (the stores' data is kept). If not, onsale
    /// serves only with `ONSALE_UNSAFE_POSTGRES`.
    pub durable: bool,
}

impl Environment {
    /// Settings with secrets that `folder` keeps, so that tokens stay valid after the next start.
    /// Also writes all settings to `folder/env`, for a shell: `set -a; . .onsale/env`.
    pub(crate) fn kept(urls: StoreUrls, folder: &Path) -> Result<Self, DevError> {
        let environment = Self {
            database_url: urls.database,
            redis_url: urls.redis,
            jwt_secret: secret(&folder.join("jwt.secret"))?,
            queue_secrets: secret(&folder.join("queue.secret"))?,
            durable: true,
        };
        let lines = environment.variables().map(|(name, value)| format!("{name}='{value}'\n"));
        write_private(&folder.join("env"), &lines.concat())?;
        Ok(environment)
    }

    /// Settings with secrets for this run only.
    pub(crate) fn throwaway(urls: StoreUrls) -> Result<Self, DevError> {
        Ok(Self {
            database_url: urls.database,
            redis_url: urls.redis,
            jwt_secret: random_hex::<32>()?,
            queue_secrets: random_hex::<32>()?,
            durable: false,
        })
    }

    /// The settings as environment variables.
    #[must_use]
    pub fn variables(&self) -> [(&'static str, &str); 5] {
        [
            ("DATABASE_URL", &self.database_url),
            ("REDIS_URL", &self.redis_url),
            ("ONSALE_JWT_SECRET", &self.jwt_secret),
            ("ONSALE_QUEUE_SECRETS", &self.queue_secrets),
            ("ONSALE_UNSAFE_POSTGRES", if self.durable { "false" } else { "true" }),
        ]
    }
}
