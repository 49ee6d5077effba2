//! The public keys of an identity provider, out of a JWKS document (RFC 7517).

use std::collections::HashMap;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// The largest document that is read, in bytes.
pub const MAX_JWKS_BYTES: usize = 256 * 1024;

/// The most keys that a document may have.
const MAX_KEYS: usize = 100;

/// One key, and the one algorithm that it is used with.
#[derive(Debug, Clone)]
pub struct Key {
    /// RS256, ES256 or EdDSA.
    pub algorithm: Algorithm,
    /// The public key.
    pub key: DecodingKey,
}

/// The keys, by their `kid`.
#[derive(Debug, Clone)]
pub struct Jwks {
    keys: HashMap<String, Key>,
}

/// Why a JWKS document cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JwksError {
    /// The file cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// The address does not answer with a document.
    #[error("it cannot be fetched: {0}")]
    Unreachable(String),
    /// It is larger than [`MAX_JWKS_BYTES`].
    #[error("it has more than {MAX_JWKS_BYTES} bytes")]
    TooLarge,
    /// It has more than [`MAX_KEYS`] keys.
    #[error("it has more than {MAX_KEYS} keys")]
    TooManyKeys,
    /// It is not a JWKS.
    #[error("it is not a JWKS: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Two keys have one `kid`: a token could not say which it means.
    #[error("two of its keys have the kid {0:?}")]
    Ambiguous(String),
    /// No key is one that signs with RS256, ES256 or EdDSA and has a `kid`.
    #[error("no key in it signs with RS256, ES256 or EdDSA and has a kid")]
    Useless,
}

/// A document whose keys are still to be read.
#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl Jwks {
    /// Reads a document. Keys for other purposes and of other kinds are left out, also of kinds
    /// that are not known here.
    pub fn parse(text: &[u8]) -> Result<Self, JwksError> {
        if text.len() > MAX_JWKS_BYTES {
            return Err(JwksError::TooLarge);
        }
        let Document { keys: written } = serde_json::from_slice(text)?;
        if written.len() > MAX_KEYS {
            return Err(JwksError::TooManyKeys);
        }
        let mut keys = HashMap::new();
        for jwk in written.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok()) {
            let (Some(kid), Some(key)) = (&jwk.common.key_id, usable(&jwk)) else {
                continue;
            };
            if keys.insert(kid.clone(), key).is_some() {
                return Err(JwksError::Ambiguous(kid.clone()));
            }
        }
        if keys.is_empty() { Err(JwksError::Useless) } else { Ok(Self { keys }) }
    }

    /// The key called `kid`.
    #[must_use]
    pub fn get(&self, kid: &str) -> Option<&Key> {
        self.keys.get(kid)
    }
}

/// The key type decides the algorithm; an `alg` that says otherwise makes the key unusable.
fn usable(jwk: &Jwk) -> Option<Key> {
    let (algorithm, named) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(point) if point.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        // Shared secrets above all: whoever can read a public file could sign with them.
        _ => return None,
    };
    let agrees = jwk.common.key_algorithm.as_ref().is_none_or(|alg| *alg == named);
    let signs = jwk.common.public_key_use.as_ref().is_none_or(|to| *to == PublicKeyUse::Signature);
    let key = DecodingKey::from_jwk(jwk).ok()?;
    (agrees && signs).then_some(Key { algorithm, key })
}
