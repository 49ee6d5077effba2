//! JWKS documents of identity providers.
#![no_main]

use jsonwebtoken::Algorithm;
use libfuzzer_sys::fuzz_target;
use onsale::user::jwks::Jwks;

fuzz_target!(|text: &[u8]| {
    let Ok(keys) = Jwks::parse(text) else { return };
    for name in ["a", "b", ""] {
        if let Some(key) = keys.get(name) {
            let known = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];
            assert!(known.contains(&key.algorithm), "never a shared secret");
        }
    }
});
