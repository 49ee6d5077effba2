//! Short codes for a ticket. The input is tried as a code, which must be refused. It is also tried
//! as the payload of a correctly signed code, so that the code behind the signature check is
//! reached too.
#![no_main]

use std::sync::LazyLock;

use aws_lc_rs::hmac;
use chrono::Utc;
use libfuzzer_sys::fuzz_target;
use onsale::queue::model::ticket_id;
use onsale::queue::ticket::short_code::{CodeKeys, Purpose};
use onsale_fuzz::{SECRET, base64};

static KEYS: LazyLock<CodeKeys> =
    LazyLock::new(|| CodeKeys::new(Purpose::HandOff, &[SECRET.to_owned()], "onsale"));

fuzz_target!(|payload: &[u8]| {
    assert!(KEYS.verify(&base64(payload)).is_err(), "a code was forged");
    if let Ok(text) = std::str::from_utf8(payload) {
        assert!(KEYS.verify(text).is_err(), "a code was forged");
    }
    let Ok(code) = KEYS.verify(&signed(payload)) else { return };
    let ticket = code.ticket;
    assert!(code.expires_at > Utc::now());
    assert_eq!(ticket.id, ticket_id(ticket.schedule, ticket.user, ticket.joined));
    let (again, _) = KEYS.sign_with(&ticket, code.epoch, code.access, Utc::now()).expect("a code");
    let read = KEYS.verify(&again).expect("a valid code");
    assert_eq!((read.ticket, read.epoch, read.access), (ticket, code.epoch, code.access));
});

/// Returns a code with this payload, signed as the service signs it.
fn signed(payload: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let tag = hmac::sign(&key, &[b"onsale-handoff\0onsale\0", payload].concat());
    base64([&tag.as_ref()[..16], payload].concat())
}
