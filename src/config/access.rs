//! Settings of access tokens: the issuer and the keys that verify them.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{ArgAction, Args};
use reqwest::Url;

use super::secret::{InvalidSetting, Secret, refuse};

/// Default of `ONSALE_JWT_ISSUER`.
pub const JWT_ISSUER: &str = "onsale";

/// Settings of access tokens.
#[derive(Debug, Clone, Args)]
pub struct AccessSettings {
    /// HS256 secret for access tokens: at least 32 random bytes.
    #[arg(long, env = "ONSALE_JWT_SECRET", value_name = "ONSALE_JWT_SECRET")]
    #[arg(hide_env_values = true)]
    #[arg(required_unless_present_any = ["jwks_path", "jwks_url"])]
    pub jwt_secret: Option<Secret>,
    /// Issuer of access tokens.
    #[arg(long, env = "ONSALE_JWT_ISSUER", default_value = JWT_ISSUER)]
    pub jwt_issuer: String,
    /// JWKS file of an identity provider, in place of the secret. Read again when it changes.
    #[arg(long, env = "ONSALE_JWKS_PATH", value_name = "ONSALE_JWKS_PATH")]
    pub jwks_path: Option<PathBuf>,
    /// URL of an identity provider's JWKS, in place of the secret: https, or http on this machine.
    /// Read again every 5 minutes, and when a token names an unknown key.
    #[arg(long, env = "ONSALE_JWKS_URL", value_name = "ONSALE_JWKS_URL")]
    pub jwks_url: Option<Url>,
    /// Whether everybody may sign up as a user.
    #[arg(long, env = "ONSALE_OPEN_SIGNUP", default_value = "false")]
    #[arg(action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    pub open_signup: bool,
}

impl AccessSettings {
    /// Refuses settings of access tokens that contradict each other.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the variable to change. It contains no secret.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        if let Some(reason) = self.jwt_secret.as_ref().and_then(Secret::weakness) {
            return refuse("ONSALE_JWT_SECRET", reason);
        }
        if self.jwt_issuer.is_empty() {
            return refuse("ONSALE_JWT_ISSUER", "it is empty");
        }
        self.check_keys()?;
        if self.jwks_url.as_ref().is_some_and(|url| !is_trusted(url)) {
            return refuse("ONSALE_JWKS_URL", NOT_TRUSTED);
        }
        Ok(())
    }

    /// Checks that exactly one of secret, file and URL is set, and sign-up only with the secret.
    fn check_keys(&self) -> Result<(), InvalidSetting> {
        let provider = match (&self.jwks_path, &self.jwks_url) {
            (Some(_), Some(_)) => {
                return refuse("ONSALE_JWKS_URL", "ONSALE_JWKS_PATH is set too; choose one");
            }
            (Some(_), None) => "ONSALE_JWKS_PATH",
            (None, Some(_)) => "ONSALE_JWKS_URL",
            (None, None) => return Ok(()),
        };
        if self.jwt_secret.is_some() {
            return refuse(provider, "ONSALE_JWT_SECRET is set too; choose one");
        }
        if self.open_signup {
            let reason = "sign-up needs ONSALE_JWT_SECRET, to sign the tokens of new users";
            return refuse("ONSALE_OPEN_SIGNUP", reason);
        }
        Ok(())
    }
}

/// Why a URL is refused.
pub(super) const NOT_TRUSTED: &str = "it must be an https URL, or an http URL on this machine, \
     without a user name, password or fragment";

/// Whether nobody on the network can change the answer of a URL, and the URL contains no secret.
#[must_use]
pub fn is_trusted(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_local = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_local);
    let has_secret =
        !url.username().is_empty() || url.password().is_some() || url.fragment().is_some();
    is_safe && !has_secret && !host.is_empty()
}
