//! Access tokens. Where the input is two lines, they are a head and claims, and are signed with the
//! right secret, so that what lies behind the signature is reached too.
#![no_main]

use std::sync::LazyLock;

use jsonwebtoken::crypto::sign;
use jsonwebtoken::{Algorithm, EncodingKey};
use libfuzzer_sys::fuzz_target;
use onsale::user::token::{Bearer, Tokens};

const SECRET: &[u8] = b"a secret of the fuzz targets, 32 bytes or more";

static TOKENS: LazyLock<Tokens> = LazyLock::new(|| Tokens::own("onsale", SECRET));

fuzz_target!(|text: &str| {
    let Some((head, claims)) = text.split_once('\n') else {
        assert!(TOKENS.verify(text).is_err(), "a token was forged");
        return;
    };
    let message = format!("{}.{}", onsale_fuzz::base64(head), onsale_fuzz::base64(claims));
    let key = EncodingKey::from_secret(SECRET);
    let signature = sign(message.as_bytes(), &key, Algorithm::HS256).expect("a signature");
    match TOKENS.verify(&format!("{message}.{signature}")) {
        Ok(Bearer::Own(user, _)) => assert!(user.0 > 0),
        Ok(Bearer::Provided(..)) => panic!("nobody provides tokens here"),
        Err(_) => {}
    }
});
