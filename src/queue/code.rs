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

use super::model::{Sequence, Ticket, ticket_id};
use super::token::InvalidTicket;
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
}

impl CodeKeys {
    /// Keys from the ticket secrets, of which there is at least one.
    #[must_use]
    pub fn new(purpose: Purpose, secrets: &[String], issuer: &str) -> Self {
        let key = |secret: &String| hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let context = format!("{}\0{issuer}\0", purpose.name()).into_bytes();
        Self { purpose, context, keys: secrets.iter().map(key).collect() }
    }

    /// A code for a ticket in a line of this epoch, and when it expires.
    ///
    /// # Errors
    /// [`InvalidTicket`] where there is no secret to sign with.
    pub fn sign(
        &self,
        ticket: &Ticket,
        epoch: u64,
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
        Ok(Code { id: claims.id, ticket, epoch: claims.epoch, expires_at })
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
mod tests {
    use super::*;
    use crate::queue::token::TicketKeys;

    fn secrets() -> Vec<String> {
        vec!["a secret of at least thirty-two bytes".to_owned()]
    }

    fn ticket() -> Ticket {
        let at = |seconds| DateTime::from_timestamp(Utc::now().timestamp() + seconds, 0).unwrap();
        let sequence = Sequence((1 << 40) + 5);
        Ticket {
            id: ticket_id(ScheduleId(3), UserId(7), sequence),
            user: UserId(7),
            schedule: ScheduleId(3),
            sequence,
            shown: sequence,
            joined: sequence,
            active_until: Some(at(300)),
            expires_at: at(3600),
            newest_key: true,
        }
    }

    #[test]
    fn a_code_stands_for_its_ticket_for_as_long_as_its_purpose_says() {
        for (purpose, lives) in [(Purpose::Stream, 60), (Purpose::HandOff, 120)] {
            let (keys, ticket) = (CodeKeys::new(purpose, &secrets(), "onsale"), ticket());
            let made = |ago| keys.sign(&ticket, 1, Utc::now() - TimeDelta::seconds(ago)).unwrap();
            let (code, expires_at) = made(lives - 5);
            assert!(code.len() < 90, "short enough for a picture: {}", code.len());
            let read = keys.verify(&code).unwrap();
            assert_eq!((read.ticket, read.epoch, read.expires_at), (ticket, 1, expires_at));
            assert!(expires_at > Utc::now());
            assert_ne!(keys.verify(&made(0).0).unwrap().id, read.id, "another code");
            assert_eq!(keys.verify(&made(lives + 2).0), Err(InvalidTicket::Refused));
        }
    }

    #[test]
    fn a_code_is_no_ticket_and_a_ticket_no_code() {
        let keys = CodeKeys::new(Purpose::Stream, &secrets(), "onsale");
        let (tickets, ticket) = (TicketKeys::new(&secrets(), "onsale"), ticket());
        let (code, _) = keys.sign(&ticket, 1, Utc::now()).unwrap();
        assert_eq!(tickets.verify(&code), Err(InvalidTicket::Refused));
        let Ticket { schedule, user, sequence, expires_at, .. } = ticket;
        let token = tickets.sign(schedule, user, (sequence, sequence), None, expires_at).unwrap();
        assert_eq!(keys.verify(&token), Err(InvalidTicket::Refused));
        let elsewhere = CodeKeys::new(Purpose::Stream, &secrets(), "elsewhere");
        assert_eq!(elsewhere.verify(&code), Err(InvalidTicket::Refused));
        let other = CodeKeys::new(Purpose::HandOff, &secrets(), "onsale");
        assert_eq!(other.verify(&code), Err(InvalidTicket::Refused), "of another purpose");
        assert_eq!(keys.verify(&format!("{code}x")), Err(InvalidTicket::Refused));
    }

    #[test]
    fn a_code_of_an_older_secret_is_good_and_no_changed_one_is() {
        let old = CodeKeys::new(Purpose::HandOff, &secrets(), "onsale");
        let two = ["a newer secret, of more than thirty-two bytes".to_owned()];
        let keys = CodeKeys::new(Purpose::HandOff, &[&two[..], &secrets()].concat(), "onsale");
        let (code, _) = old.sign(&ticket(), 1, Utc::now()).unwrap();
        assert_eq!(keys.verify(&code).unwrap().ticket, ticket());
        assert_eq!(
            CodeKeys::new(Purpose::HandOff, &two, "onsale").verify(&code),
            Err(InvalidTicket::Refused)
        );
        for at in 0..code.len() - 1 {
            let mut bytes = code.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(keys.verify(&changed), Err(InvalidTicket::Refused), "byte {at}");
        }
        for shorter in 0..code.len() {
            assert_eq!(
                keys.verify(&code[..shorter]),
                Err(InvalidTicket::Refused),
                "{shorter} bytes"
            );
        }
        assert_eq!(keys.verify(&"A".repeat(5_000)), Err(InvalidTicket::Refused));
    }
}
