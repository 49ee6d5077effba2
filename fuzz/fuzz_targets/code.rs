//! Codes that stand for a ticket. The input is tried as a code, which it must not be, and as what a
//! code says, with the right signature before it, so that what lies behind it is reached too.
#![no_main]

use std::sync::LazyLock;

use aws_lc_rs::hmac;
use chrono::Utc;
use libfuzzer_sys::fuzz_target;
use onsale::queue::ticket::short_code::{CodeKeys, Purpose};
use onsale::queue::model::ticket_id;
use onsale_fuzz::{SECRET, base64};

static KEYS: LazyLock<CodeKeys> =
    LazyLock::new(|| CodeKeys::new(Purpose::HandOff, &[SECRET.to_owned()], "onsale"));

fuzz_target!(|said: &[u8]| {
    assert!(KEYS.verify(&base64(said)).is_err(), "a code was forged");
    if let Ok(text) = std::str::from_utf8(said) {
        assert!(KEYS.verify(text).is_err(), "a code was forged");
    }
    let Ok(code) = KEYS.verify(&signed(said)) else { return };
    let ticket = code.ticket;
    assert!(code.expires_at > Utc::now());
    assert_eq!(ticket.id, ticket_id(ticket.schedule, ticket.user, ticket.joined));
    let (again, _) = KEYS.sign_with(&ticket, code.epoch, code.access, Utc::now()).expect("a code");
    let read = KEYS.verify(&again).expect("a code of ours");
    assert_eq!((read.ticket, read.epoch, read.access), (ticket, code.epoch, code.access));
});

/// The code that says this, as the service would sign it.
fn signed(said: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let tag = hmac::sign(&key, &[b"onsale-handoff\0onsale\0", said].concat());
    base64([&tag.as_ref()[..16], said].concat())
}
