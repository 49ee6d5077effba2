//! The claims of an access token (RFC 7519).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::caller::Role;

/// Latest accepted time, in seconds since 1970. All whole numbers up to it are exact in `f64`.
const LATEST: f64 = 9_007_199_254_740_991.0;

/// The claims of an access token.
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
    /// End of the session, until which a token can be renewed. Only tokens that this server signed
    /// have it; without it a token cannot be renewed.
    #[serde(default, deserialize_with = "optional_date", skip_serializing_if = "Option::is_none")]
    pub(super) renew_until: Option<i64>,
    /// Name of the user at an identity provider. Ignored if it is not a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Value>,
    /// Token generation under which this server signed the token; absent before the first restore.
    /// Ignored in tokens of an identity provider.
    #[serde(default, rename = "gen", skip_serializing_if = "Option::is_none")]
    pub(super) generation: Option<Value>,
}

/// The `aud` claim: one audience, or several.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Audiences {
    One(String),
    Many(Vec<String>),
}

/// A `NumericDate`: seconds since 1970, with or without a fraction.
#[derive(Deserialize)]
#[serde(untagged)]
enum NumericDate {
    Whole(i64),
    Fraction(f64),
}

impl NumericDate {
    /// Returns whole seconds, rounded like `jsonwebtoken` does.
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

/// Converts the time of a claim. A time out of range becomes the nearest possible one.
pub(super) fn time(seconds: i64) -> DateTime<Utc> {
    let limit = if seconds < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
    DateTime::from_timestamp(seconds, 0).unwrap_or(limit)
}
