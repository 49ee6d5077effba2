use chrono::TimeDelta;

use super::*;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_796_000_000, 0).unwrap()
}

/// A reading from this many seconds ago, with this many admissions.
fn seen(ago: i64, admitted: i64) -> Seen {
    let at = now() - TimeDelta::seconds(ago);
    let sizes = Sizes { epoch: 1, waiting: 5, active: 3, capacity: 9, admitted };
    Seen {
        at,
        counted_at: at,
        phase: Phase::Open,
        recovering: false,
        drawing: false,
        sizes: Some(sizes),
    }
}

#[test]
fn admissions_are_measured_over_the_window_and_within_an_epoch() {
    let rate = |seen: &[Seen]| flow(seen, now()).unwrap().admitted_per_second;
    assert_eq!(rate(&[seen(30, 0), seen(11, 100), seen(1, 200)]), Some(10.0));
    assert_eq!(rate(&[seen(3, 100), seen(1, 200)]), None, "too short");
    assert_eq!(rate(&[seen(1, 200)]), None);
    let mut rebuilt = seen(1, 2);
    rebuilt.sizes.as_mut().unwrap().epoch = 2;
    assert_eq!(rate(&[seen(9, 100), rebuilt]), None);
}

#[test]
fn an_old_reading_is_none_and_a_sale_that_stands_still_admits_nobody() {
    assert!(flow(&[seen(6, 0)], now()).is_none());
    assert!(flow(&[], now()).is_none());
    assert!(flow(&[Seen { sizes: None, ..seen(1, 0) }], now()).is_none());
    assert!(flow(&[seen(1, 0)], now()).unwrap().admits);
    for still in [
        Seen { phase: Phase::Paused, ..seen(1, 0) },
        Seen { recovering: true, ..seen(1, 0) },
        Seen { drawing: true, ..seen(1, 0) },
    ] {
        assert!(!flow(&[still], now()).unwrap().admits, "{still:?}");
    }
}

#[test]
fn a_row_says_when_and_why_the_rate_changed_last() {
    let measured =
        Measured { answers: 0.0, p99_ms: None, error_percent: None, slots_percent: None };
    let step = |rate, reason| AutoStep { rate, reason };
    let later = |seconds| now() + TimeDelta::seconds(seconds);
    let begun = after(None, step(50, AutoReason::FewAnswers), measured, now());
    assert_eq!((begun.change_reason, begun.lowered_at), (AutoReason::Started, None));
    let kept = after(Some(&begun), step(50, AutoReason::OnTarget), measured, later(2));
    assert_eq!((kept.changed_at, kept.checked_at), (now(), later(2)));
    let lower = after(Some(&kept), step(37, AutoReason::Slow), measured, later(4));
    assert_eq!((lower.changed_at, lower.lowered_at), (later(4), Some(later(4))));
    let kept = after(Some(&lower), step(37, AutoReason::Settling), measured, later(6));
    assert_eq!((kept.change_reason, kept.reason), (AutoReason::Slow, AutoReason::Settling));
    let raised = after(Some(&kept), step(40, AutoReason::Raised), measured, later(40));
    assert_eq!((raised.changed_at, raised.lowered_at), (later(40), Some(later(4))));
}

#[test]
fn a_reason_has_one_name() {
    use AutoReason::{Errors, NotAdmitting, OnTarget, Slow, Started};
    for reason in [Started, Slow, Errors, OnTarget, NotAdmitting] {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
    }
}
