//! Passes of the synthetic buyers of a rehearsal. A pass stands in place of an access token, and is
//! accepted only for the shadow of its rehearsal. It is signed with the ticket secrets, so that every
//! process accepts it, with an identity provider too.

use aws_lc_rs::{constant_time, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};

use crate::store::id::RehearsalId;

/// Beginning of every pass. No access token begins like this.
const PREFIX: &str = "rehearsal.";
/// What the signature covers first, so that no other signature under these secrets is a pass.
const PURPOSE: &str = "onsale-rehearsal";
/// Bytes of the HMAC in a pass.
const MAC: usize = 16;

/// A verified pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// The rehearsal.
    pub rehearsal: RehearsalId,
    /// Number of the buyer.
    pub number: u32,
    /// When the pass expires.
    pub expires_at: DateTime<Utc>,
}

/// Signs and verifies passes. Without secrets, no pass is valid.
#[derive(Default)]
pub struct RehearsalPasses {
    issuer: String,
    /// The first one signs, all verify.
    keys: Vec<hmac::Key>,
}

impl std::fmt::Debug for RehearsalPasses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RehearsalPasses(..)")
    }
}

impl RehearsalPasses {
    /// Makes the keys from the ticket secrets.
    #[must_use]
    pub fn new(secrets: &[String], issuer: &str) -> Self {
        let key = |secret: &String| hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        Self { issuer: issuer.to_owned(), keys: secrets.iter().map(key).collect() }
    }

    fn signed_text(&self, claims: &str) -> Vec<u8> {
        format!("{PURPOSE}\0{}\0{claims}", self.issuer).into_bytes()
    }

    /// Signs a pass; `None` without secrets.
    #[must_use]
    pub fn sign(&self, pass: &Pass) -> Option<String> {
        let Pass { rehearsal, number, expires_at } = pass;
        let claims = format!("{rehearsal}.{number}.{}", expires_at.timestamp());
        let tag = hmac::sign(self.keys.first()?, &self.signed_text(&claims));
        let mac = URL_SAFE_NO_PAD.encode(tag.as_ref().get(..MAC)?);
        Some(format!("{PREFIX}{claims}.{mac}"))
    }

    /// Reads a pass. `None` if the text is no pass, is forged, or has expired.
    #[must_use]
    pub fn verify(&self, text: &str, now: DateTime<Utc>) -> Option<Pass> {
        let (claims, mac) = text.strip_prefix(PREFIX)?.rsplit_once('.')?;
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        let signed = self.signed_text(claims);
        let is_signed = |key: &hmac::Key| {
            let tag = hmac::sign(key, &signed);
            let expected = tag.as_ref().get(..MAC).unwrap_or_default();
            constant_time::verify_slices_are_equal(expected, &mac).is_ok()
        };
        if !self.keys.iter().any(is_signed) {
            return None;
        }
        let mut parts = claims.split('.');
        let rehearsal = RehearsalId(parts.next()?.parse().ok().filter(|id: &i64| *id > 0)?);
        let number = parts.next()?.parse().ok()?;
        let expires_at = DateTime::from_timestamp(parts.next()?.parse().ok()?, 0)?;
        (parts.next().is_none() && now < expires_at).then_some(Pass {
            rehearsal,
            number,
            expires_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn passes(secrets: &[&str]) -> RehearsalPasses {
        let secrets: Vec<String> = secrets.iter().map(|it| (*it).to_owned()).collect();
        RehearsalPasses::new(&secrets, "onsale")
    }

    #[test]
    fn a_pass_is_valid_until_it_expires_and_also_during_a_rotation() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let expires_at = now + TimeDelta::minutes(5);
        let pass = Pass { rehearsal: RehearsalId(3), number: 17, expires_at };
        let text = passes(&["old"]).sign(&pass).unwrap();
        assert_eq!(passes(&["old"]).verify(&text, now), Some(pass));
        assert_eq!(passes(&["new", "old"]).verify(&text, now), Some(pass));
        assert_eq!(passes(&["old"]).verify(&text, expires_at), None);
    }

    #[test]
    fn no_other_text_is_a_pass() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let expires_at = now + TimeDelta::minutes(5);
        let keys = passes(&["secret"]);
        let text = keys.sign(&Pass { rehearsal: RehearsalId(3), number: 17, expires_at }).unwrap();
        for forged in [
            text.replacen(".3.", ".4.", 1),
            text.replacen(".17.", ".18.", 1),
            text.trim_start_matches(PREFIX).to_owned(),
            format!("{text}A"),
            format!("{PREFIX}{}", &text[text.len() - 22..]),
            PREFIX.to_owned(),
            String::new(),
        ] {
            assert_eq!(keys.verify(&forged, now), None, "{forged}");
        }
        assert_eq!(passes(&["other"]).verify(&text, now), None);
        assert_eq!(RehearsalPasses::new(&["secret".to_owned()], "other").verify(&text, now), None);
        assert_eq!(RehearsalPasses::default().verify(&text, now), None);
    }
}
