//! Why a user or a token was not created.

use super::token_error::TokenError;
use crate::store::StoreError;
use crate::store::id::UserId;

/// Why a user or a token was not created.
#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    /// `ONSALE_OPEN_SIGNUP` is false.
    #[error("sign-up is closed")]
    Closed,
    /// There is no user with this id.
    #[error("there is no user {0}")]
    Unknown(UserId),
    /// The caller's token has no session, or the session is over.
    #[error("the session cannot be renewed")]
    NotRenewable,
    /// The token could not be created.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// PostgreSQL failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
