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
use crate::store::pg::token_generations::{GenerationError, TokenGenerations};

const AUDIENCE: &str = "onsale-queue";
/// Maximum length of a ticket in bytes. A ticket has about 400.
const LONGEST: usize = 2048;

/// The secrets that tickets are signed with: the first signs, all verify.
pub struct TicketKeys {
    signing: EncodingKey,
    verifying: Vec<(String, DecodingKey)>,
    issuer: String,
    validation: Validation,
    generations: TokenGenerations,
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
    /// The ticket is from before a restore of the database, and its user may be another person now.
    #[error("the ticket is from before a restore of the database")]
    Superseded,
    /// This process has not read the token generations yet.
    #[error("the token generations have not been read yet")]
    Unread,
}

impl From<GenerationError> for InvalidTicket {
    fn from(error: GenerationError) -> Self {
        match error {
            GenerationError::Superseded => Self::Superseded,
            GenerationError::Unread => Self::Unread,
            GenerationError::Barred => Self::Refused,
        }
    }
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
    /// Token generation under which the ticket was signed; absent before the first restore.
    #[serde(default, rename = "gen", skip_serializing_if = "Option::is_none")]
    generation: Option<u64>,
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
            generations: TokenGenerations::default(),
        }
    }

    /// These keys, with the token generations of an installation. Without them, no restore has
    /// happened.
    #[must_use]
    pub fn with_generations(self, generations: TokenGenerations) -> Self {
        Self { generations, ..self }
    }

    /// Signs a ticket for an entry.
    ///
    /// # Errors
    /// [`InvalidTicket::Unread`], or another one if signing fails. It does not fail with a secret of
    /// the right size.
    pub fn sign(
        &self,
        schedule: ScheduleId,
        user: UserId,
        entry: QueueEntry,
        expires_at: DateTime<Utc>,
    ) -> Result<String, InvalidTicket> {
        let QueueEntry { sequence, joined, .. } = entry;
        let generation = self.generations.current()?;
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
            generation: (generation > 0).then_some(generation),
        };
        encode(&header, &claims, &self.signing).map_err(|_| InvalidTicket::Refused)
    }

    /// Verifies a ticket: signature, algorithm, audience, issuer, expiry (RFC 8725), that the id is
    /// the one of its entry, and that no restore has ended it.
    pub fn verify(&self, token: &str) -> Result<Ticket, InvalidTicket> {
        let (ticket, generation) = self.read(token)?;
        self.check_generation(generation, &ticket)?;
        Ok(ticket)
    }

    /// Checks that a ticket that was signed under `generation` still names the same person.
    pub(super) fn check_generation(
        &self,
        generation: u64,
        ticket: &Ticket,
    ) -> Result<(), InvalidTicket> {
        Ok(self.generations.check(generation, ticket.user)?)
    }

    /// As [`TicketKeys::verify`], but returns the ticket's generation instead of checking it.
    pub(super) fn read(&self, token: &str) -> Result<(Ticket, u64), InvalidTicket> {
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
        let ticket = Ticket {
            id: claims.jti,
            user,
            schedule,
            sequence,
            shown: sequence,
            joined,
            active_until,
            expires_at,
            newest_key: index == 0,
        };
        Ok((ticket, claims.generation.unwrap_or(0)))
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
mod tests;
