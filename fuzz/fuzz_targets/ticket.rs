//! Queue tickets. If the input has two lines, they are a header and claims, and are signed with the
//! right secret, so that the code behind the signature check is reached too.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use onsale::queue::model::ticket_id;
use onsale::queue::ticket::jwt::TicketKeys;
use onsale_fuzz::{SECRET, signed_token};

static KEYS: LazyLock<TicketKeys> =
    LazyLock::new(|| TicketKeys::new(&[SECRET.to_owned()], "onsale"));

fuzz_target!(|text: &str| {
    let Some((head, claims)) = text.split_once('\n') else {
        assert!(KEYS.verify(text).is_err(), "a ticket was forged");
        return;
    };
    if let Ok(ticket) = KEYS.verify(&signed_token(head, claims)) {
        assert_eq!(ticket.id, ticket_id(ticket.schedule, ticket.user, ticket.joined));
        assert!(ticket.newest_key);
    }
});
