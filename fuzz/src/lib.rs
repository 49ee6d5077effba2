//! Code that the fuzz targets share.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::sign;
use jsonwebtoken::{Algorithm, EncodingKey};

/// Secret that the targets sign with, and that the tested code verifies with.
pub const SECRET: &str = "a secret of the fuzz targets, 32 bytes or more";

/// Encodes bytes as base64url without padding, like tokens and codes.
#[must_use]
pub fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns a token with this header and these claims, correctly signed with [`SECRET`].
///
/// # Panics
/// Panics if HMAC-SHA-256 fails, which does not happen.
#[must_use]
pub fn signed_token(head: &str, claims: &str) -> String {
    let message = format!("{}.{}", base64(head), base64(claims));
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let signature = sign(message.as_bytes(), &key, Algorithm::HS256).expect("a signature");
    format!("{message}.{signature}")
}
