use chrono::TimeDelta;

use super::*;
use crate::admin::pace::model::Pace;
use crate::concert::model::Phase;

fn seconds(seen: &Seen, at: DateTime<Utc>) -> i64 {
    (at - seen.now).num_seconds()
}

/// All slots are in use, 3 of 10 a second are admitted, and each buys half a seat.
fn slow() -> Seen {
    Seen {
        active: 100,
        measured_per_second: Some(3.0),
        sold_per_second: Some((1.5, 300)),
        waiting: 5000,
        unsold: 900,
        ..Seen::of_test()
    }
}

#[test]
fn the_capacity_is_the_limit_and_more_of_it_sells_out_earlier() {
    let seen = slow();
    let pace = Pace::of(&seen);
    assert_eq!(pace.reason, PaceReason::Capacity);
    let sell_out = pace.sell_out.expect("a prediction");
    assert_eq!(seconds(&seen, sell_out.at), 600, "900 seats at 1.5 a second");
    assert_eq!((sell_out.measured_seconds, sell_out.before_deadline), (300, true));
    let faster = pace.faster.expect("a suggestion");
    assert_eq!((faster.setting, faster.value), ("capacity", 200), "at most twice");
    assert_eq!(seconds(&seen, faster.sell_out_at.expect("enough people")), 300);
    // Not beyond the rate: 160 slots admit the 10 a second that are set.
    let near = Seen { measured_per_second: Some(6.25), ..slow() };
    let faster = Pace::of(&near).faster.expect("a suggestion");
    assert_eq!((faster.value, faster.admit_per_second), (160, 10.0));
}

#[test]
fn the_rate_is_the_limit_and_more_of_it_helps_as_far_as_slots_are_free() {
    let seen = Seen { active: 40, sold_per_second: Some((2.0, 60)), ..Seen::of_test() };
    let pace = Pace::of(&seen);
    assert_eq!(pace.reason, PaceReason::Rate);
    let faster = pace.faster.expect("a suggestion");
    assert_eq!((faster.setting, faster.value), ("admit_per_second", 20), "at most twice");
    let nearly_full = Seen { active: 80, ..seen.clone() };
    assert_eq!(Pace::of(&nearly_full).faster.map(|it| it.value), Some(12), "100 slots hold that");
    let full = Seen { active: 100, ..seen };
    assert_eq!(Pace::of(&full).faster, None, "no slot is free");
}

#[test]
fn a_queue_that_empties_before_the_last_seat_is_sold_slows_the_sale() {
    // 100 wait and 100 are active: they buy 100 seats. 600 are left for one join a second.
    let seen = Seen { waiting: 100, unsold: 700, joins_per_second: Some(1.0), ..slow() };
    let pace = Pace::of(&seen);
    let at = pace.sell_out.expect("a prediction").at;
    assert_eq!(seconds(&seen, at), 33 + 1200, "100 / 3 per second, then 600 at half a seat each");
    assert_eq!(pace.faster.expect("a suggestion").sell_out_at, None, "too few people wait");
    let no_joins = Seen { joins_per_second: None, ..seen };
    assert_eq!(Pace::of(&no_joins).sell_out, None);
}

#[test]
fn nothing_is_predicted_without_sales_or_while_nobody_is_admitted() {
    let none = Seen { sold_per_second: None, ..slow() };
    assert_eq!(Pace::of(&none).sell_out, None);
    assert_eq!(Pace::of(&none).faster.map(|it| it.sell_out_at), Some(None));
    let paused = Seen { phase: Phase::Paused, ..slow() };
    let pace = Pace::of(&paused);
    assert_eq!((pace.sell_out, pace.faster, pace.next_seconds), (None, None, None));
    let empty = Seen { waiting: 0, ..slow() };
    assert_eq!(Pace::of(&empty).sell_out.map(|it| seconds(&empty, it.at)), Some(600));
    let over = Seen { joins_per_second: None, ..empty };
    assert_eq!(Pace::of(&over).sell_out, None, "nobody comes any more");
    let never = Seen { sold_per_second: Some((0.000_1, 300)), ..slow() };
    assert_eq!(Pace::of(&never).sell_out, None, "more than 30 days away");
    let late = Seen { deadline_at: slow().now + TimeDelta::seconds(599), ..slow() };
    assert!(!Pace::of(&late).sell_out.expect("a prediction").before_deadline);
}

#[test]
fn a_sentence_names_who_paused_and_until_when_it_lasts() {
    let now = slow().now;
    let by = Some(("Kim".to_owned(), now - TimeDelta::seconds(9)));
    let pace = Pace::of(&Seen { phase: Phase::Paused, paused: by, ..slow() });
    assert_eq!((pace.by.as_deref(), pace.since), (Some("Kim"), Some(now - TimeDelta::seconds(9))));
    let pace = Pace::of(&Seen { phase: Phase::Upcoming, ..slow() });
    assert_eq!(pace.until, Some(slow().opens_at));
    let soon = Some(now + TimeDelta::seconds(5));
    let pace = Pace::of(&Seen { recovering: true, pause_until: soon, ..slow() });
    assert_eq!(pace.until, soon);
    let past = Some(now - TimeDelta::seconds(5));
    assert_eq!(Pace::of(&Seen { recovering: true, pause_until: past, ..slow() }).until, None);
    assert!(Pace::of(&slow()).next_seconds.is_some());
}
