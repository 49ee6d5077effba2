//! Access tokens. If the input has two lines, they are a header and claims, and are signed with the
//! right secret, so that the code behind the signature check is reached too.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use onsale::user::token::{Bearer, Tokens};
use onsale_fuzz::{SECRET, signed_token};

static TOKENS: LazyLock<Tokens> = LazyLock::new(|| Tokens::own("onsale", SECRET.as_bytes()));

fuzz_target!(|text: &str| {
    let Some((head, claims)) = text.split_once('\n') else {
        assert!(TOKENS.verify(text).is_err(), "a token was forged");
        return;
    };
    match TOKENS.verify(&signed_token(head, claims)).map(|verified| verified.bearer) {
        Ok(Bearer::Own(user, _)) => assert!(user.0 > 0),
        Ok(Bearer::Provided(..)) => panic!("there is no identity provider here"),
        Err(_) => {}
    }
});
