//! Reads the public keys of an identity provider from a JWKS document (RFC 7517).

use std::collections::HashMap;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// Largest accepted document, in bytes.
pub const MAX_JWKS_BYTES: usize = 256 * 1024;

/// Most keys in a document.
const MAX_KEYS: usize = 100;

/// A public key, and the only algorithm that it is used with.
#[derive(Debug, Clone)]
pub struct Key {
    /// RS256, ES256 or EdDSA.
    pub algorithm: Algorithm,
    /// The public key.
    pub key: DecodingKey,
}

/// The usable keys of a document, by their `kid`.
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
    /// The URL does not answer with a document.
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
    /// Two keys have the same `kid`, so a token cannot name one of them.
    #[error("two of its keys have the kid {0:?}")]
    Ambiguous(String),
    /// No key has a `kid` and signs with RS256, ES256 or EdDSA.
    #[error("no key in it has a kid and signs with RS256, ES256 or EdDSA")]
    Useless,
}

/// A document whose keys are not parsed yet.
#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl Jwks {
    /// Parses a document. Ignores keys for other purposes and of other kinds, including unknown
    /// kinds.
    pub fn parse(text: &[u8]) -> Result<Self, JwksError> {
        if text.len() > MAX_JWKS_BYTES {
            return Err(JwksError::TooLarge);
        }
        let Document { keys: entries } = serde_json::from_slice(text)?;
        if entries.len() > MAX_KEYS {
            return Err(JwksError::TooManyKeys);
        }
        let mut keys = HashMap::new();
        for jwk in entries.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok()) {
            let (Some(kid), Some(key)) = (&jwk.common.key_id, usable(&jwk)) else {
                continue;
            };
            if keys.insert(kid.clone(), key).is_some() {
                return Err(JwksError::Ambiguous(kid.clone()));
            }
        }
        if keys.is_empty() { Err(JwksError::Useless) } else { Ok(Self { keys }) }
    }

    /// Returns the key with this `kid`.
    #[must_use]
    pub fn get(&self, kid: &str) -> Option<&Key> {
        self.keys.get(kid)
    }
}

/// Converts a key that onsale can use. The key type decides the algorithm; a key whose `alg`
/// differs is not used.
fn usable(jwk: &Jwk) -> Option<Key> {
    let (algorithm, named) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(point) if point.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        // This excludes shared secrets: anyone who reads the public document could sign with them.
        _ => return None,
    };
    let algorithm_agrees = jwk.common.key_algorithm.as_ref().is_none_or(|alg| *alg == named);
    let key_use = jwk.common.public_key_use.as_ref();
    let signs = key_use.is_none_or(|key_use| *key_use == PublicKeyUse::Signature);
    let key = DecodingKey::from_jwk(jwk).ok()?;
    (algorithm_agrees && signs).then_some(Key { algorithm, key })
}
