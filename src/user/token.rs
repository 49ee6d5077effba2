//! Access tokens, verified by RFC 8725: this side says which algorithm, issuer and audience; what
//! the token's header proposes (`jku`, `jwk`, `x5u`) is never followed.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header,
};
use serde::{Deserialize, Serialize};

use super::jwks::{Jwks, JwksError};
use super::model::{MAX_SUBJECT_BYTES, Subject};
use crate::http::auth::{MAX_TOKEN_BYTES, Role};
use crate::http::remembered::Remembered;
use crate::store::id::UserId;

/// Whom access tokens are for. Queue tickets name another audience, so neither passes for the other.
const AUDIENCE: &str = "onsale";

/// How far the clocks of issuer and verifier may be apart, in seconds.
const LEEWAY_SECONDS: u64 = 30;

/// An access token just made.
#[derive(Clone, PartialEq, Eq)]
pub struct Minted {
    /// The JWT.
    pub access_token: String,
    /// When it stops to be accepted.
    pub expires_at: DateTime<Utc>,
}

/// Whom a good token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bearer {
    /// A user by their id: we signed it ourselves.
    Own(UserId, Role),
    /// A person by an identity provider's name for them.
    Provided(Subject, Role),
}

/// Why a token is not accepted, or cannot be made. Callers are told none of it.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Longer than any token of ours or a provider's.
    #[error("longer than {MAX_TOKEN_BYTES} bytes")]
    TooLong,
    /// Malformed, forged, expired, of another issuer or audience.
    #[error(transparent)]
    Invalid(#[from] jsonwebtoken::errors::Error),
    /// It demands extensions of JWS; we understand none (RFC 7515, 4.1.11).
    #[error("critical extensions are not understood")]
    Critical,
    /// Some other kind of JWT.
    #[error("the type is not that of an access token")]
    Type,
    /// No key of the JWKS has its `kid`.
    #[error("no such key")]
    UnknownKey,
    /// `sub` is not one that a user can have.
    #[error("the subject is not a user")]
    Subject,
    /// There is no secret to sign with: an identity provider makes the tokens.
    #[error("tokens are made by the identity provider")]
    NotOurs,
}

impl TokenError {
    /// Whether nothing else is wrong with the token: the signature is checked before the expiry.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        matches!(self, Self::Invalid(error) if *error.kind() == ErrorKind::ExpiredSignature)
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    aud: Audiences,
    iss: String,
    sub: String,
    #[serde(default)]
    role: Option<Role>,
    #[serde(default)]
    iat: Option<i64>,
    exp: i64,
}

/// A provider may name several audiences.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Audiences {
    One(String),
    Many(Vec<String>),
}

/// Makes and verifies access tokens.
#[derive(Debug)]
pub struct Tokens {
    issuer: String,
    keys: Keys,
    known: Remembered<(Bearer, i64)>,
}

/// Tokens remembered: about 150 bytes each.
const KEPT: usize = 200_000;

enum Keys {
    /// HS256: boxed, since the other side is far smaller.
    Secret(Box<(EncodingKey, DecodingKey)>),
    Provider(Jwks),
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Secret(_) => "Secret(..)",
            Self::Provider(_) => "Provider(..)",
        })
    }
}

impl std::fmt::Debug for Minted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Minted(.., {})", self.expires_at)
    }
}

impl Tokens {
    /// Tokens of our own, HS256 under `secret`.
    #[must_use]
    pub fn own(issuer: &str, secret: &[u8]) -> Self {
        let keys = (EncodingKey::from_secret(secret), DecodingKey::from_secret(secret));
        let keys = Keys::Secret(Box::new(keys));
        Self { issuer: issuer.to_owned(), keys, known: Remembered::new(KEPT) }
    }

