use super::*;
use crate::queue::model::QueueEntry;
use crate::queue::ticket::jwt::TicketKeys;

fn secrets() -> Vec<String> {
    vec!["a secret of at least thirty-two bytes".to_owned()]
}

fn ticket() -> Ticket {
    let at = |seconds| DateTime::from_timestamp(Utc::now().timestamp() + seconds, 0).unwrap();
    let sequence = Sequence((1 << 40) + 5);
    Ticket {
        id: ticket_id(ScheduleId(3), UserId(7), sequence),
        user: UserId(7),
        schedule: ScheduleId(3),
        sequence,
        shown: sequence,
        joined: sequence,
        active_until: Some(at(300)),
        expires_at: at(3600),
        newest_key: true,
    }
}

#[test]
fn a_code_is_valid_for_as_long_as_its_purpose_allows() {
    for (purpose, lifetime) in [(Purpose::Stream, 60), (Purpose::HandOff, 120)] {
        let (keys, ticket) = (CodeKeys::new(purpose, &secrets(), "onsale"), ticket());
        let made = |ago| keys.sign(&ticket, 1, Utc::now() - TimeDelta::seconds(ago)).unwrap();
        let (code, expires_at) = made(lifetime - 5);
        assert!(code.len() < 100, "short enough for a QR code: {}", code.len());
        let read = keys.verify(&code).unwrap();
        assert_eq!((read.ticket, read.epoch, read.expires_at), (ticket, 1, expires_at));
        assert!(expires_at > Utc::now());
        assert_ne!(keys.verify(&made(0).0).unwrap().id, read.id, "another code");
        assert_eq!(keys.verify(&made(lifetime + 2).0), Err(InvalidTicket::Refused));
    }
}

#[test]
fn a_code_has_the_lifetime_of_the_access_token_it_was_made_with() {
    let (keys, now) = (CodeKeys::new(Purpose::HandOff, &secrets(), "onsale"), Utc::now());
    let at = |hours: i64| seconds(now.timestamp() + hours * 3600).unwrap();
    for access in [
        Lifetime { expires_at: at(24), renew_until: Some(at(7 * 24)) },
        Lifetime { expires_at: at(0), renew_until: None },
    ] {
        let (code, _) = keys.sign_with(&ticket(), 1, Some(access), now).unwrap();
        assert!(code.len() < 100, "short enough for a QR code: {}", code.len());
        assert_eq!(keys.verify(&code).unwrap().access, Some(access));
    }
    assert_eq!(keys.verify(&keys.sign(&ticket(), 1, now).unwrap().0).unwrap().access, None);
}

#[test]
fn a_code_is_not_a_ticket_and_a_ticket_is_not_a_code() {
    let keys = CodeKeys::new(Purpose::Stream, &secrets(), "onsale");
    let (tickets, ticket) = (TicketKeys::new(&secrets(), "onsale"), ticket());
    let (code, _) = keys.sign(&ticket, 1, Utc::now()).unwrap();
    assert_eq!(tickets.verify(&code), Err(InvalidTicket::Refused));
    let Ticket { schedule, user, sequence, expires_at, .. } = ticket;
    let token =
        tickets.sign(schedule, user, QueueEntry::waiting(sequence, sequence), expires_at).unwrap();
    assert_eq!(keys.verify(&token), Err(InvalidTicket::Refused));
    let elsewhere = CodeKeys::new(Purpose::Stream, &secrets(), "elsewhere");
    assert_eq!(elsewhere.verify(&code), Err(InvalidTicket::Refused));
    let other = CodeKeys::new(Purpose::HandOff, &secrets(), "onsale");
    assert_eq!(other.verify(&code), Err(InvalidTicket::Refused), "of another purpose");
    assert_eq!(keys.verify(&format!("{code}x")), Err(InvalidTicket::Refused));
}

#[test]
fn a_code_of_an_older_secret_is_valid_and_a_changed_code_is_not() {
    let old = CodeKeys::new(Purpose::HandOff, &secrets(), "onsale");
    let two = ["a newer secret, of more than thirty-two bytes".to_owned()];
    let keys = CodeKeys::new(Purpose::HandOff, &[&two[..], &secrets()].concat(), "onsale");
    let (code, _) = old.sign(&ticket(), 1, Utc::now()).unwrap();
    assert_eq!(keys.verify(&code).unwrap().ticket, ticket());
    assert_eq!(
        CodeKeys::new(Purpose::HandOff, &two, "onsale").verify(&code),
        Err(InvalidTicket::Refused)
    );
    for at in 0..code.len() - 1 {
        let mut bytes = code.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert_eq!(keys.verify(&changed), Err(InvalidTicket::Refused), "byte {at}");
    }
    for shorter in 0..code.len() {
        assert_eq!(keys.verify(&code[..shorter]), Err(InvalidTicket::Refused), "{shorter} bytes");
    }
    assert_eq!(keys.verify(&"A".repeat(5_000)), Err(InvalidTicket::Refused));
}
