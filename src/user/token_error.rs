//! Why an access token is refused or cannot be made.

use jsonwebtoken::errors::ErrorKind;

use crate::caller::MAX_TOKEN_BYTES;

/// Why a token is not accepted, or cannot be made. Callers get no details.
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
    /// No keys of the identity provider have arrived yet.
    #[error("the identity provider's keys are not known yet")]
    NoKeys,
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
