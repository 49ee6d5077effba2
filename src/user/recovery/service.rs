//! Creates recovery codes, and signs users in with them.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::model::RecoveryCode;
use super::pg;
use crate::caller::Caller;
use crate::store::StoreError;
use crate::store::id::UserId;
use crate::store::pg::{Pg, Tx};
use crate::user::service::{SignedUp, Users};
use crate::user::session;
use crate::user::token_error::TokenError;

/// Limit of attempts at one code within [`ATTEMPTS_WINDOW`], at all processes together. A correct
/// attempt resets the count.
const MAX_ATTEMPTS: i32 = 10;

/// Time for which attempts at one code are counted.
const ATTEMPTS_WINDOW: Duration = Duration::from_hours(1);

/// Tries to find an unused selector. With 2^40 selectors the first one almost always is.
const TRIES: usize = 3;

/// Recovery codes as a service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Recovery {
    pg: Pg,
    users: Arc<Users>,
}

/// A new recovery code.
#[derive(Clone)]
pub struct MadeCode {
    /// The code in groups, for display.
    pub code: String,
    /// When the code was created.
    pub created_at: DateTime<Utc>,
}

/// Why a code was not created or redeemed.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The caller's token has no renewable session.
    #[error("the token has no renewable session")]
    NoSession,
    /// No user has this code, or it was replaced.
    #[error("the recovery code is not valid")]
    Invalid,
    /// Too many attempts at this code.
    #[error("too many attempts at this recovery code")]
    TooManyAttempts {
        /// Time until the next attempt is allowed, in seconds.
        retry_after: u64,
    },
    /// Generating random numbers failed.
    #[error("generating random numbers failed")]
    NoRandom,
    /// The access token could not be created.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// PostgreSQL failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl std::fmt::Debug for MadeCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MadeCode(.., {})", self.created_at)
    }
}

impl Recovery {
    /// Creates the service.
    #[must_use]
    pub fn new(pg: Pg, users: Arc<Users>) -> Self {
        Self { pg, users }
    }

    /// Creates a code for the caller, in place of an earlier one. Each call creates another code,
    /// so after a lost answer the code of the next answer applies.
    ///
    /// # Errors
    /// [`RecoveryError::NoSession`] for a token that cannot be renewed. A code outlives all tokens,
    /// so a token with a fixed end must not lead to one.
    pub async fn make(&self, caller: &Caller) -> Result<MadeCode, RecoveryError> {
        session::renew(caller, Utc::now()).ok_or(RecoveryError::NoSession)?;
        // A valid token may name a user that this database does not have.
        self.users.find(caller.user).await?.ok_or(RecoveryError::NoSession)?;
        for _ in 0..TRIES {
            let code = RecoveryCode::random().map_err(|_| RecoveryError::NoRandom)?;
            if let Some(created_at) = pg::replace(self.pg.writes(), caller.user, &code).await? {
                return Ok(MadeCode { code: code.shown(), created_at });
            }
        }
        Err(none_is_free())
    }

    /// Creates a code for a user who has lost theirs, in place of an earlier one, in the transaction
    /// that records who of the staff did it.
    ///
    /// # Errors
    /// [`RecoveryError::NoSession`] if the user signs in at an identity provider;
    /// [`RecoveryError::Invalid`] if there is no such user.
    pub async fn make_for(&self, tx: &mut Tx, user: UserId) -> Result<MadeCode, RecoveryError> {
        if pg::is_provided(tx, user).await?.ok_or(RecoveryError::Invalid)?
            || !self.users.signs_tokens()
        {
            return Err(RecoveryError::NoSession);
        }
        for _ in 0..TRIES {
            let code = RecoveryCode::random().map_err(|_| RecoveryError::NoRandom)?;
            if let Some(created_at) = pg::replace(tx.conn(), user, &code).await? {
                return Ok(MadeCode { code: code.shown(), created_at });
            }
        }
        Err(none_is_free())
    }

    /// Reads when the caller's code was created; `None` if there is none.
    pub async fn created_at(&self, caller: &Caller) -> Result<Option<DateTime<Utc>>, StoreError> {
        pg::created_at(&self.pg, caller.user).await
    }

    /// Starts a session of the user who has the code `text`. The code stays valid, so that a client
    /// that disconnects before the answer can try again.
    ///
    /// # Errors
    /// [`RecoveryError::Invalid`], [`RecoveryError::TooManyAttempts`].
    pub async fn redeem(&self, text: &str) -> Result<SignedUp, RecoveryError> {
        let code = RecoveryCode::read(text).ok_or(RecoveryError::Invalid)?;
        let attempted = pg::attempt(&self.pg, &code, ATTEMPTS_WINDOW).await?;
        // An unknown selector takes as long to compare as a known one.
        let hash = attempted.as_ref().map_or(&[0; 32][..], |attempted| &attempted.hash);
        let is_correct = code.has_hash(hash);
        let attempted = attempted.ok_or(RecoveryError::Invalid)?;
        if attempted.attempts > MAX_ATTEMPTS {
            let wait = attempted.since + ATTEMPTS_WINDOW - Utc::now();
            let retry_after = u64::try_from(wait.num_seconds()).unwrap_or(0) + 1;
            return Err(RecoveryError::TooManyAttempts { retry_after });
        }
        if !is_correct {
            return Err(RecoveryError::Invalid);
        }
        let user = self.users.find(attempted.user).await?.ok_or(RecoveryError::Invalid)?;
        let token = self.users.begin_session(user.id)?;
        pg::forget_attempts(&self.pg, user.id).await?;
        Ok(SignedUp { user, token })
    }
}

fn none_is_free() -> RecoveryError {
    StoreError::Inconsistent("no recovery code is free".to_owned()).into()
}
