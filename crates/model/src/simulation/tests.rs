use proptest::prelude::*;

use super::*;
use crate::costs::Costs;
use crate::number::float;

/// A sale of at most some hundred people, for properties.
fn small() -> impl Strategy<Value = SimulationInput> {
    let shares = (0.0f64..0.5, 0.0f64..0.5, 0.0f64..0.5, 0.2f64..1.0);
    let sizes = (1u64..400, 1u64..300, 1u64..80, 1u64..60);
    (sizes, shares, prop::option::of(30.0f64..600.0), prop::bool::ANY).prop_map(
        |((people, seats, capacity, rate), (soon, away, leaves, pays), patience, even)| {
            let mut input = SimulationInput::new(people, seats);
            (input.rules.capacity, input.rules.admit_per_second) = (capacity, rate);
            input.rules.closes_after_seconds = 1_800.0;
            input.arrivals.early_seconds = 300.0;
            input.crowd.patience_seconds = patience;
            (input.crowd.leaves_soon, input.crowd.no_shows) = (soon, away);
            (input.crowd.leaves_sale, input.crowd.pays) = (leaves, pays);
            if even {
                input.arrivals.curve = Curve::Even;
            }
            input
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_lost_and_no_seat_is_sold_twice(input in small(), seed in 0u64..1_000) {
        let run = input.run(seed);
        prop_assert_eq!(run.ends.total(), input.people);
        prop_assert_eq!(run.sold + run.unsold, input.seats);
        prop_assert_eq!(run.sold_out_seconds.is_some(), run.unsold == 0);
        prop_assert!(run.sold >= run.ends.bought && run.sold <= run.ends.bought * 4);
        for sample in &run.series.samples {
            prop_assert!(sample.held + sample.sold <= float(input.seats));
            prop_assert!(sample.waiting <= float(input.people));
        }
    }

    #[test]
    fn active_slots_never_exceed_the_capacity(input in small(), seed in 0u64..1_000) {
        let run = input.run(seed);
        prop_assert!(run.peak_active <= input.rules.capacity);
    }

    #[test]
    fn admission_is_no_faster_than_the_rate(input in small(), seed in 0u64..1_000) {
        let run = input.run(seed);
        let times: Vec<f64> = run.series.samples.iter().map(|sample| sample.seconds).collect();
        // Between the last sample and the next one, people are still admitted.
        let interval = times.windows(2).map(|two| two[1] - two[0]).fold(1.0, f64::max);
        let begin = times.first().map_or(0.0, |first| first.max(0.0));
        let end = times.last().map_or(0.0, |last| last + interval);
        let rate = float(input.rules.admit_per_second);
        // The bucket is full at the opening: one second's worth.
        let most = rate * (end - begin + 1.0) + 1.0;
        prop_assert!(float(run.admitted.len() as u64) <= most);
    }

    #[test]
    fn entries_are_admitted_in_the_order_in_which_they_joined(input in small(), seed in 0u64..99) {
        let run = input.run(seed);
        prop_assert!(run.admitted.is_sorted(), "everybody who polls is present at their turn");
    }

    #[test]
    fn a_run_depends_only_on_its_input_and_its_seed(input in small(), seed in 0u64..1_000) {
        prop_assert_eq!(input.run(seed), input.run(seed));
    }

    #[test]
    fn the_ranks_are_the_counts_of_the_entries_before(
        steps in prop::collection::vec((1usize..50, prop::bool::ANY), 1..200),
    ) {
        let (mut ranks, mut plain) = (rank::Ranks::new(50), std::collections::BTreeSet::new());
        for (number, joins) in steps {
            match joins {
                true if plain.insert(number) => ranks.add(number),
                false if plain.remove(&number) => ranks.remove(number),
                _ => {}
            }
            prop_assert_eq!(ranks.waiting(), plain.len() as u64);
            for number in 1..50 {
                prop_assert_eq!(ranks.ahead(number), plain.range(..number).count() as u64);
            }
        }
    }
}

#[test]
fn a_sale_with_enough_people_sells_out_and_the_rest_finds_that_out() {
    let mut input = SimulationInput::new(3_000, 400);
    (input.rules.admit_per_second, input.rules.capacity) = (5, 50);
    let run = input.run(1);
    assert_eq!((run.sold, run.unsold), (400, 0));
    assert!(run.ends.sold_out > 100 && run.ends.bought >= 100, "{:?}", run.ends);
    assert!(run.sold_out_seconds.unwrap() >= run.nearly_sold_seconds.unwrap());
}

#[test]
fn a_sale_to_which_too_few_come_does_not_sell_out() {
    let run = SimulationInput::new(50, 400).run(1);
    assert_eq!(run.sold_out_seconds, None);
    assert!(run.sold > 0 && run.unsold > 0);
}

#[test]
fn a_higher_rate_sells_out_sooner_until_the_capacity_is_the_limit() {
    let sold_out = |rate: u64, capacity: u64| {
        let mut input = SimulationInput::new(1_500, 600);
        (input.rules.admit_per_second, input.rules.capacity) = (rate, capacity);
        // Without holds that lapse and slots of absent people, which would hide the rate.
        (input.crowd.pays, input.crowd.no_shows) = (1.0, 0.0);
        input.summary(2).nearly_sold_seconds.median
    };
    let (slow, fast) = (sold_out(1, 1_500), sold_out(4, 1_500));
    assert!(fast < slow * 0.6, "{fast} and {slow}");
    let (narrow, wide) = (sold_out(50, 30), sold_out(8, 30));
    assert!((narrow / wide - 1.0).abs() < 0.3, "{narrow} and {wide}");
}

#[test]
fn a_scaled_sale_agrees_with_the_whole_one() {
    let mut whole = SimulationInput::new(8_000, 3_000);
    (whole.rules.admit_per_second, whole.rules.capacity) = (16, 3_000);
    let part = SimulationInput { most_simulated: 2_000, ..whole.clone() };
    let (whole, part) = (whole.summary(3), part.summary(3));
    let near = |what: &str, one: f64, other: f64| {
        assert!((one / other - 1.0).abs() < 0.15, "{what}: {one} and {other}");
    };
    near("end", part.nearly_sold_seconds.median, whole.nearly_sold_seconds.median);
    near("waits", part.waits.half.median, whole.waits.half.median);
    near("slots", part.peak_active.median, whole.peak_active.median);
    near("polls", part.polls.median, whole.polls.median);
    near("sold", part.sold.median, whole.sold.median);
}

#[test]
fn people_who_close_the_page_are_passed_over_and_cost_no_slot() {
    let mut input = SimulationInput::new(2_000, 4_000);
    input.crowd.patience_seconds = Some(60.0);
    (input.rules.admit_per_second, input.rules.capacity) = (5, 2_000);
    let run = input.run(1);
    assert!(run.ends.gave_up > 500, "{:?}", run.ends);
    let admitted = run.admitted.len() as u64;
    assert!(admitted < input.people - run.ends.gave_up / 2, "{admitted} and {:?}", run.ends);
}

#[test]
fn the_simulated_rush_agrees_with_the_measured_one_within_twenty_percent() {
    let (points, summary) = (Costs::measured().unwrap().points, rush::input().summary(5));
    let ends = summary.ends;
    for (figure, simulated) in [
        (points.rush_polls, summary.polls.median),
        (points.rush_buyers, float(ends.bought)),
        (points.rush_left, float(ends.left)),
        (points.rush_refused, summary.refused_holds.median),
    ] {
        let error = simulated / figure.value - 1.0;
        assert!(error.abs() < 0.20, "{}: {simulated}, not {}", figure.unit, figure.value);
    }
    let ends_after = summary.sold_out_seconds.median / rush::SOLD_OUT_SECONDS;
    assert!((0.9..1.1).contains(&ends_after), "the plan assumes another end: {ends_after}");
}

#[test]
fn the_recommended_settings_sell_out_in_the_wanted_time_and_lower_ones_do_not() {
    let input = SimulationInput::new(3_000, 2_250);
    let wanted = 30.0 * 60.0;
    let found = recommend(&input, wanted, 3).expect("settings");
    assert!(found.summary.surely_nearly_sold().unwrap() <= wanted);
    let mut lower = input.clone();
    lower.rules.admit_per_second = found.admit_per_second / 2;
    lower.rules.capacity = found.capacity;
    let ends = lower.summary(3).surely_nearly_sold();
    assert!(ends.is_none_or(|seconds| seconds > wanted), "{ends:?}");
}

#[test]
fn there_are_no_settings_for_a_sale_to_which_too_few_come() {
    assert_eq!(recommend(&SimulationInput::new(50, 2_000), 600.0, 1), None);
}

#[test]
fn a_watch_ends_the_runs_and_changes_nothing_otherwise() {
    let input = SimulationInput::new(2_000, 300);
    let mut calls = 0;
    let watched = input.summary_watched(2, &mut || {
        calls += 1;
        Ok::<(), &str>(())
    });
    assert_eq!(watched, Ok(input.summary(2)));
    assert!(calls > 20, "{calls}");
    let mut left = 5;
    let mut watch = || {
        left -= 1;
        if left == 0 { Err("enough") } else { Ok(()) }
    };
    assert_eq!(recommend_watched(&input, 600.0, 2, &mut watch), Err("enough"));
    assert_eq!(left, 0, "the watch is not called again");
}

#[test]
fn the_text_has_the_figures_and_a_plot_of_each_quantity() {
    let summary = SimulationInput::new(2_000, 300).summary(3);
    let text = summary.to_string();
    for part in ["seats sold after", "nine of ten", "people in the queue", "seats sold", "bought"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.contains('█'), "{text}");
    let svg = Plot::to_svg(&summary.plots);
    assert_eq!(svg.matches("<polyline").count(), 4);
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
}

#[test]
fn an_automatic_rate_keeps_a_slow_store_within_its_target() {
    use crate::auto_rate::AutoRules;
    use crate::auto_rate::store_load::{SlowTime, StoreRules};

    let mut input = SimulationInput::new(9_000, 100_000);
    input.rules.capacity = 100_000;
    input.arrivals = Arrivals { early_share: 1.0, early_seconds: 60.0, ..input.arrivals };
    let slow = SlowTime { from_ms: 180_000, to_ms: 420_000, times: 8.0 };
    let store = StoreRules { calls_per_second: 100.0, call_ms: 20.0, slow: Some(slow) };
    let rules = AutoRules {
        start: 20,
        min: 2,
        max: 200,
        p99_ms: 500.0,
        error_percent: 2.0,
        slots_percent: 100.0,
    };
    input.rules.admit_per_second = 20;
    input.auto = Some(AutoSale { rules, store });
    let series = input.run(1).series;
    let lowest = (180..420).map(|second| series.at(f64::from(second)).rate).fold(1e9, f64::min);
    let before = series.at(170.0).rate;
    assert!(lowest <= before / 2.0, "{lowest} after {before}");
    let after = (420..900).map(|second| series.at(f64::from(second)).rate).fold(0.0, f64::max);
    assert!(after >= 2.0 * lowest, "{after} after {lowest}");
    assert_eq!(input.summary(1).plots.len(), 6, "with the rate and the latency");
}
