//! Makes hand-off codes, and accepts them on another device.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::redis::{self, HandedOff};
use crate::caller::Caller;
use crate::queue::keyspaces::ScheduleScripts;
use crate::queue::model::{QueueEntry, Ticket};
use crate::queue::service::{QueueError, WaitingRoom};
use crate::queue::ticket::short_code::CodeKeys;
use crate::store::StoreError;
use crate::store::id::{ScheduleId, UserId};
use crate::user::model::User;
use crate::user::service::{SignUpError, Users};
use crate::user::session;
use crate::user::token::Minted;
use crate::user::token_error::TokenError;

/// How long a code of the box office works: the buyer gets it by telephone, mail or across a counter.
const REISSUED_CODE_LIFETIME: TimeDelta = TimeDelta::minutes(15);

/// The service for hand-off codes; cheap to clone.
#[derive(Debug, Clone)]
pub struct HandOffs {
    queue: WaitingRoom,
    users: Arc<Users>,
    codes: Arc<CodeKeys>,
}

/// The ticket and the session for the other device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenOver {
    /// The schedule.
    pub schedule: ScheduleId,
    /// The ticket.
    pub token: String,
    /// The user of the ticket.
    pub user: User,
    /// The user's access token; `None` if an identity provider makes access tokens.
    pub access: Option<Minted>,
}

/// Why a code was not made, or not accepted.
#[derive(Debug, thiserror::Error)]
pub enum HandOffError {
    /// The code is forged, expired, made before a loss, or signed for another purpose.
    #[error("the hand-off code is invalid or has expired")]
    Invalid,
    /// The code was already used.
    #[error("the hand-off code was already used")]
    Used,
    /// The caller's token is an operator's.
    #[error("an operator's session cannot be moved to another device")]
    Operator,
    /// Error of the waiting room.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The access token was not made.
    #[error(transparent)]
    User(#[from] SignUpError),
}

impl HandOffs {
    /// Puts the service together; `codes` are of
    /// [`crate::queue::ticket::short_code::Purpose::HandOff`].
    #[must_use]
    pub fn new(queue: WaitingRoom, users: Arc<Users>, codes: CodeKeys) -> Self {
        Self { queue, users, codes: Arc::new(codes) }
    }

    /// Makes a code for the caller's ticket; also returns when the code expires.
    ///
    /// # Errors
    /// [`HandOffError::Operator`] for an operator's token; [`HandOffError::Queue`] if the ticket is
    /// invalid or belongs to another user.
    pub async fn make(
        &self,
        token: &str,
        caller: &Caller,
    ) -> Result<(String, DateTime<Utc>), HandOffError> {
        if caller.role.is_staff() {
            return Err(HandOffError::Operator);
        }
        let ticket = self.queue.verify(token, caller.user).await?;
        self.queue.resolver.count_redis_call(ticket.schedule, caller.user)?;
        let epoch = self.queue.board(ticket.schedule).await?.meta.epoch;
        let code = self.codes.sign_with(&ticket, epoch, Some(caller.lifetime), Utc::now());
        Ok(code.map_err(QueueError::from)?)
    }

    /// Makes a code for the place of a user whose own ticket is lost; also returns the ticket and when
    /// the code expires. It begins a new session of the user. `None` if the user has no open entry.
    pub async fn make_for(
        &self,
        schedule: ScheduleId,
        user: UserId,
    ) -> Result<Option<(String, DateTime<Utc>, Ticket)>, HandOffError> {
        let Some(ticket) = self.queue.find_ticket(schedule, user).await? else {
            return Ok(None);
        };
        let epoch = self.queue.board(schedule).await?.meta.epoch;
        let (now, keys) = (Utc::now(), &self.codes);
        let session = Some(session::begin(now));
        let code = keys.sign_for(&ticket, epoch, session, now, REISSUED_CODE_LIFETIME);
        let (code, expires_at) = code.map_err(QueueError::from)?;
        Ok(Some((code, expires_at, ticket)))
    }

    /// Accepts a code: returns its ticket and a session. Only the first call for a code succeeds.
    ///
    /// The new access token and its session end at the same time as those with which the code was
    /// made. So repeated hand-offs give no more time.
    ///
    /// The code is used up last: if a store fails before that, the code still works.
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
        let entry = QueueEntry { sequence: ticket.shown, ..QueueEntry::of(&ticket) };
        let token = (self.queue.keys())
            .sign(ticket.schedule, user.id, entry, ticket.expires_at)
            .map_err(QueueError::from)?;
        let redeem = |scripts: ScheduleScripts| async move { redis::redeem(&scripts, &code).await };
        let redeemed = match self.queue.keyspaces.run(ticket.schedule, redeem).await {
            Err(StoreError::SaleOver) => HandedOff::Over,
            other => other.map_err(QueueError::from)?,
        };
        match redeemed {
            HandedOff::First => Ok(TakenOver { schedule: ticket.schedule, token, user, access }),
            HandedOff::Used => Err(HandOffError::Used),
            HandedOff::Over => Err(HandOffError::Invalid),
        }
    }
}
