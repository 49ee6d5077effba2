//! Codes that stand for a ticket where the ticket itself must not go: in an address, in a picture.
//!
//! A code lives a minute or two and is good for one purpose. It is signed with the ticket secrets
//! under that purpose's audience: every process accepts it, and none keeps it.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::model::{Sequence, Ticket};
use super::signed::Secrets;
use super::token::InvalidTicket;
use crate::store::id::{ScheduleId, UserId};

/// A code is about 400 bytes long.
const LONGEST: usize = 1024;

/// What a code is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Opening the ticket's stream, for a minute: for `EventSource`, which can't send a header.
    Stream,
    /// Going on with another device, once, within two minutes.
    HandOff,
}

/// The secrets that codes of one purpose are signed with: the first signs, all verify.
#[derive(Debug)]
pub struct CodeKeys {
    purpose: Purpose,
    secrets: Secrets,
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
    fn audience(self) -> &'static str {
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

/// A ticket as its code carries it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    aud: String,
    iss: String,
    exp: i64,
    /// The user.
    sub: String,
    /// The code's own id.
    jti: uuid::Uuid,
    /// The epoch it was made under.
    epo: u64,
    /// The ticket id.
    tid: uuid::Uuid,
    /// The schedule.
    sch: i64,
    seq: u64,
    /// The sequence of joining.
    joi: u64,
    /// Until when the ticket is active, in ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<i64>,
    /// When the ticket expires.
    tex: i64,
    /// Whether the ticket was signed with the first secret.
    new: bool,
}

impl CodeKeys {
    /// Keys from the ticket secrets, of which there is at least one.
    #[must_use]
    pub fn new(purpose: Purpose, secrets: &[String], issuer: &str) -> Self {
        Self { purpose, secrets: Secrets::new(secrets, issuer, purpose.audience(), 0) }
    }

    /// A code for a ticket in a line of this epoch, and when it expires.
    ///
    /// # Errors
    /// [`InvalidTicket`] where signing fails, which a secret of the right size does not.
    pub fn sign(
        &self,
        ticket: &Ticket,
        epoch: u64,
        now: DateTime<Utc>,
    ) -> Result<(String, DateTime<Utc>), InvalidTicket> {
        let expires_at = now + self.purpose.lives();
        let claims = Claims {
            aud: self.secrets.audience(),
            iss: self.secrets.issuer(),
            exp: expires_at.timestamp(),
            sub: ticket.user.to_string(),
            jti: uuid::Uuid::now_v7(),
            epo: epoch,
            tid: ticket.id,
            sch: ticket.schedule.0,
            seq: ticket.shown.0,
            joi: ticket.joined.0,
            act: ticket.active_until.map(|until| until.timestamp_millis()),
            tex: ticket.expires_at.timestamp(),
            new: ticket.newest_key,
        };
        let code = self.secrets.sign(&claims)?;
        Ok((code, DateTime::from_timestamp(claims.exp, 0).ok_or(InvalidTicket)?))
    }

    /// What a code says.
    ///
    /// # Errors
    /// [`InvalidTicket`] where it is forged, expired, or something else that we have signed.
    pub fn verify(&self, code: &str) -> Result<Code, InvalidTicket> {
        let (claims, _) = self.secrets.read::<Claims>(code, LONGEST)?;
        let millis = |ms| DateTime::from_timestamp_millis(ms).ok_or(InvalidTicket);
        let seconds = |at| DateTime::from_timestamp(at, 0).ok_or(InvalidTicket);
        let ticket = Ticket {
            id: claims.tid,
            user: UserId(claims.sub.parse().map_err(|_| InvalidTicket)?),
            schedule: ScheduleId(claims.sch),
            sequence: Sequence(claims.seq),
            shown: Sequence(claims.seq),
            joined: Sequence(claims.joi),
            active_until: claims.act.map(millis).transpose()?,
            expires_at: seconds(claims.tex)?,
            newest_key: claims.new,
        };
        let expires_at = seconds(claims.exp)?;
        Ok(Code { id: claims.jti, ticket, epoch: claims.epo, expires_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::model::ticket_id;
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
            let read = keys.verify(&code).unwrap();
            assert_eq!((read.ticket, read.epoch, read.expires_at), (ticket, 1, expires_at));
            assert!(expires_at > Utc::now());
            assert_ne!(keys.verify(&made(0).0).unwrap().id, read.id, "another code");
            assert_eq!(keys.verify(&made(lives + 2).0), Err(InvalidTicket));
        }
    }

    #[test]
    fn a_code_is_no_ticket_and_a_ticket_no_code() {
        let keys = CodeKeys::new(Purpose::Stream, &secrets(), "onsale");
        let (tickets, ticket) = (TicketKeys::new(&secrets(), "onsale"), ticket());
        let (code, _) = keys.sign(&ticket, 1, Utc::now()).unwrap();
        assert_eq!(tickets.verify(&code), Err(InvalidTicket));
        let Ticket { schedule, user, sequence, expires_at, .. } = ticket;
        let token = tickets.sign(schedule, user, (sequence, sequence), None, expires_at).unwrap();
        assert_eq!(keys.verify(&token), Err(InvalidTicket));
        let elsewhere = CodeKeys::new(Purpose::Stream, &secrets(), "elsewhere");
        assert_eq!(elsewhere.verify(&code), Err(InvalidTicket));
        let other = CodeKeys::new(Purpose::HandOff, &secrets(), "onsale");
        assert_eq!(other.verify(&code), Err(InvalidTicket), "of another purpose");
        assert_eq!(keys.verify(&format!("{code}x")), Err(InvalidTicket));
    }
}
