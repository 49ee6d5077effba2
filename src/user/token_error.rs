//! Errors of access tokens.

use jsonwebtoken::errors::ErrorKind;

use crate::caller::MAX_TOKEN_BYTES;
use crate::store::pg::token_generations::GenerationError;

/// Why a token was refused or could not be created. Clients get no details.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The token is longer than any valid token.
    #[error("the token is longer than {MAX_TOKEN_BYTES} bytes")]
    TooLong,
    /// The token is malformed, forged, expired, or for another issuer or audience.
    #[error(transparent)]
    Invalid(#[from] jsonwebtoken::errors::Error),
    /// The token requires JWS extensions, of which none is supported (RFC 7515, 4.1.11).
    #[error("critical extensions are not supported")]
    Critical,
    /// The token is another kind of JWT.
    #[error("the type is not that of an access token")]
    Type,
    /// No key of the JWKS has the token's `kid`.
    #[error("no key has the token's kid")]
    UnknownKey,
    /// The identity provider has not sent any keys yet.
    #[error("the identity provider's keys are not known yet")]
    NoKeys,
    /// `sub` is not a possible user.
    #[error("the subject is not a user")]
    Subject,
    /// `gen` is not a token generation.
    #[error("the token generation is not a number")]
    WrongGeneration,
    /// The token is from before a restore, or the token generations have not been read yet.
    #[error(transparent)]
    Generation(#[from] GenerationError),
    /// This server signs no tokens: the identity provider issues them.
    #[error("the identity provider issues the tokens")]
    NotOurs,
}

impl TokenError {
    /// Whether the token is expired and otherwise valid. The signature is checked before the
    /// expiry.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        matches!(self, Self::Invalid(error) if *error.kind() == ErrorKind::ExpiredSignature)
    }
}
