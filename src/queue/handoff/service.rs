//! Making a code for another device, and taking the place over there.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::redis::HandedOff;
use crate::caller::{Caller, Role};
use crate::queue::keyspaces::Line;
use crate::queue::service::{Queue, QueueError};
use crate::queue::ticket::short_code::CodeKeys;
use crate::store::id::ScheduleId;
use crate::user::model::User;
use crate::user::service::{SignUpError, Users};
use crate::user::token::Minted;
use crate::user::token_error::TokenError;

/// Handing a place to another device of its owner's; cheap to clone.
#[derive(Debug, Clone)]
pub struct HandOffs {
    queue: Queue,
    users: Arc<Users>,
    codes: Arc<CodeKeys>,
}

/// What the other device goes on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenOver {
    /// In which line.
    pub schedule: ScheduleId,
    /// The ticket.
    pub token: String,
    /// Whose it is.
    pub user: User,
    /// The owner's access token; none where an identity provider makes them.
    pub access: Option<Minted>,
}

/// Why a code was not made, or was good for nothing.
#[derive(Debug, thiserror::Error)]
pub enum HandOffError {
    /// Forged, expired, of before a loss, or something else that we have signed.
    #[error("the code is not valid, or not any more")]
    Invalid,
    /// Somebody has used it.
    #[error("the code was used")]
    Used,
    /// The caller's token is an operator's.
    #[error("an operator's session is not handed over")]
    Operator,
    /// The line has something against it.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The user's token was not to be had.
    #[error(transparent)]
    User(#[from] SignUpError),
}

impl HandOffs {
    /// Puts the service together; `codes` are of [`crate::queue::ticket::short_code::Purpose::HandOff`].
    #[must_use]
    pub fn new(queue: Queue, users: Arc<Users>, codes: CodeKeys) -> Self {
        Self { queue, users, codes: Arc::new(codes) }
    }

    /// A code for the caller's ticket, and when it expires.
    ///
    /// # Errors
    /// [`HandOffError::Operator`] for an operator's token; [`HandOffError::Queue`] where the ticket
    /// is not valid, or another user's.
    pub async fn make(
        &self,
        token: &str,
        caller: &Caller,
    ) -> Result<(String, DateTime<Utc>), HandOffError> {
        if caller.role == Role::Admin {
            return Err(HandOffError::Operator);
        }
        let ticket = self.queue.verify(token, caller.user).await?;
        self.queue.resolver.count_redis_call(ticket.schedule, caller.user)?;
        let epoch = self.queue.board(ticket.schedule).await?.meta.epoch;
        let code = self.codes.sign_with(&ticket, epoch, Some(caller.lifetime), Utc::now());
        Ok(code.map_err(QueueError::from)?)
    }

    /// Takes over the place that a code stands for. Only the first who tries succeeds.
    ///
    /// The new access token lasts as long as the one that the code was made with, and so does its
    /// session: handing over again and again gives no more time.
    ///
    /// What else is needed is fetched before the code is used up: a store that fails leaves it good.
    pub async fn take(&self, code: &str) -> Result<TakenOver, HandOffError> {
        let code = self.codes.verify(code).map_err(|_| HandOffError::Invalid)?;
        let (ticket, lifetime) = (code.ticket, code.access.ok_or(HandOffError::Invalid)?);
        let user = self.users.find(ticket.user).await.map_err(QueueError::from)?;
        let user = user.ok_or(HandOffError::Invalid)?;
        let access = match self.users.token_within(user.id, lifetime).await {
            Ok(minted) => Some(minted),
            Err(SignUpError::Token(TokenError::NotOurs)) => None,
            Err(error) => return Err(error.into()),
        };
        let places = (ticket.shown, ticket.joined);
        let keys = self.queue.keys();
        let token = keys
            .sign(ticket.schedule, user.id, places, ticket.active_until, ticket.expires_at)
            .map_err(QueueError::from)?;
        let use_up = |line: Line| async move { line.hand_off(&code).await };
        match self.queue.lines.run(ticket.schedule, use_up).await.map_err(QueueError::from)? {
            HandedOff::First => Ok(TakenOver { schedule: ticket.schedule, token, user, access }),
            HandedOff::Used => Err(HandOffError::Used),
            HandedOff::Over => Err(HandOffError::Invalid),
        }
    }
}
