//! Tests of tickets: signing, verification and restores.

use super::*;
use chrono::TimeDelta;

const OLD: &str = "an old secret of thirty-two bytes";
const NEW: &str = "a new secret of thirty-two bytes!";

fn keys(secrets: &[&str]) -> TicketKeys {
    TicketKeys::new(&secrets.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>(), "onsale")
}

fn token(keys: &TicketKeys, in_seconds: i64) -> String {
    let expires = Utc::now() + TimeDelta::seconds(in_seconds);
    let sequence = Sequence((1 << 40) + 5);
    let entry = QueueEntry::waiting(sequence, sequence);
    keys.sign(ScheduleId(3), UserId(7), entry, expires).unwrap()
}

#[test]
fn a_drawn_ticket_has_the_drawn_sequence_and_the_sequence_of_joining() {
    use base64::Engine;
    let (joined, drawn) = (Sequence((1 << 40) + 5), Sequence((1 << 40) + 900));
    let expires = Utc::now() + TimeDelta::minutes(1);
    let (keys, user) = (keys(&[OLD]), UserId(7));
    let token =
        keys.sign(ScheduleId(3), user, QueueEntry::waiting(drawn, joined), expires).unwrap();
    let ticket = keys.verify(&token).unwrap();
    assert_eq!((ticket.sequence, ticket.shown, ticket.joined), (drawn, drawn, joined));
    let claims = token.split('.').nth(1).unwrap();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    let id = ticket_id(ScheduleId(3), user, joined).to_string();
    assert_eq!(claims["jti"], id, "the id of joining");
}

#[test]
fn a_rotated_secret_still_verifies_and_is_reported() {
    let token = token(&keys(&[OLD]), 60);
    let ticket = keys(&[NEW, OLD]).verify(&token).unwrap();
    assert!(!ticket.newest_key);
    assert_eq!((ticket.user, ticket.sequence.number()), (UserId(7), 5));
    assert!(keys(&[OLD, NEW]).verify(&token).unwrap().newest_key);
    assert_eq!(keys(&[NEW]).verify(&token), Err(InvalidTicket::Refused));
}

#[test]
fn an_expired_ticket_is_refused() {
    let keys = keys(&[OLD]);
    assert!(keys.verify(&token(&keys, -20)).is_ok(), "within the leeway");
    assert_eq!(keys.verify(&token(&keys, -40)), Err(InvalidTicket::Expired));
}

#[test]
fn a_ticket_of_another_issuer_or_with_a_changed_byte_is_refused() {
    let keys = keys(&[OLD]);
    let other = TicketKeys::new(&[OLD.to_owned()], "elsewhere");
    assert_eq!(other.verify(&token(&keys, 60)), Err(InvalidTicket::Refused));
    let token = token(&keys, 60);
    for at in (0..token.len() - 1).filter(|at| token.as_bytes()[*at] != b'.') {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert_eq!(keys.verify(&changed), Err(InvalidTicket::Refused), "byte {at}");
    }
}

#[test]
fn nothing_but_hs256_under_a_known_key_is_accepted() {
    let keys = keys(&[OLD]);
    let valid = token(&keys, 60);
    let (_, rest) = valid.split_once('.').unwrap();
    let header = |json: &str| {
        use base64::Engine;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json)
    };
    let kid = key_id(OLD);
    for json in [
        r#"{"alg":"none","typ":"JWT"}"#.to_owned(),
        format!(r#"{{"alg":"none","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"HS512","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"RS256","kid":"{kid}"}}"#),
        r#"{"alg":"HS256"}"#.to_owned(),
        r#"{"alg":"HS256","kid":"../../etc/passwd"}"#.to_owned(),
    ] {
        let forged = format!("{}.{rest}", header(&json));
        assert_eq!(keys.verify(&forged), Err(InvalidTicket::Refused), "{json}");
    }
    let mut critical = decode_header(&valid).unwrap();
    let claims: Claims = decode(&valid, &keys.verifying[0].1, &keys.validation).unwrap().claims;
    let signed = |header: &Header| keys.verify(&encode(header, &claims, &keys.signing).unwrap());
    assert!(signed(&critical).is_ok());
    critical.crit = Some(vec!["exp".to_owned()]);
    assert_eq!(
        signed(&critical),
        Err(InvalidTicket::Refused),
        "an extension that must be understood"
    );
    assert_eq!(keys.verify(""), Err(InvalidTicket::Refused));
    assert_eq!(keys.verify(&"a".repeat(5000)), Err(InvalidTicket::Refused));
}

#[test]
fn a_cached_ticket_is_refused_once_a_restore_has_ended_it() {
    use crate::queue::ticket::cache::TicketCache;
    use crate::store::pg::token_generations::{TokenGeneration, TokenGenerations};
    let generations = TokenGenerations::default();
    let keys = || keys(&[OLD]).with_generations(generations.clone());
    let (tickets, signing) = (TicketCache::new(keys()), keys());
    let earlier = token(&signing, 60);
    assert!(tickets.verify(&earlier).is_ok());
    // User 7 is the first one that the restore lost.
    let raise = |generation, kept_users| TokenGeneration { generation, kept_users };
    generations.replace("1", vec![raise(100, 6)]);
    assert_eq!(tickets.verify(&earlier), Err(InvalidTicket::Superseded), "from the cache");
    assert_eq!(signing.verify(&earlier), Err(InvalidTicket::Superseded));
    let later = token(&signing, 60);
    assert_eq!(tickets.verify(&later).unwrap().user, UserId(7));
    generations.replace("1", vec![raise(100, 6), raise(200, 7)]);
    assert!(tickets.verify(&later).is_ok(), "the second restore kept the user");
    assert_eq!(tickets.verify(&earlier), Err(InvalidTicket::Superseded));
    let unread =
        TicketKeys::new(&[OLD.to_owned()], "onsale").with_generations(TokenGenerations::unread());
    assert!(unread.verify(&later).is_ok(), "while PostgreSQL is down");
}
