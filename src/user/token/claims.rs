//! The claims of an access token (RFC 7519).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::caller::Role;

/// The latest time that is read, in seconds: every whole number up to it has an exact `f64`.
const LATEST: f64 = 9_007_199_254_740_991.0;

/// What an access token claims.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) aud: Audiences,
    pub(super) iss: String,
    pub(super) sub: String,
    #[serde(default)]
    pub(super) role: Option<Role>,
    #[serde(default, deserialize_with = "optional_date")]
    pub(super) iat: Option<i64>,
    #[serde(deserialize_with = "date")]
    pub(super) exp: i64,
    /// The end of the session, until which we renew a token of our own. Without it a token is not
    /// renewed.
    #[serde(default, deserialize_with = "optional_date", skip_serializing_if = "Option::is_none")]
    pub(super) renew_until: Option<i64>,
    /// What an identity provider calls the user. Ignored where it is not a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Value>,
}

/// A provider may name several audiences.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Audiences {
    One(String),
    Many(Vec<String>),
}

/// A `NumericDate`: seconds since 1970, perhaps with a fraction.
#[derive(Deserialize)]
#[serde(untagged)]
enum NumericDate {
    Whole(i64),
    Fraction(f64),
}

impl NumericDate {
    /// Whole seconds, rounded as `jsonwebtoken` rounds.
    fn seconds<E: serde::de::Error>(self) -> Result<i64, E> {
        match self {
            Self::Whole(seconds) => Ok(seconds),
            #[expect(clippy::cast_possible_truncation, reason = "it is within LATEST")]
            Self::Fraction(seconds) if seconds.abs() <= LATEST => Ok(seconds.round() as i64),
            Self::Fraction(_) => Err(E::custom("the time is out of range")),
        }
    }
}

fn date<'de, D: Deserializer<'de>>(source: D) -> Result<i64, D::Error> {
    NumericDate::deserialize(source)?.seconds()
}

fn optional_date<'de, D: Deserializer<'de>>(source: D) -> Result<Option<i64>, D::Error> {
    Option::<NumericDate>::deserialize(source)?.map(NumericDate::seconds).transpose()
}

/// A time of a claim; the latest that there is where it is later.
pub(super) fn time(seconds: i64) -> DateTime<Utc> {
    let limit = if seconds < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
    DateTime::from_timestamp(seconds, 0).unwrap_or(limit)
}
