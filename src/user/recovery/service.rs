//! Making a recovery code, and signing in with one.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::model::RecoveryCode;
use super::pg;
use crate::caller::Caller;
use crate::store::StoreError;
use crate::store::pg::Pg;
use crate::user::service::{SignedUp, Users};
use crate::user::session;
use crate::user::token_error::TokenError;

/// Attempts at one code within [`ATTEMPTS_WINDOW`], at all processes together. A right one counts
/// until it is answered.
const MAX_ATTEMPTS: i32 = 10;

/// How long attempts at one code are counted.
const ATTEMPTS_WINDOW: Duration = Duration::from_hours(1);

/// Tries to find a selector that no other code has: of 2^40, a second is not needed.
const TRIES: usize = 3;

/// Recovery codes; cheap to clone.
#[derive(Debug, Clone)]
pub struct Recovery {
    pg: Pg,
    users: Arc<Users>,
}

/// A code just made.
#[derive(Clone)]
pub struct MadeCode {
    /// As it is shown, which is once.
    pub code: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Why there is no code, or no session.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The caller's token belongs to no session that could be renewed.
    #[error("the token belongs to no session")]
    NoSession,
    /// The code is nobody's, or not any more.
    #[error("the recovery code is not valid")]
    Invalid,
    /// Too many attempts at this code.
    #[error("too many attempts at this recovery code")]
    TooManyAttempts {
        /// Until the next attempt counts, in seconds.
        retry_after: u64,
    },
    /// The random numbers failed.
    #[error("no random numbers")]
    NoRandom,
    /// The token could not be made.
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
    /// Puts the service together.
    #[must_use]
    pub fn new(pg: Pg, users: Arc<Users>) -> Self {
        Self { pg, users }
    }

    /// Makes a code for the caller, in place of the one before. Asked for again after a lost answer
    /// it makes another: the one that was shown last counts.
    ///
    /// # Errors
    /// [`RecoveryError::NoSession`] for a token that could not be renewed: a code outlives every
    /// token, so a token that ends must not lead to one.
    pub async fn make(&self, caller: &Caller) -> Result<MadeCode, RecoveryError> {
        session::renew(caller, Utc::now()).ok_or(RecoveryError::NoSession)?;
        // A good token may outlive the database it was made for.
        self.users.find(caller.user).await?.ok_or(RecoveryError::NoSession)?;
        for _ in 0..TRIES {
            let code = RecoveryCode::random().map_err(|_| RecoveryError::NoRandom)?;
            if let Some(created_at) = pg::replace(&self.pg, caller.user, &code).await? {
                return Ok(MadeCode { code: code.shown(), created_at });
            }
        }
        Err(StoreError::Inconsistent("no recovery code is free".to_owned()).into())
    }

    /// When the caller's code was made, where they have one.
    pub async fn created_at(&self, caller: &Caller) -> Result<Option<DateTime<Utc>>, StoreError> {
        pg::created_at(&self.pg, caller.user).await
    }

    /// Begins a session of the user whose code `text` is. The code stays good, so that a client
    /// that hangs up before the answer can come again.
    ///
    /// # Errors
    /// [`RecoveryError::Invalid`], [`RecoveryError::TooManyAttempts`].
    pub async fn redeem(&self, text: &str) -> Result<SignedUp, RecoveryError> {
        let code = RecoveryCode::read(text).ok_or(RecoveryError::Invalid)?;
        let attempted = pg::attempt(&self.pg, &code, ATTEMPTS_WINDOW).await?;
        // A selector that is not there takes as long to compare.
        let hash = attempted.as_ref().map_or(&[0; 32][..], |attempted| &attempted.hash);
        let right = code.has_hash(hash);
        let attempted = attempted.ok_or(RecoveryError::Invalid)?;
        if attempted.attempts > MAX_ATTEMPTS {
            let left = attempted.since + ATTEMPTS_WINDOW - Utc::now();
            let retry_after = u64::try_from(left.num_seconds()).unwrap_or(0) + 1;
            return Err(RecoveryError::TooManyAttempts { retry_after });
        }
        if !right {
            return Err(RecoveryError::Invalid);
        }
        let user = self.users.find(attempted.user).await?.ok_or(RecoveryError::Invalid)?;
        let token = self.users.begin_session(user.id)?;
        pg::forget_attempts(&self.pg, user.id).await?;
        Ok(SignedUp { user, token })
    }
}
