//! What the targets share.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::sign;
use jsonwebtoken::{Algorithm, EncodingKey};

/// The secret that the targets sign with, and that what they call verifies with.
pub const SECRET: &str = "a secret of the fuzz targets, 32 bytes or more";

/// Bytes in the base64 of URLs, without padding, as tokens and codes are.
#[must_use]
pub fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A token of this head and these claims, rightly signed with [`SECRET`].
///
/// # Panics
/// Where HMAC-SHA-256 fails, which it does not.
#[must_use]
pub fn signed_token(head: &str, claims: &str) -> String {
    let message = format!("{}.{}", base64(head), base64(claims));
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let signature = sign(message.as_bytes(), &key, Algorithm::HS256).expect("a signature");
    format!("{message}.{signature}")
}
