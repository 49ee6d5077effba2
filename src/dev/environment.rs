//! What onsale needs to run on the private stores.

use std::path::Path;

use super::error::DevError;
use super::folder::{random_hex, secret, write_private};

/// The settings that `onsale serve` requires, for one pair of private stores. Not `Debug`: most
/// of it is secret.
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
    /// Whether what is committed survives a power cut (the stores' data is kept). Where it does
    /// not, `onsale serve` wants to be told so: `ONSALE_UNSAFE_POSTGRES`.
    pub durable: bool,
}

impl Environment {
    /// With secrets that `folder` keeps, so that tokens survive the next start. The whole goes
    /// into `folder/env` too, for a shell: `set -a; . .onsale/env`.
    pub(super) fn kept(
        (database_url, redis_url): (String, String),
        folder: &Path,
    ) -> Result<Self, DevError> {
        let environment = Self {
            database_url,
            redis_url,
            jwt_secret: secret(&folder.join("jwt.secret"))?,
            queue_secrets: secret(&folder.join("queue.secret"))?,
            durable: true,
        };
        let lines = environment.variables().map(|(name, value)| format!("{name}='{value}'\n"));
        write_private(&folder.join("env"), &lines.concat())?;
        Ok(environment)
    }

    /// With secrets of this run only.
    pub(super) fn throwaway((database_url, redis_url): (String, String)) -> Result<Self, DevError> {
        Ok(Self {
            database_url,
            redis_url,
            jwt_secret: random_hex::<32>()?,
            queue_secrets: random_hex::<32>()?,
            durable: false,
        })
    }

    /// As environment variables.
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
