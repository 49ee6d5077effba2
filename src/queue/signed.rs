//! What a ticket and a code have in common: claims, signed with the ticket secrets for one audience.
//! JWTs with HS256 (RFC 7519), read as strictly as RFC 8725 asks.

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::token::InvalidTicket;

/// The ticket secrets, for one audience: the first signs, all verify.
pub(super) struct Secrets {
    audience: &'static str,
    issuer: String,
    signing: EncodingKey,
    verifying: Vec<(String, DecodingKey)>,
    validation: Validation,
}

impl Secrets {
    /// Of `secrets` there is at least one; clocks may differ by `leeway` seconds.
    pub(super) fn new(
        secrets: &[String],
        issuer: &str,
        audience: &'static str,
        leeway: u64,
    ) -> Self {
        let first = secrets.first().map_or("", String::as_str);
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[audience]);
        validation.set_issuer(&[issuer]);
        validation.set_required_spec_claims(&["aud", "iss", "exp", "sub"]);
        validation.leeway = leeway;
        let key = |secret: &String| (key_id(secret), DecodingKey::from_secret(secret.as_bytes()));
        Self {
            audience,
            issuer: issuer.to_owned(),
            signing: EncodingKey::from_secret(first.as_bytes()),
            verifying: secrets.iter().map(key).collect(),
            validation,
        }
    }

    /// The `aud` of all claims.
    pub(super) fn audience(&self) -> String {
        self.audience.to_owned()
    }

    /// The `iss` of all claims.
    pub(super) fn issuer(&self) -> String {
        self.issuer.clone()
    }

    /// Signs with the first secret, and names it.
    ///
    /// # Errors
    /// [`InvalidTicket`] where signing fails, which a secret of the right size does not.
    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<String, InvalidTicket> {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = self.verifying.first().map(|(id, _)| id.clone());
        encode(&header, claims, &self.signing).map_err(|_| InvalidTicket)
    }

    /// The claims of a token of at most `longest` bytes, and whether the first secret signed it.
    /// Signature, algorithm, audience, issuer and expiry are right.
    ///
    /// # Errors
    /// [`InvalidTicket`].
    pub(super) fn read<C: DeserializeOwned>(
        &self,
        token: &str,
        longest: usize,
    ) -> Result<(C, bool), InvalidTicket> {
        if token.len() > longest {
            return Err(InvalidTicket);
        }
        let header = decode_header(token).map_err(|_| InvalidTicket)?;
        if header.crit.is_some() {
            // Extensions that must be understood (RFC 7515, 4.1.11): we understand none.
            return Err(InvalidTicket);
        }
        let kid = header.kid.ok_or(InvalidTicket)?;
        let index = self.verifying.iter().position(|(id, _)| *id == kid).ok_or(InvalidTicket)?;
        let data = decode(token, &self.verifying[index].1, &self.validation);
        Ok((data.map_err(|_| InvalidTicket)?.claims, index == 0))
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets").field("keys", &self.verifying.len()).finish_non_exhaustive()
    }
}

/// Names a secret without telling it: the first bytes of its SHA-256.
fn key_id(secret: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes());
    hex::encode(&digest.as_ref()[..6])
}
