//! Tickets are JWTs: any service with the secret can verify them.

use chrono::{DateTime, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use serde::{Deserialize, Serialize};

use crate::caller::CLOCK_LEEWAY_SECONDS;
use crate::queue::model::{EntryState, QueueEntry, Sequence, Ticket, ticket_id};
use crate::store::id::{ScheduleId, UserId};

const AUDIENCE: &str = "onsale-queue";
/// Maximum length of a ticket in bytes. A ticket has about 400.
const LONGEST: usize = 2048;

/// The secrets that tickets are signed with: the first signs, all verify.
pub struct TicketKeys {
    signing: EncodingKey,
    verifying: Vec<(String, DecodingKey)>,
    issuer: String,
    validation: Validation,
}

/// Why a ticket or a code is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTicket {
    /// The ticket is forged, malformed, or of another audience. Clients get no more detail.
    #[error("the ticket is not valid")]
    Refused,
    /// The ticket was signed by this service and has expired.
    #[error("the ticket has expired")]
    Expired,
}

/// The claims of a ticket. `seq` has the epoch in its high bits.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    aud: String,
    iss: String,
    /// The user.
    sub: String,
    /// The ticket id.
    jti: uuid::Uuid,
    /// The schedule.
    sch: i64,
    epo: u64,
    seq: u64,
    /// The sequence of joining, if a draw gave another one. The ticket id is derived from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    joi: Option<u64>,
    /// WAITING or ACTIVE.
    sta: State,
    /// End of the active slot (ms since 1970), if ACTIVE.
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<i64>,
    iat: i64,
    exp: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum State {
    Waiting,
    Active,
}

impl TicketKeys {
    /// Makes the keys from at least one secret. `issuer` goes into every ticket.
    #[must_use]
    pub fn new(secrets: &[String], issuer: &str) -> Self {
        let first = secrets.first().map_or("", String::as_str);
        let mut validation = Validation::new(Algorithm::HS256);
        validation.algorithms = vec![Algorithm::HS256];
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[issuer]);
        validation.set_required_spec_claims(&["aud", "iss", "exp", "sub"]);
        validation.leeway = CLOCK_LEEWAY_SECONDS;
        let key = |secret: &String| (key_id(secret), DecodingKey::from_secret(secret.as_bytes()));
        Self {
            signing: EncodingKey::from_secret(first.as_bytes()),
            verifying: secrets.iter().map(key).collect(),
            issuer: issuer.to_owned(),
            validation,
        }
    }

    /// Signs a ticket for an entry.
    ///
    /// # Errors
    /// [`InvalidTicket`] if signing fails. It does not fail with a secret of the right size.
    pub fn sign(
        &self,
        schedule: ScheduleId,
        user: UserId,
        entry: QueueEntry,
        expires_at: DateTime<Utc>,
    ) -> Result<String, InvalidTicket> {
        let QueueEntry { sequence, joined, .. } = entry;
        let active_until = match entry.state {
            EntryState::Active { until } => Some(until),
            _ => None,
        };
        let mut header = Header::new(Algorithm::HS256);
        header.kid = self.verifying.first().map(|(id, _)| id.clone());
        let claims = Claims {
            aud: AUDIENCE.to_owned(),
            iss: self.issuer.clone(),
            sub: user.to_string(),
            jti: ticket_id(schedule, user, joined),
            sch: schedule.0,
            epo: sequence.epoch(),
            seq: sequence.0,
            joi: (joined != sequence).then_some(joined.0),
            sta: if active_until.is_some() { State::Active } else { State::Waiting },
            act: active_until.map(|until| until.timestamp_millis()),
            iat: Utc::now().timestamp(),
            exp: expires_at.timestamp(),
        };
        encode(&header, &claims, &self.signing).map_err(|_| InvalidTicket::Refused)
    }

    /// Verifies a ticket: signature, algorithm, audience, issuer, expiry (RFC 8725), and that the
    /// id is the one of its entry.
    pub fn verify(&self, token: &str) -> Result<Ticket, InvalidTicket> {
        if token.len() > LONGEST {
            return Err(InvalidTicket::Refused);
        }
        let header = decode_header(token).map_err(|_| InvalidTicket::Refused)?;
        if header.crit.is_some() {
            // Extensions that must be understood (RFC 7515, 4.1.11): none is supported.
            return Err(InvalidTicket::Refused);
        }
        let kid = header.kid.ok_or(InvalidTicket::Refused)?;
        let index =
            self.verifying.iter().position(|(id, _)| *id == kid).ok_or(InvalidTicket::Refused)?;
        let data = decode::<Claims>(token, &self.verifying[index].1, &self.validation).map_err(
            |error| match error.kind() {
                // Checked after the signature: only a genuine ticket gets this error.
                ErrorKind::ExpiredSignature => InvalidTicket::Expired,
                _ => InvalidTicket::Refused,
            },
        )?;
        let claims = data.claims;
        let user = UserId(claims.sub.parse().map_err(|_| InvalidTicket::Refused)?);
        let (schedule, sequence) = (ScheduleId(claims.sch), Sequence(claims.seq));
        let millis = |ms| DateTime::from_timestamp_millis(ms).ok_or(InvalidTicket::Refused);
        let active_until = claims.act.map(millis).transpose()?;
        let joined = claims.joi.map_or(sequence, Sequence);
        let is_consistent = ticket_id(schedule, user, joined) == claims.jti
            && sequence.epoch() == claims.epo
            && active_until.is_some() == (claims.sta == State::Active);
        if !is_consistent {
            return Err(InvalidTicket::Refused);
        }
        let expires_at = DateTime::from_timestamp(claims.exp, 0).ok_or(InvalidTicket::Refused)?;
        Ok(Ticket {
            id: claims.jti,
            user,
            schedule,
            sequence,
            shown: sequence,
            joined,
            active_until,
            expires_at,
            newest_key: index == 0,
        })
    }
}

