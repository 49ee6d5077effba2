//! Codes that open one ticket's stream: for `EventSource`, which cannot send a header.
//!
//! A code travels in a URL, so it lives a minute and is good for nothing else. It is signed with the
//! ticket secrets under an audience of its own: every process accepts it, and none keeps it.

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use serde::{Deserialize, Serialize};

use crate::queue::model::{Sequence, Ticket};
use crate::queue::token::{InvalidTicket, key_id};
use crate::store::id::{ScheduleId, UserId};

const AUDIENCE: &str = "onsale-stream";
const LIVES: TimeDelta = TimeDelta::seconds(60);
/// A code is about 300 bytes long.
const LONGEST: usize = 1024;

/// The secrets that codes are signed with: the first signs, all verify.
pub struct CodeKeys {
    signing: EncodingKey,
    verifying: Vec<(String, DecodingKey)>,
    issuer: String,
    validation: Validation,
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
    pub fn new(secrets: &[String], issuer: &str) -> Self {
        let first = secrets.first().map_or("", String::as_str);
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[issuer]);
        validation.set_required_spec_claims(&["aud", "iss", "exp", "sub"]);
        validation.leeway = 0;
        let key = |secret: &String| (key_id(secret), DecodingKey::from_secret(secret.as_bytes()));
        Self {
            signing: EncodingKey::from_secret(first.as_bytes()),
            verifying: secrets.iter().map(key).collect(),
            issuer: issuer.to_owned(),
            validation,
        }
    }

    /// A code for a ticket, and when it expires.
    ///
    /// # Errors
    /// [`InvalidTicket`] where signing fails, which a secret of the right size does not.
    pub fn sign(
        &self,
        ticket: &Ticket,
        now: DateTime<Utc>,
    ) -> Result<(String, DateTime<Utc>), InvalidTicket> {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = self.verifying.first().map(|(id, _)| id.clone());
        let expires_at = now + LIVES;
        let claims = Claims {
            aud: AUDIENCE.to_owned(),
            iss: self.issuer.clone(),
            exp: expires_at.timestamp(),
            sub: ticket.user.to_string(),
            tid: ticket.id,
            sch: ticket.schedule.0,
            seq: ticket.shown.0,
            joi: ticket.joined.0,
            act: ticket.active_until.map(|until| until.timestamp_millis()),
            tex: ticket.expires_at.timestamp(),
            new: ticket.newest_key,
        };
        let code = encode(&header, &claims, &self.signing).map_err(|_| InvalidTicket)?;
        Ok((code, DateTime::from_timestamp(claims.exp, 0).ok_or(InvalidTicket)?))
    }

    /// The ticket that a code stands for.
    ///
    /// # Errors
    /// [`InvalidTicket`] where it is forged, expired, or something else that we have signed.
    pub fn verify(&self, code: &str) -> Result<Ticket, InvalidTicket> {
        if code.len() > LONGEST {
            return Err(InvalidTicket);
        }
        let header = decode_header(code).map_err(|_| InvalidTicket)?;
        if header.crit.is_some() {
            return Err(InvalidTicket);
        }
        let kid = header.kid.ok_or(InvalidTicket)?;
        let key = self.verifying.iter().find(|(id, _)| *id == kid).ok_or(InvalidTicket)?;
        let data = decode::<Claims>(code, &key.1, &self.validation);
        let claims = data.map_err(|_| InvalidTicket)?.claims;
        let millis = |ms| DateTime::from_timestamp_millis(ms).ok_or(InvalidTicket);
        Ok(Ticket {
            id: claims.tid,
            user: UserId(claims.sub.parse().map_err(|_| InvalidTicket)?),
            schedule: ScheduleId(claims.sch),
            sequence: Sequence(claims.seq),
            shown: Sequence(claims.seq),
            joined: Sequence(claims.joi),
            active_until: claims.act.map(millis).transpose()?,
            expires_at: DateTime::from_timestamp(claims.tex, 0).ok_or(InvalidTicket)?,
            newest_key: claims.new,
        })
    }
}

impl std::fmt::Debug for CodeKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CodeKeys").field("keys", &self.verifying.len()).finish_non_exhaustive()
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
    fn a_code_stands_for_its_ticket_for_a_minute() {
        let (keys, ticket) = (CodeKeys::new(&secrets(), "onsale"), ticket());
        let (code, expires_at) = keys.sign(&ticket, Utc::now() - TimeDelta::seconds(55)).unwrap();
        assert_eq!(keys.verify(&code), Ok(ticket));
        assert!(expires_at > Utc::now());
        let (code, _) = keys.sign(&ticket, Utc::now() - TimeDelta::seconds(62)).unwrap();
        assert_eq!(keys.verify(&code), Err(InvalidTicket));
    }

    #[test]
    fn a_code_is_no_ticket_and_a_ticket_no_code() {
        let keys = CodeKeys::new(&secrets(), "onsale");
        let (tickets, ticket) = (TicketKeys::new(&secrets(), "onsale"), ticket());
        let (code, _) = keys.sign(&ticket, Utc::now()).unwrap();
        assert_eq!(tickets.verify(&code), Err(InvalidTicket));
        let Ticket { schedule, user, sequence, expires_at, .. } = ticket;
        let token = tickets.sign(schedule, user, (sequence, sequence), None, expires_at).unwrap();
        assert_eq!(keys.verify(&token), Err(InvalidTicket));
        let elsewhere = CodeKeys::new(&secrets(), "elsewhere");
        assert_eq!(elsewhere.verify(&code), Err(InvalidTicket));
        assert_eq!(keys.verify(&format!("{code}x")), Err(InvalidTicket));
    }
}