    /// Tokens of an identity provider, verified by the keys in a JWKS file.
    pub fn provided(issuer: &str, jwks: &Path) -> Result<Self, JwksError> {
        let keys = Keys::Provider(Jwks::read(jwks)?);
        Ok(Self { issuer: issuer.to_owned(), keys, known: Remembered::new(KEPT) })
    }

    /// Makes a token for `user` that lasts `ttl`.
    pub fn mint(&self, user: UserId, role: Role, ttl: Duration) -> Result<Minted, TokenError> {
        let Keys::Secret(keys) = &self.keys else {
            return Err(TokenError::NotOurs);
        };
        let now = Utc::now().timestamp();
        let exp = now.saturating_add(i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX));
        let claims = Claims {
            aud: Audiences::One(AUDIENCE.to_owned()),
            iss: self.issuer.clone(),
            sub: user.to_string(),
            role: Some(role),
            iat: Some(now),
            exp,
        };
        let access_token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &keys.0)?;
        let expires_at = DateTime::from_timestamp(exp, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        Ok(Minted { access_token, expires_at })
    }

    /// Says whom `token` speaks for.
    pub fn verify(&self, token: &str) -> Result<Bearer, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLong);
        }
        let (bearer, expires) = self.known.get_or(token, || self.read(token))?;
        // As `jsonwebtoken` decides it.
        if expires < Utc::now().timestamp() - LEEWAY_SECONDS.cast_signed() {
            return Err(TokenError::Invalid(ErrorKind::ExpiredSignature.into()));
        }
        Ok(bearer)
    }

    /// Whom `token` speaks for, and when it expires.
    fn read(&self, token: &str) -> Result<(Bearer, i64), TokenError> {
        let header = decode_header(token)?;
        if header.crit.is_some() {
            return Err(TokenError::Critical);
        }
        if header.typ.as_deref().is_some_and(|typ| !is_access_token(typ)) {
            return Err(TokenError::Type);
        }
        match &self.keys {
            Keys::Secret(keys) => {
                let claims = self.claims(token, &keys.1, Algorithm::HS256)?;
                let user = own_user(&claims.sub).ok_or(TokenError::Subject)?;
                Ok((Bearer::Own(user, claims.role.unwrap_or(Role::User)), claims.exp))
            }
            Keys::Provider(jwks) => {
                let kid = header.kid.ok_or(TokenError::UnknownKey)?;
                let key = jwks.get(&kid).ok_or(TokenError::UnknownKey)?;
                let Claims { iss: issuer, sub: subject, role, exp, .. } =
                    self.claims(token, &key.key, key.algorithm)?;
                if !(1..=MAX_SUBJECT_BYTES).contains(&subject.len()) || subject.contains('\0') {
                    return Err(TokenError::Subject);
                }
                let subject = Subject { issuer, subject };
                Ok((Bearer::Provided(subject, role.unwrap_or(Role::User)), exp))
            }
        }
    }

    /// The claims of a token signed by `key` with `algorithm`, which the key says, not the token.
    fn claims(
        &self,
        token: &str,
        key: &DecodingKey,
        algorithm: Algorithm,
    ) -> Result<Claims, TokenError> {
        let mut rules = Validation::new(algorithm);
        rules.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        rules.set_audience(&[AUDIENCE]);
        rules.set_issuer(&[&self.issuer]);
        rules.validate_nbf = true;
        rules.leeway = LEEWAY_SECONDS;
        Ok(decode::<Claims>(token, key, &rules)?.claims)
    }
}

/// `JWT`, or the type that RFC 9068 gives access tokens.
fn is_access_token(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    matches!(typ.as_str(), "jwt" | "at+jwt" | "application/at+jwt")
}

/// The user that one of our own tokens names: the id as we write it, digits alone.
fn own_user(subject: &str) -> Option<UserId> {
    let id: i64 = subject.parse().ok().filter(|id| *id > 0)?;
    (subject == id.to_string()).then_some(UserId(id))
}

#[cfg(test)]
mod provider_tests;
#[cfg(test)]
mod tests;
