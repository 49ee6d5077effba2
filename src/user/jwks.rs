//! The public keys of an identity provider, out of a JWKS file (RFC 7517).

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey};

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

/// Why a JWKS file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JwksError {
    /// It cannot be read.
    #[error("ONSALE_JWKS_PATH: {0}: {1}")]
    Unreadable(PathBuf, std::io::Error),
    /// It is not a JWKS.
    #[error("ONSALE_JWKS_PATH: {0}: not a JWKS: {1}")]
    Malformed(PathBuf, serde_json::Error),
    /// Two keys have one `kid`: a token could not say which it means.
    #[error("ONSALE_JWKS_PATH: two keys are called {0:?}")]
    Ambiguous(String),
    /// No key is one that signs with RS256, ES256 or EdDSA and has a `kid`.
    #[error("ONSALE_JWKS_PATH: no key in it signs with RS256, ES256 or EdDSA and has a kid")]
    Useless,
}

impl Jwks {
    /// Reads a file. Keys for other purposes and of other kinds are left out.
    pub fn read(path: &Path) -> Result<Self, JwksError> {
        let text =
            std::fs::read(path).map_err(|error| JwksError::Unreadable(path.into(), error))?;
        Self::parse(&text, path)
    }

    /// Reads the text of the file at `path`.
    pub fn parse(text: &[u8], path: &Path) -> Result<Self, JwksError> {
        let set: JwkSet = serde_json::from_slice(text)
            .map_err(|error| JwksError::Malformed(path.into(), error))?;
        Self::new(&set)
    }

    pub(super) fn new(set: &JwkSet) -> Result<Self, JwksError> {
        let mut keys = HashMap::new();
        for jwk in &set.keys {
            let (Some(kid), Some(key)) = (&jwk.common.key_id, usable(jwk)) else {
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
