//! Short codes in place of a ticket, where the ticket itself must not be used: in a URL and in a QR
//! code.
//!
//! A code is valid for one or two minutes and for one purpose. It is signed with the ticket secrets
//! for that purpose: every process accepts it, and none stores it. It is short, since a QR code of
//! five hundred characters is hard to scan. It is the base64url of 16 bytes of HMAC-SHA-256 (RFC
//! 2104), followed by the claims in postcard encoding. The HMAC covers the purpose, the issuer and
//! the claims.

use aws_lc_rs::{constant_time, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::jwt::InvalidTicket;
use crate::caller::Lifetime;
use crate::queue::model::{Sequence, Ticket, ticket_id};
use crate::store::id::{ScheduleId, UserId};

/// Maximum length of a code in bytes. A code has about 80.
const LONGEST: usize = 256;
/// Bytes of the HMAC in a code: 128 bits cannot be guessed within two minutes.
const MAC: usize = 16;

/// The purpose of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Opens the ticket's stream, for one minute: for `EventSource`, which cannot send a header.
    Stream,
    /// Moves the session to another device, once, within two minutes.
    HandOff,
}

/// The secrets for codes of one purpose: the first signs, all verify.
pub struct CodeKeys {
    purpose: Purpose,
    /// The signed text begins with this, so a code of another purpose or issuer is not valid.
    context: Vec<u8>,
    keys: Vec<hmac::Key>,
}

/// A verified code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The code's own id, different for each code.
    pub id: uuid::Uuid,
    /// The ticket.
    pub ticket: Ticket,
    /// The epoch under which the code was made.
    pub epoch: u64,
    /// When the code expires.
    pub expires_at: DateTime<Utc>,
    /// Lifetime of the access token with which the code was made; `None` if it was made without
    /// one.
    pub access: Option<Lifetime>,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Stream => "onsale-stream",
            Self::HandOff => "onsale-handoff",
        }
    }

    fn lifetime(self) -> TimeDelta {
        match self {
            Self::Stream => TimeDelta::seconds(60),
            Self::HandOff => TimeDelta::seconds(120),
        }
    }
}

/// The contents of a code. The ticket's id is derived from them.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    /// The code's own id.
    id: uuid::Uuid,
    /// When the code expires (s since 1970).
    until: i64,
    /// The epoch under which the code was made.
    epoch: u64,
    user: i64,
    schedule: i64,
    sequence: u64,
    /// The sequence of joining.
    joined: u64,
    /// End of the active slot (ms since 1970).
    active_until: Option<i64>,
    /// When the ticket expires (s since 1970).
    expires: i64,
    /// Whether the ticket was signed with the first secret.
    newest_key: bool,
    /// When the access token expires, in seconds after `until`: a small number makes a short code.
    access_expires: Option<i64>,
    /// Until when its session can be renewed, in seconds after `until`.
    access_renews: Option<i64>,
}

impl CodeKeys {
    /// Makes the keys from at least one ticket secret.
    #[must_use]
    pub fn new(purpose: Purpose, secrets: &[String], issuer: &str) -> Self {
        let key = |secret: &String| hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let context = format!("{}\0{issuer}\0", purpose.name()).into_bytes();
        Self { purpose, context, keys: secrets.iter().map(key).collect() }
    }

    /// Makes a code for a ticket under an epoch; also returns when the code expires.
    ///
    /// # Errors
    /// [`InvalidTicket`] if there is no secret.
    pub fn sign(
        &self,
        ticket: &Ticket,
        epoch: u64,
        now: DateTime<Utc>,
    ) -> Result<(String, DateTime<Utc>), InvalidTicket> {
        self.sign_with(ticket, epoch, None, now)
    }

    /// As [`CodeKeys::sign`], for a caller whose access token has the lifetime `access`.
    ///
    /// # Errors
    /// As [`CodeKeys::sign`].
    pub fn sign_with(
        &self,
        ticket: &Ticket,
        epoch: u64,
        access: Option<Lifetime>,
        now: DateTime<Utc>,
    ) -> Result<(String, DateTime<Utc>), InvalidTicket> {
        self.sign_for(ticket, epoch, access, now, self.purpose.lifetime())
    }

