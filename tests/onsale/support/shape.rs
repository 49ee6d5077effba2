//! The shape of a JSON object: exactly these members, of these types.

use std::collections::BTreeSet;

use chrono::DateTime;
use serde_json::Value;

/// Fails unless `value` has exactly the members of `shape`: words like `id:int title:text?`. A
/// member with `?` may be null.
#[track_caller]
pub fn check(value: &Value, shape: &str) {
    let members = value.as_object().unwrap_or_else(|| panic!("not an object: {value}"));
    let expected: Vec<(&str, &str)> =
        shape.split_whitespace().map(|word| word.split_once(':').expect("name:type")).collect();
    let names: BTreeSet<&str> = expected.iter().map(|(name, _)| *name).collect();
    let found: BTreeSet<&str> = members.keys().map(String::as_str).collect();
    assert_eq!(found, names, "{value}");
    for (name, kind) in expected {
        let member = &members[name];
        let fits = match kind.strip_suffix('?') {
            Some(kind) => member.is_null() || fits(member, kind),
            None => fits(member, kind),
        };
        assert!(fits, "{name} is not {kind}: {member}");
    }
}

fn fits(value: &Value, kind: &str) -> bool {
    match kind {
        "int" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "text" => value.is_string(),
        "bool" => value.is_boolean(),
        "list" => value.is_array(),
        "object" => value.is_object(),
        "uuid" => value
            .as_str()
            .is_some_and(|text| text.len() == 36 && text.parse::<uuid::Uuid>().is_ok()),
        "time" => value.as_str().is_some_and(is_time),
        other => panic!("unknown type: {other}"),
    }
}

/// Whether a text is a time in RFC 3339, in UTC and with a `Z`.
pub fn is_time(text: &str) -> bool {
    text.ends_with('Z') && DateTime::parse_from_rfc3339(text).is_ok()
}

/// Fails unless the answer is a page whose items have this shape; returns the items.
#[track_caller]
pub fn check_page(value: &Value, shape: &str) -> Vec<Value> {
    check(value, "items:list next_cursor:text?");
    let items = value["items"].as_array().expect("items").clone();
    for item in &items {
        check(item, shape);
    }
    items
}

pub const SCHEDULE: &str = "id:int concert_id:int reservation_available_at:time deadline_at:time \
     concert_at:time queue_opens_at:time entry_order:text max_seats_per_user:int prices:list \
     message:text? phase:text seats:object server_time:time";
pub const TICKET: &str = "queue_token:text ticket_id:uuid schedule_id:int status:text \
     sequence:int position:int? ahead:int? waiting:int eta_seconds:int? eta_low_seconds:int? \
     eta_high_seconds:int? poll_after_ms:int? seats_available:int active_expires_at:time? \
     claim_by:time? recovering:bool phase:text message:text? server_time:time";
pub const HOLD: &str = "hold_id:uuid expires_at:time total_amount:int server_time:time \
     reservations:list";
pub const RESERVATION: &str = "id:int hold_id:uuid concert_id:int schedule_id:int seat_id:int \
     seat_number:int status:text amount:int reservation_at:time expires_at:time";
pub const PAYMENT: &str = "id:int reservation_id:int amount:int status:text payment_at:time";
pub const SETTINGS: &str = "capacity:int admit_per_second:int admission_mode:text \
     auto_min_per_second:int auto_max_per_second:int auto_p99_ms:int auto_error_percent:int \
     auto_slots_percent:int active_ttl_seconds:int \
     claim_window_seconds:int presence_window_seconds:int return_grace_seconds:int \
     hold_ttl_seconds:int max_seats_per_user:int entry_order:text queue_opens_at:time paused:bool \
     message:text?";
