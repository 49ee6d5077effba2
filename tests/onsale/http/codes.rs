//! The list of problem codes: the contract and the documents name the same codes, and a test
//! provokes each of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use onsale::http::api::problem::ProblemCode;

/// Status and code of every refusal.
const CODES: [(u16, &str); 85] = [
    (400, "idempotency_key_required"),
    (400, "invalid_json"),
    (401, "ticket_invalid"),
    (401, "unauthenticated"),
    (402, "insufficient_points"),
    (403, "forbidden"),
    (403, "recovery_code_invalid"),
    (403, "session_not_renewable"),
    (403, "signup_closed"),
    (403, "ticket_not_active"),
    (403, "ticket_not_yours"),
    (404, "concert_not_found"),
    (404, "event_not_found"),
    (404, "guest_not_found"),
    (404, "hold_not_found"),
    (404, "job_not_found"),
    (404, "not_found"),
    (404, "payment_not_found"),
    (404, "rehearsal_not_found"),
    (404, "reservation_not_found"),
    (404, "schedule_not_found"),
    (404, "seat_not_found"),
    (404, "user_not_found"),
    (404, "webhook_not_found"),
    (405, "method_not_allowed"),
    (408, "body_timeout"),
    (409, "already_paid"),
    (409, "already_refunded"),
    (409, "already_revoked"),
    (409, "being_removed"),
    (409, "concert_unavailable"),
    (409, "draw_not_frozen"),
    (409, "event_feed_off"),
    (409, "handoff_invalid"),
    (409, "handoff_used"),
    (409, "has_buyers"),
    (409, "hold_expired"),
    (409, "hold_not_paid"),
    (409, "job_exists"),
    (409, "job_not_cancellable"),
    (409, "line_is_open"),
    (409, "not_in_queue"),
    (409, "not_enough_seats"),
    (409, "not_publishable"),
    (409, "other_price"),
    (409, "own_user"),
    (409, "queue_not_open"),
    (409, "refund_closed"),
    (409, "rehearsal_running"),
    (409, "request_in_progress"),
    (409, "reservation_not_complete"),
    (409, "sale_is_open"),
    (409, "same_seat"),
    (409, "schedule_closed"),
    (409, "schedule_not_open"),
    (409, "seat_in_use"),
    (409, "seat_not_free"),
    (409, "seat_taken"),
    (409, "seat_returned"),
    (409, "seats_reserved"),
    (409, "signs_in_elsewhere"),
    (409, "sold_out"),
    (409, "user_has_entitlements"),
    (409, "webhook_disabled"),
    (409, "webhook_limit"),
    (410, "entrants_removed"),
    (410, "events_expired"),
    (412, "changed_meanwhile"),
    (413, "body_too_large"),
    (415, "unsupported_encoding"),
    (415, "unsupported_media_type"),
    (422, "idempotency_key_reused"),
    (422, "invalid_amount"),
    (422, "invalid_request"),
    (422, "invalid_times"),
    (422, "no_settings_found"),
    (422, "seat_limit_exceeded"),
    (422, "simulation_too_long"),
    (429, "hold_limit"),
    (429, "rate_limited"),
    (503, "not_ready"),
    (503, "overloaded"),
    (503, "report_pending"),
    (503, "simulation_busy"),
    (503, "store_unavailable"),
];

/// The code for a defect of the service, which no test can provoke.
const UNPROVOKED: &str = "internal_error";

fn sources(folder: &str) -> Vec<String> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    found.iter().map(|path| std::fs::read_to_string(path).expect("a file")).collect()
}

#[test]
fn every_code_is_provoked_by_a_test() {
    let tests = sources("tests/onsale");
    let tests: Vec<String> = tests.iter().map(|text| text.split_whitespace().collect()).collect();
    for (status, code) in CODES {
        let call = format!(".refused({status},\"{code}\")");
        assert!(tests.iter().any(|text| text.contains(&call)), "no test has {call}");
    }
}

#[test]
fn the_contract_and_the_list_of_codes_are_the_same() {
    let listed: BTreeSet<(u16, &str)> = ProblemCode::ALL
        .iter()
        .map(|code| (code.kind().status.as_u16(), code.kind().code))
        .collect();
    assert_eq!(listed.len(), ProblemCode::ALL.len(), "a code is listed twice");
    let contract: BTreeSet<_> = CODES.into_iter().chain([(500, UNPROVOKED)]).collect();
    assert_eq!(listed, contract);
}

#[test]
fn the_documents_name_every_code_and_no_other() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/API.md");
    let text = std::fs::read_to_string(path).expect("docs/API.md");
    let quoted: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    for code in ProblemCode::ALL {
        let name = code.kind().code;
        let named = quoted.iter().any(|words| words.split(' ').any(|word| word == name));
        assert!(named, "docs/API.md does not name {name}");
    }
    for words in quoted {
        let Some((status, name)) = words.split_once(' ') else { continue };
        let is_code = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        // Plain answers such as `200 ok` are not problems.
        if status.parse::<u16>().is_ok_and(|status| status >= 400) && is_code {
            let code = ProblemCode::find(name).unwrap_or_else(|| panic!("no code is {name}"));
            assert_eq!(code.kind().status.as_str(), status, "{name}");
        }
    }
}

#[test]
fn every_code_says_what_it_means_and_what_to_do() {
    for code in ProblemCode::ALL {
        let kind = code.kind();
        for text in [kind.title, kind.meaning, kind.action] {
            assert!(text.len() > 10, "{}: {text}", kind.code);
        }
        let example = code.example();
        assert_eq!(example["type"], format!("/problems/{}", kind.code));
        assert_eq!(example["status"], kind.status.as_u16());
        assert!(["title", "code", "detail", "instance"].iter().all(|it| example[it].is_string()));
    }
}
