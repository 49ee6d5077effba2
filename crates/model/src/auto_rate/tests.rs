//! The controller alone.

mod closed_loop_tests;

use proptest::prelude::*;

use super::*;

fn rules() -> AutoRules {
    AutoRules {
        start: 50,
        min: 5,
        max: 200,
        p99_ms: 500.0,
        error_percent: 2.0,
        slots_percent: 100.0,
    }
}

fn flow() -> AutoFlow {
    let admitted_per_second = Some(50.0);
    AutoFlow { admits: true, waiting: 900, active: 500, capacity: 9_000, admitted_per_second }
}

fn reading() -> AutoReading {
    AutoReading { answers: 900.0, p99_ms: 40.0, errors: 0.0, flow: Some(flow()) }
}

fn settled(rate: u32) -> AutoState {
    AutoState { rate, changed_seconds: 600.0, lowered_seconds: f64::INFINITY }
}

fn step(state: AutoState, reading: AutoReading) -> (u32, AutoReason) {
    let step = rules().next(&state, &reading);
    (step.rate, step.reason)
}

#[test]
fn the_rate_is_lowered_above_a_target_raised_well_below_it_and_kept_between() {
    let slow = |p99_ms| AutoReading { p99_ms, ..reading() };
    for (p99_ms, rate, reason) in [
        (349.0, 53, AutoReason::Raised),
        (351.0, 50, AutoReason::OnTarget),
        (500.0, 50, AutoReason::OnTarget),
        (501.0, 37, AutoReason::Slow),
        (1_001.0, 25, AutoReason::Slow),
    ] {
        assert_eq!(step(settled(50), slow(p99_ms)), (rate, reason), "{p99_ms} ms");
    }
    let failing = AutoReading { errors: 27.0, ..reading() };
    assert_eq!(step(settled(50), failing), (37, AutoReason::Errors));
    assert_eq!(step(settled(6), slow(900.0)), (5, AutoReason::Slow), "not below the lowest");
    assert_eq!(step(settled(5), slow(900.0)), (5, AutoReason::AtMin));
    assert_eq!(step(settled(200), reading()).1, AutoReason::AtMax);
    assert_eq!(step(settled(900), reading()).0, 200, "the bounds apply at once");
}

#[test]
fn the_slots_in_use_are_a_target_only_if_one_is_set() {
    let half = AutoRules { slots_percent: 50.0, ..rules() };
    let full = AutoReading { flow: Some(AutoFlow { active: 9_000, ..flow() }), ..reading() };
    assert_eq!(half.next(&settled(50), &full).reason, AutoReason::Slots);
    assert_ne!(rules().next(&settled(50), &full).reason, AutoReason::Slots);
}

#[test]
fn missing_measurements_keep_the_rate() {
    let with = |flow| AutoReading { flow, ..reading() };
    for (reading, reason) in [
        (AutoReading { answers: 9.0, ..reading() }, AutoReason::FewAnswers),
        (AutoReading { answers: 9.0, p99_ms: 9_000.0, ..reading() }, AutoReason::FewAnswers),
        (AutoReading::default(), AutoReason::NoReading),
        (with(None), AutoReason::NoReading),
        (with(Some(AutoFlow { admits: false, ..flow() })), AutoReason::NotAdmitting),
        (with(Some(AutoFlow { waiting: 0, ..flow() })), AutoReason::NotLimiting),
        (
            with(Some(AutoFlow { admitted_per_second: Some(39.0), ..flow() })),
            AutoReason::NotLimiting,
        ),
        (with(Some(AutoFlow { admitted_per_second: None, ..flow() })), AutoReason::NotLimiting),
    ] {
        assert_eq!(step(settled(50), reading), (50, reason), "{reading:?}");
    }
    let slow = AutoReading { p99_ms: 900.0, flow: None, ..reading() };
    assert_eq!(step(settled(50), slow), (37, AutoReason::Slow), "it is lowered without the queue");
}

#[test]
fn after_a_change_its_effect_is_awaited() {
    // 500 slots at 50 per second: a stay of 10 s, measured over 10 s.
    let slow = AutoReading { p99_ms: 900.0, ..reading() };
    let since =
        |lowered_seconds| AutoState { rate: 50, changed_seconds: lowered_seconds, lowered_seconds };
    for reading in [slow, reading()] {
        assert_eq!(step(since(19.0), reading), (50, AutoReason::Settling));
        assert_ne!(step(since(20.0), reading).1, AutoReason::Settling);
    }
    let raised = |changed_seconds| AutoState { changed_seconds, ..settled(50) };
    assert_eq!(step(raised(4.9), reading()).1, AutoReason::Settling);
    assert_eq!(step(raised(5.0), reading()).1, AutoReason::Raised);
}

proptest! {
    #[test]
    fn the_rate_stays_within_its_bounds_and_moves_only_as_its_reason_says(
        (rate, start, min, more) in (0u32..20_000, 1u32..10_000, 1u32..10_000, 0u32..9_000),
        (changed_seconds, lowered_seconds) in (0.0f64..300.0, 0.0f64..300.0),
        (answers, p99_ms, errors) in (0.0f64..400.0, 0.0f64..3_000.0, 0.0f64..40.0),
        (waiting, active, admitted) in (0u64..3, 0u64..2_000, prop::option::of(0.0f64..9_000.0)),
        (is_read, admits, slots_percent) in (prop::bool::ANY, prop::bool::ANY, 1.0f64..150.0),
    ) {
        let rules = AutoRules { start, min, max: min + more, slots_percent, ..rules() };
        let state = AutoState { rate, changed_seconds, lowered_seconds };
        let flow = AutoFlow {
            admits, waiting, active, capacity: 1_000, admitted_per_second: admitted,
        };
        let reading = AutoReading { answers, p99_ms, errors, flow: is_read.then_some(flow) };
        let (before, next) = (rules.bounded(rate), rules.next(&state, &reading));
        prop_assert!((rules.min..=rules.max).contains(&next.rate));
        let moved = next.rate.cmp(&before);
        match next.reason {
            AutoReason::Slow | AutoReason::Errors | AutoReason::Slots => prop_assert!(moved.is_lt()),
            AutoReason::Raised => {
                prop_assert!(moved.is_gt());
                prop_assert!(is_read && admits && waiting > 0 && answers >= MIN_ANSWERS);
                prop_assert!(p99_ms <= rules.p99_ms, "it is not raised above a target");
            }
            _ => prop_assert!(moved.is_eq()),
        }
    }
}