    /// As [`CodeKeys::sign_with`], for a code that expires after `lifetime`.
    ///
    /// # Errors
    /// As [`CodeKeys::sign`].
    pub fn sign_for(
        &self,
        ticket: &Ticket,
        epoch: u64,
        access: Option<Lifetime>,
        now: DateTime<Utc>,
        lifetime: TimeDelta,
    ) -> Result<(String, DateTime<Utc>), InvalidTicket> {
        let until = (now + lifetime).timestamp();
        let claims = Claims {
            id: uuid::Uuid::now_v7(),
            until,
            epoch,
            user: ticket.user.0,
            schedule: ticket.schedule.0,
            sequence: ticket.shown.0,
            joined: ticket.joined.0,
            active_until: ticket.active_until.map(|until| until.timestamp_millis()),
            expires: ticket.expires_at.timestamp(),
            newest_key: ticket.newest_key,
            access_expires: access.map(|access| access.expires_at.timestamp() - until),
            access_renews: access
                .and_then(|access| access.renew_until)
                .map(|renew| renew.timestamp() - until),
        };
        let payload = postcard::to_allocvec(&claims).map_err(|_| InvalidTicket::Refused)?;
        let mut code =
            self.mac(self.keys.first().ok_or(InvalidTicket::Refused)?, &payload).to_vec();
        code.extend(payload);
        Ok((URL_SAFE_NO_PAD.encode(code), seconds(until)?))
    }

    /// Verifies a code.
    ///
    /// # Errors
    /// [`InvalidTicket`] if it is forged, expired, or signed for something else.
    pub fn verify(&self, code: &str) -> Result<Code, InvalidTicket> {
        if code.len() > LONGEST {
            return Err(InvalidTicket::Refused);
        }
        let code = URL_SAFE_NO_PAD.decode(code).map_err(|_| InvalidTicket::Refused)?;
        let (mac, payload) = code.split_first_chunk::<MAC>().ok_or(InvalidTicket::Refused)?;
        let signed = |key| constant_time::verify_slices_are_equal(mac, &self.mac(key, payload));
        if !self.keys.iter().any(|key| signed(key).is_ok()) {
            return Err(InvalidTicket::Refused);
        }
        let claims: Claims = postcard::from_bytes(payload).map_err(|_| InvalidTicket::Refused)?;
        let expires_at = seconds(claims.until)?;
        if expires_at <= Utc::now() {
            return Err(InvalidTicket::Refused);
        }
        let (user, schedule) = (UserId(claims.user), ScheduleId(claims.schedule));
        let (sequence, joined) = (Sequence(claims.sequence), Sequence(claims.joined));
        let millis = |ms| DateTime::from_timestamp_millis(ms).ok_or(InvalidTicket::Refused);
        let ticket = Ticket {
            id: ticket_id(schedule, user, joined),
            user,
            schedule,
            sequence,
            shown: sequence,
            joined,
            active_until: claims.active_until.map(millis).transpose()?,
            expires_at: seconds(claims.expires)?,
            newest_key: claims.newest_key,
        };
        let after =
            |offset: i64| seconds(claims.until.checked_add(offset).ok_or(InvalidTicket::Refused)?);
        let renew_until = claims.access_renews.map(after).transpose()?;
        let access = claims.access_expires.map(after).transpose()?;
        let access = access.map(|expires_at| Lifetime { expires_at, renew_until });
        Ok(Code { id: claims.id, ticket, epoch: claims.epoch, expires_at, access })
    }

    fn mac(&self, key: &hmac::Key, payload: &[u8]) -> [u8; MAC] {
        let mut context = hmac::Context::with_key(key);
        context.update(&self.context);
        context.update(payload);
        let mut mac = [0; MAC];
        mac.copy_from_slice(&context.sign().as_ref()[..MAC]);
        mac
    }
}

fn seconds(at: i64) -> Result<DateTime<Utc>, InvalidTicket> {
    DateTime::from_timestamp(at, 0).ok_or(InvalidTicket::Refused)
}

impl std::fmt::Debug for CodeKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CodeKeys").field("purpose", &self.purpose).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
