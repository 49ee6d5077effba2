use super::*;
use crate::concert::audience::Hidden;
use crate::concert::model::ConcertStatus;
use crate::store::id::{ConcertId, ScheduleId};

fn change(text: &str) -> Result<QueueChange, String> {
    let change: QueueChange = serde_json::from_str(text).map_err(|error| error.to_string())?;
    change.validate().map_err(|report| report.to_string())?;
    Ok(change)
}

#[test]
fn absent_settings_keep_their_values_and_null_clears_only_the_message() {
    let mut old = defaults(Utc::now());
    old.message = Some("soon".to_owned());
    let new = change(r#"{"capacity":0,"paused":true}"#).unwrap().applied_to(&old);
    assert_eq!(new, QueueSettings { capacity: 0, paused: true, ..old.clone() });
    let new = change(r#"{"message":null}"#).unwrap().applied_to(&old);
    assert_eq!(new, QueueSettings { message: None, ..old.clone() });
    assert!(change(r#"{"capacity":null}"#).is_err());
}

#[test]
fn settings_out_of_range_are_refused() {
    let long = "x".repeat(1001);
    for refused in [
        r#"{"capacity":1000001}"#,
        r#"{"admit_per_second":0}"#,
        r#"{"presence_window_seconds":9}"#,
        r#"{"presence_window_seconds":601}"#,
        r#"{"hold_ttl_seconds":3601}"#,
        r#"{"max_seats_per_user":101}"#,
        r#"{"admission_mode":"MANUAL"}"#,
        r#"{"auto_min_per_second":0}"#,
        r#"{"auto_p99_ms":9}"#,
        r#"{"auto_error_percent":101}"#,
        r#"{"auto_slots_percent":0}"#,
        r#"{"entry_order":"LIFO"}"#,
        r#"{"queue_opens_at":"0001-01-01T00:00:00Z"}"#,
        r#"{"message":"a\u0000b"}"#,
        &format!(r#"{{"message":"{long}"}}"#),
        r#"{"capacty":1}"#,
    ] {
        assert!(change(refused).is_err(), "{refused}");
    }
    assert!(change(&format!(r#"{{"message":"{}"}}"#, "가".repeat(1000))).is_ok());
}

#[test]
fn the_entry_order_is_fixed_once_the_queue_is_open() {
    let now = Utc::now();
    let old = schedule(now + OPENS_BEFORE);
    let draw = QueueSettings { entry_order: EntryOrder::Draw, ..old.settings.clone() };
    assert!(matches!(may_change(&old, &draw, now), Err(AdminError::LineIsOpen)));
    let before = now - TimeDelta::seconds(1);
    assert!(may_change(&old, &draw, before).is_ok());
    assert!(may_change(&old, &old.settings, now).is_ok(), "the same order is no change");
}

#[test]
fn the_lowest_automatic_rate_is_not_above_the_highest() {
    let now = Utc::now();
    let old = schedule(now);
    let with = |min, max| QueueSettings {
        auto_min_per_second: min,
        auto_max_per_second: max,
        ..old.settings.clone()
    };
    assert!(may_change(&old, &with(7, 7), now).is_ok());
    assert!(matches!(may_change(&old, &with(8, 7), now), Err(AdminError::Invalid { .. })));
}

#[test]
fn the_rate_is_that_of_the_mode_within_its_bounds() {
    let mut schedule = schedule(Utc::now());
    schedule.auto_rate = Some(20);
    assert_eq!(schedule.admission_rate(), 50, "FIXED");
    schedule.settings.admission_mode = AdmissionMode::Auto;
    assert_eq!(schedule.admission_rate(), 20);
    schedule.settings.auto_min_per_second = 30;
    assert_eq!(schedule.admission_rate(), 30, "the bounds apply at once");
    schedule.auto_rate = None;
    assert_eq!(schedule.admission_rate(), 50, "it starts with the fixed rate");
}

#[test]
fn the_queue_opens_no_later_than_the_sale() {
    let now = Utc::now();
    let old = schedule(now);
    let opens = |at| QueueSettings { queue_opens_at: at, ..old.settings.clone() };
    assert!(may_change(&old, &opens(now), now).is_ok());
    let late = may_change(&old, &opens(now + TimeDelta::seconds(1)), now);
    assert!(matches!(late, Err(AdminError::Invalid { .. })));
}

fn schedule(reservation_available_at: DateTime<Utc>) -> Schedule {
    Schedule {
        id: ScheduleId(1),
        concert_id: ConcertId(1),
        concert_status: ConcertStatus::Available,
        reservation_available_at,
        deadline_at: reservation_available_at + TimeDelta::days(1),
        concert_at: reservation_available_at + TimeDelta::days(1),
        settings: defaults(reservation_available_at),
        auto_rate: None,
        settings_version: 1,
        queue_epoch: 0,
        over: false,
        hidden: Hidden::default(),
        layout_version: 0,
        seats_version: 0,
        seats_total: 0,
    }
}
