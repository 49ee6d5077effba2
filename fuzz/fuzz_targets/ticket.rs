//! Queue tickets. Where the input is two lines, they are a head and claims, and are signed with the
//! right secret, so that what lies behind the signature is reached too.
#![no_main]

use std::sync::LazyLock;

use jsonwebtoken::crypto::sign;
use jsonwebtoken::{Algorithm, EncodingKey};
use libfuzzer_sys::fuzz_target;
use onsale::queue::model::ticket_id;
use onsale::queue::token::TicketKeys;

const SECRET: &str = "a secret of the fuzz targets, 32 bytes or more";

static KEYS: LazyLock<TicketKeys> =
    LazyLock::new(|| TicketKeys::new(&[SECRET.to_owned()], "onsale"));

fuzz_target!(|text: &str| {
    let Some((head, claims)) = text.split_once('\n') else {
        assert!(KEYS.verify(text).is_err(), "a ticket was forged");
        return;
    };
    let message = format!("{}.{}", onsale_fuzz::base64(head), onsale_fuzz::base64(claims));
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let signature = sign(message.as_bytes(), &key, Algorithm::HS256).expect("a signature");
    if let Ok(ticket) = KEYS.verify(&format!("{message}.{signature}")) {
        assert_eq!(ticket.id, ticket_id(ticket.schedule, ticket.user, ticket.joined));
        assert!(ticket.newest_key);
    }
});