impl std::fmt::Debug for TicketKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TicketKeys").field("keys", &self.verifying.len()).finish_non_exhaustive()
    }
}

/// Names a secret without revealing it: the first 6 bytes of its SHA-256, in hex.
fn key_id(secret: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes());
    hex::encode(&digest.as_ref()[..6])
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    const OLD: &str = "an old secret of thirty-two bytes";
    const NEW: &str = "a new secret of thirty-two bytes!";

    fn keys(secrets: &[&str]) -> TicketKeys {
        TicketKeys::new(&secrets.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>(), "onsale")
    }

    fn token(keys: &TicketKeys, in_seconds: i64) -> String {
        let expires = Utc::now() + TimeDelta::seconds(in_seconds);
        let sequence = Sequence((1 << 40) + 5);
        let entry = QueueEntry::waiting(sequence, sequence);
        keys.sign(ScheduleId(3), UserId(7), entry, expires).unwrap()
    }

    #[test]
    fn a_drawn_ticket_has_the_drawn_sequence_and_the_sequence_of_joining() {
        use base64::Engine;
        let (joined, drawn) = (Sequence((1 << 40) + 5), Sequence((1 << 40) + 900));
        let expires = Utc::now() + TimeDelta::minutes(1);
        let (keys, user) = (keys(&[OLD]), UserId(7));
        let token =
            keys.sign(ScheduleId(3), user, QueueEntry::waiting(drawn, joined), expires).unwrap();
        let ticket = keys.verify(&token).unwrap();
        assert_eq!((ticket.sequence, ticket.shown, ticket.joined), (drawn, drawn, joined));
        let claims = token.split('.').nth(1).unwrap();
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        let id = ticket_id(ScheduleId(3), user, joined).to_string();
        assert_eq!(claims["jti"], id, "the id of joining");
    }

    #[test]
    fn a_rotated_secret_still_verifies_and_is_reported() {
        let token = token(&keys(&[OLD]), 60);
        let ticket = keys(&[NEW, OLD]).verify(&token).unwrap();
        assert!(!ticket.newest_key);
        assert_eq!((ticket.user, ticket.sequence.number()), (UserId(7), 5));
        assert!(keys(&[OLD, NEW]).verify(&token).unwrap().newest_key);
        assert_eq!(keys(&[NEW]).verify(&token), Err(InvalidTicket::Refused));
    }

    #[test]
    fn an_expired_ticket_is_refused() {
        let keys = keys(&[OLD]);
        assert!(keys.verify(&token(&keys, -20)).is_ok(), "within the leeway");
        assert_eq!(keys.verify(&token(&keys, -40)), Err(InvalidTicket::Expired));
    }

    #[test]
    fn a_ticket_of_another_issuer_or_with_a_changed_byte_is_refused() {
        let keys = keys(&[OLD]);
        let other = TicketKeys::new(&[OLD.to_owned()], "elsewhere");
        assert_eq!(other.verify(&token(&keys, 60)), Err(InvalidTicket::Refused));
        let token = token(&keys, 60);
        for at in (0..token.len() - 1).filter(|at| token.as_bytes()[*at] != b'.') {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(keys.verify(&changed), Err(InvalidTicket::Refused), "byte {at}");
        }
    }

    #[test]
    fn nothing_but_hs256_under_a_known_key_is_accepted() {
        let keys = keys(&[OLD]);
        let valid = token(&keys, 60);
        let (_, rest) = valid.split_once('.').unwrap();
        let header = |json: &str| {
            use base64::Engine;
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json)
        };
        let kid = key_id(OLD);
        for json in [
            r#"{"alg":"none","typ":"JWT"}"#.to_owned(),
            format!(r#"{{"alg":"none","kid":"{kid}"}}"#),
            format!(r#"{{"alg":"HS512","kid":"{kid}"}}"#),
            format!(r#"{{"alg":"RS256","kid":"{kid}"}}"#),
            r#"{"alg":"HS256"}"#.to_owned(),
            r#"{"alg":"HS256","kid":"../../etc/passwd"}"#.to_owned(),
        ] {
            let forged = format!("{}.{rest}", header(&json));
            assert_eq!(keys.verify(&forged), Err(InvalidTicket::Refused), "{json}");
        }
        let mut critical = decode_header(&valid).unwrap();
        let claims: Claims = decode(&valid, &keys.verifying[0].1, &keys.validation).unwrap().claims;
        let signed =
            |header: &Header| keys.verify(&encode(header, &claims, &keys.signing).unwrap());
        assert!(signed(&critical).is_ok());
        critical.crit = Some(vec!["exp".to_owned()]);
        assert_eq!(
            signed(&critical),
            Err(InvalidTicket::Refused),
            "an extension that must be understood"
        );
        assert_eq!(keys.verify(""), Err(InvalidTicket::Refused));
        assert_eq!(keys.verify(&"a".repeat(5000)), Err(InvalidTicket::Refused));
    }
}
