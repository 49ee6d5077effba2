use proptest::prelude::*;

use super::*;

fn plan(people: u64, seats: u64, minutes: f64) -> Plan {
    Plan::new(PlanInput::new(people, seats, minutes), &Costs::measured().unwrap())
}

#[test]
fn the_calculation_agrees_with_each_measured_point_within_thirty_percent() {
    let comparisons = plan(5_000, 1_000, 1.0).comparisons;
    assert!(comparisons.len() >= 2);
    for point in comparisons {
        assert!(point.error.abs() < 0.30, "{point:?}");
    }
}

#[test]
fn the_small_sale_needs_the_fewest_processes_and_no_warning() {
    let plan = plan(5_000, 1_000, 10.0);
    assert_eq!(plan.needs.processes, 2);
    assert_eq!(plan.warnings, [""; 0]);
    assert!(plan.needs.redis_cores < 0.1 && plan.needs.redis_bytes < 10_000_000, "{plan}");
}

#[test]
fn the_large_sale_warns_of_redis_and_a_longer_arrival_mends_it() {
    let large = plan(14_000_000, 2_000_000, 60.0);
    assert_eq!(large.warnings.len(), 1, "{large}");
    assert!(large.warnings[0].starts_with("Redis would use"), "{large}");
    let costs = Costs::measured().unwrap();
    let longer = PlanInput { arrive_minutes: 60.0, cores_per_process: 16.0, ..large.input };
    assert_eq!(Plan::new(longer, &costs).warnings, [""; 0]);
}

#[test]
fn too_few_people_and_settings_beyond_their_bounds_are_warned_of() {
    let text = plan(100, 1_000, 10.0).warnings.join("\n");
    assert!(text.contains("too few"), "{text}");
    let text = plan(100_000_000, 40_000_000, 10.0).warnings.join("\n");
    assert!(text.contains("admit_per_second would be") && text.contains("capacity would be"));
}

#[test]
fn the_text_names_settings_needs_and_what_is_missing() {
    let plan = plan(14_000_000, 2_000_000, 60.0);
    let text = plan.to_string();
    for part in ["14,000,000 people", "admit_per_second", "maxmemory", "Never measured", "WARNING"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(plan.missing.iter().all(|missing| text.contains(&missing.what)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn more_people_never_need_less(people in 1_000u64..10_000_000, seats in 100u64..1_000_000) {
        let (few, many) = (plan(people, seats, 30.0), plan(people * 2, seats, 30.0));
        prop_assert!(many.load.polls >= few.load.polls * 0.99);
        prop_assert!(many.needs.onsale_cores >= few.needs.onsale_cores * 0.99);
        prop_assert!(many.needs.redis_bytes > few.needs.redis_bytes);
        prop_assert!(many.load.waiting <= people * 2);
        prop_assert!((0.0..=1.0).contains(&many.load.cdn_share));
    }

    #[test]
    fn the_settings_sell_every_seat_in_time(seats in 100u64..1_000_000, minutes in 1.0f64..300.0) {
        let plan = plan(10_000_000, seats, minutes);
        let input = plan.input;
        let sold = float(plan.settings.admit_per_second) * minutes * 60.0
            * input.share_that_pays * input.seats_per_buyer;
        prop_assert!(sold >= float(seats) * 0.999);
    }
}
