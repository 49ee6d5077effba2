//! Signatures of messages, by the Standard Webhooks specification 1.0.0: HMAC-SHA-256 (`v1`) and
//! Ed25519 (`v1a`).

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use aws_lc_rs::{hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// Length of a new secret in bytes. The specification demands 24 to 64.
const SECRET_BYTES: usize = 32;

/// Length of the seed of an Ed25519 key in bytes.
const SEED_BYTES: usize = 32;

/// The keys of one endpoint.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKeys {
    /// Key of HMAC-SHA-256.
    pub secret: Vec<u8>,
    /// Seed of the Ed25519 key, if there is one.
    pub seed: Option<Vec<u8>>,
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKeys(..)")
    }
}

impl SigningKeys {
    /// Creates random keys, with an Ed25519 key if `ed25519` is set.
    ///
    /// # Errors
    /// [`Unspecified`] if the system has no random numbers.
    pub fn generate(ed25519: bool) -> Result<Self, Unspecified> {
        let mut secret = vec![0; SECRET_BYTES];
        rand::fill(&mut secret)?;
        let mut seed = vec![0; SEED_BYTES];
        rand::fill(&mut seed)?;
        Ok(Self { secret, seed: ed25519.then_some(seed) })
    }

    /// The secret as receivers get it: `whsec_` and base64.
    #[must_use]
    pub fn secret_text(&self) -> String {
        format!("whsec_{}", STANDARD.encode(&self.secret))
    }

    /// The public Ed25519 key as receivers get it: `whpk_` and base64.
    #[must_use]
    pub fn public_key_text(&self) -> Option<String> {
        let pair = pair(self.seed.as_deref()?)?;
        Some(format!("whpk_{}", STANDARD.encode(pair.public_key().as_ref())))
    }

    /// The signatures of a message: `v1,…`, and `v1a,…` if there is an Ed25519 key.
    fn sign(&self, content: &[u8]) -> Vec<String> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.secret);
        let mut signatures = vec![format!("v1,{}", STANDARD.encode(hmac::sign(&key, content)))];
        if let Some(pair) = self.seed.as_deref().and_then(pair) {
            signatures.push(format!("v1a,{}", STANDARD.encode(pair.sign(content))));
        }
        signatures
    }
}

/// The value of the header `webhook-signature`: the signatures with each of `keys`, separated by
/// spaces.
#[must_use]
pub fn signatures(keys: &[SigningKeys], id: &str, timestamp: i64, body: &[u8]) -> String {
    let content = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
    keys.iter().flat_map(|keys| keys.sign(&content)).collect::<Vec<_>>().join(" ")
}

fn pair(seed: &[u8]) -> Option<Ed25519KeyPair> {
    Ed25519KeyPair::from_seed_unchecked(seed).ok()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

    use super::*;

    /// The values of the reference implementations' own tests.
    #[test]
    fn a_signature_is_that_of_the_reference_implementations() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let keys = SigningKeys { secret, seed: None };
        assert_eq!(keys.secret_text(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", br#"{"test": 2432232314}"#);
        let signed = signatures(&[keys], id, 1_614_265_330, body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_key_of_a_rotation_signs_and_ed25519_verifies() {
        let new = SigningKeys::generate(true).unwrap();
        let old = SigningKeys::generate(false).unwrap();
        let signed = signatures(&[new.clone(), old.clone()], "evt_1", 7, b"{}");
        let all: Vec<&str> = signed.split(' ').collect();
        assert_eq!(all.len(), 3);
        assert!(all[0].starts_with("v1,") && all[2].starts_with("v1,"));
        assert_eq!(signatures(&[old], "evt_1", 7, b"{}"), all[2]);
        let public = new.public_key_text().unwrap();
        let public = STANDARD.decode(public.strip_prefix("whpk_").unwrap()).unwrap();
        let signature = STANDARD.decode(all[1].strip_prefix("v1a,").unwrap()).unwrap();
        let key = UnparsedPublicKey::new(&ED25519, public);
        key.verify(b"evt_1.7.{}", &signature).unwrap();
        assert!(key.verify(b"evt_1.8.{}", &signature).is_err());
    }

    #[test]
    fn debug_output_contains_no_secret() {
        let keys = SigningKeys::generate(true).unwrap();
        assert_eq!(format!("{keys:?}"), "SigningKeys(..)");
    }
}
