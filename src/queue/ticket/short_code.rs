//! Codes that stand for a ticket where the ticket itself must not go: in an address, in a picture.
//!
//! A code lives a minute or two and is good for one purpose. It is signed with the ticket secrets
//! for that purpose alone: every process accepts it, and none keeps it. It is short, since a picture
//! of five hundred characters is hard to read for a camera: base64url of 16 bytes of HMAC-SHA-256
//! (RFC 2104) over the purpose, the issuer and what follows, which is what the code says in the
//! encoding of postcard.

use aws_lc_rs::{constant_time, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::jwt::InvalidTicket;
use crate::caller::Lifetime;
use crate::queue::model::{Sequence, Ticket, ticket_id};
use crate::store::id::{ScheduleId, UserId};

/// A code is about 80 bytes long.
const LONGEST: usize = 256;
/// How much of the HMAC is kept, in bytes: nobody guesses 128 bits within two minutes.
const MAC: usize = 16;

/// What a code is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Opening the ticket's stream, for a minute: for `EventSource`, which can't send a header.
    Stream,
    /// Going on with another device, once, within two minutes.
    HandOff,
}

/// The secrets that codes of one purpose are signed with: the first signs, all verify.
pub struct CodeKeys {
    purpose: Purpose,
    /// What is signed begins with this: no code of another purpose or issuer is one of ours.
    context: Vec<u8>,
    keys: Vec<hmac::Key>,
}

/// What a code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// Its own id: another one each time.
    pub id: uuid::Uuid,
    /// The ticket it stands for.
    pub ticket: Ticket,
    /// The epoch of the line when it was made.
    pub epoch: u64,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
    /// How long the access token lasts that the code was made with; `None` where it was made
    /// without one.
    pub access: Option<Lifetime>,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Stream => "onsale-stream",
            Self::HandOff => "onsale-handoff",
        }
    }

    fn lives(self) -> TimeDelta {
        match self {
            Self::Stream => TimeDelta::seconds(60),
            Self::HandOff => TimeDelta::seconds(120),
        }
    }
}

/// A ticket as its code carries it; its id follows from the rest.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    /// The code's own id.
    id: uuid::Uuid,
    /// Until when the code is good, in s.
    until: i64,
    /// The epoch it was made under.
    epoch: u64,
    user: i64,
    schedule: i64,
    sequence: u64,
    /// The sequence of joining.
    joined: u64,
    /// Until when the ticket is active, in ms.
    active_until: Option<i64>,
    /// When the ticket expires, in s.
    expires: i64,
    /// Whether the ticket was signed with the first secret.
    newest_key: bool,
    /// When the access token expires, in seconds after `until`: a small number is a short code.
    access_expires: Option<i64>,
    /// Until when its session can be renewed, likewise.
    access_renews: Option<i64>,
}

impl CodeKeys {
    /// Keys from the ticket secrets, of which there is at least one.
    #[must_use]
    pub fn new(purpose: Purpose, secrets: &[String], issuer: &str) -> Self {
        let key = |secret: &String| hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let context = format!("{}\0{issuer}\0", purpose.name()).into_bytes();
        Self { purpose, context, keys: secrets.iter().map(key).collect() }
    }

    /// A code for a ticket in a queue of this epoch, and when it expires.
    ///
    /// # Errors
    /// [`InvalidTicket`] where there is no secret to sign with.
    pub fn sign(
        &self,
        ticket: &Ticket,
        epoch: u64,
        now: DateTime<Utc>,
    ) -> Result<(String, DateTime<Utc>), InvalidTicket> {
        self.sign_with(ticket, epoch, None, now)
    }

    /// As [`CodeKeys::sign`], for a caller whose access token has this lifetime.
    ///
    /// # Errors
    /// As there.
    pub fn sign_with(
        &self,
        ticket: &Ticket,
        epoch: u64,
        access: Option<Lifetime>,
        now: DateTime<Utc>,
    ) -> Result<(String, DateTime<Utc>), InvalidTicket> {
        let until = (now + self.purpose.lives()).timestamp();
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
        let said = postcard::to_allocvec(&claims).map_err(|_| InvalidTicket::Refused)?;
        let mut code = self.mac(self.keys.first().ok_or(InvalidTicket::Refused)?, &said).to_vec();
        code.extend(said);
        Ok((URL_SAFE_NO_PAD.encode(code), seconds(until)?))
    }

    /// What a code says.
    ///
    /// # Errors
    /// [`InvalidTicket`] where it is forged, expired, or something else that we have signed.
    pub fn verify(&self, code: &str) -> Result<Code, InvalidTicket> {
        if code.len() > LONGEST {
            return Err(InvalidTicket::Refused);
        }
        let code = URL_SAFE_NO_PAD.decode(code).map_err(|_| InvalidTicket::Refused)?;
        let (mac, said) = code.split_first_chunk::<MAC>().ok_or(InvalidTicket::Refused)?;
        let signed = |key| constant_time::verify_slices_are_equal(mac, &self.mac(key, said));
        if !self.keys.iter().any(|key| signed(key).is_ok()) {
            return Err(InvalidTicket::Refused);
        }
        let claims: Claims = postcard::from_bytes(said).map_err(|_| InvalidTicket::Refused)?;
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

    fn mac(&self, key: &hmac::Key, said: &[u8]) -> [u8; MAC] {
        let mut context = hmac::Context::with_key(key);
        context.update(&self.context);
        context.update(said);
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
