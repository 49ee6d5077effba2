use super::*;
use crate::admin::history::sample::{IDLE_STANDS, LoadSizes, STANDS, SaleSizes, SoldSizes};
use crate::concert::model::Phase;

const BEGIN: i64 = 1_796_000_000;

fn time(seconds: f64) -> DateTime<Utc> {
    #[expect(clippy::cast_possible_truncation, reason = "a short time")]
    let ms = (seconds * 1000.0) as i64;
    DateTime::from_timestamp_millis(BEGIN * 1000 + ms).unwrap()
}

/// A reading after `seconds`, of a sale with this many waiting and admitted.
fn sample(seconds: f64, waiting: i32, admitted: i64) -> Sample {
    let sale = SaleSizes {
        epoch: 1,
        waiting,
        active: 5,
        parked: 0,
        held: 2,
        capacity: 10,
        rate: 20,
        joined: 1000,
        admitted,
        expired: 0,
        sold: 0,
    };
    Sample {
        at: time(seconds),
        counted_at: time(seconds),
        step: 1,
        stands: STANDS,
        phase: Phase::Open,
        recovering: false,
        drawing: false,
        sale: Some(sale),
        sold: Some(SoldSizes { revenue: 0, refused: 0, failed: 0 }),
        load: LoadSizes::default(),
    }
}

fn series(samples: &[Sample], (from, until): (f64, f64), step: u32) -> Series {
    Grid::over(time(from), time(until), step).series(samples, time(until))
}

#[test]
fn a_second_without_a_reading_keeps_the_one_before_and_a_gap_is_null() {
    // The readings are a little more than a second apart, so the third second has none.
    let samples = [sample(0.1, 9, 0), sample(1.9, 8, 4), sample(3.05, 7, 6), sample(9.0, 1, 30)];
    let found = series(&samples, (0.0, 10.0), 1);
    let some = |value: i32| Some(f64::from(value));
    let expected = [some(9), some(8), some(8), some(7), some(7), some(7)];
    assert_eq!(found.waiting[..6], expected);
    assert_eq!(found.waiting[6..], [None, None, None, some(1)], "{:?}", found.waiting);
    let rate = |at: usize| found.admissions_per_second[at];
    assert_eq!(rate(0), None, "nothing is known before");
    assert_eq!(rate(1), Some(2.222), "4 in 1.8 s");
    assert_eq!(rate(9), None, "there is a gap before");
}

#[test]
fn cells_longer_than_the_readings_have_averages() {
    let samples: Vec<Sample> = (0..20)
        .map(|second: i32| sample(f64::from(second), second, 3 * i64::from(second)))
        .collect();
    let found = series(&samples, (0.0, 20.0), 10);
    assert_eq!(found.waiting, [Some(4.5), Some(14.5)]);
    assert_eq!(found.admissions_per_second, [Some(3.0), Some(3.0)]);
}

#[test]
fn rates_go_on_from_minutes_to_tens_to_seconds() {
    // The counters of a bucket are those of its last reading, half a second before its end.
    let bucket = |seconds: f64, step: i16, admitted| Sample {
        counted_at: time(seconds + f64::from(step) - 0.5),
        step,
        stands: step,
        ..sample(seconds, 1, admitted)
    };
    // Two admissions per second.
    let samples = [
        bucket(0.0, 60, 119),
        bucket(60.0, 60, 239),
        bucket(120.0, 10, 259),
        bucket(130.0, 10, 279),
        sample(140.5, 1, 281),
        sample(141.5, 1, 283),
        sample(142.5, 1, 285),
    ];
    let found = series(&samples, (0.0, 143.0), 1);
    let rates = &found.admissions_per_second;
    assert_eq!(rates.len(), 143);
    assert!(rates[..60].iter().all(Option::is_none));
    assert!(rates[60..].iter().all(|rate| *rate == Some(2.0)), "{rates:?}");
    assert!(found.waiting.iter().all(|waiting| *waiting == Some(1.0)));
}

#[test]
fn an_idle_sale_stands_for_longer_and_a_rebuild_has_no_admission_rate() {
    let idle = Sample { stands: IDLE_STANDS, ..sample(0.0, 0, 7) };
    let mut rebuilt = sample(1.0, 0, 0);
    let found = series(std::slice::from_ref(&idle), (0.0, 15.0), 1);
    assert_eq!(found.waiting.iter().filter(|value| value.is_some()).count(), 11);
    rebuilt.sale.as_mut().unwrap().epoch = 2;
    let rates = rebuilt.rates_since(&idle);
    assert_eq!((rates.admissions, rates.joins), (None, Some(0.0)));
    let none = Sample { sale: None, ..rebuilt.clone() };
    assert_eq!(series(&[none], (1.0, 2.0), 1).waiting, [None]);
}

#[test]
fn ends_are_joins_without_those_who_are_left_and_a_refund_has_no_rate_of_sales() {
    let before = sample(0.0, 100, 0);
    let mut after = sample(1.0, 90, 6);
    after.sale.as_mut().unwrap().active = 11;
    let rates = after.rates_since(&before);
    assert_eq!((rates.admissions, rates.ends), (Some(6.0), Some(4.0)), "four left the queue");
    let sold = |sold| {
        let mut it = sample(2.0, 90, 6);
        it.sale.as_mut().unwrap().sold = sold;
        it
    };
    assert_eq!(sold(3).rates_since(&after).sales, Some(3.0));
    assert_eq!(Sample { counted_at: time(3.0), ..sold(2) }.rates_since(&sold(3)).sales, None);
}

#[test]
fn nothing_is_known_of_the_future() {
    let samples = [sample(0.0, 9, 0)];
    let found = Grid::over(time(0.0), time(3.0), 1).series(&samples, time(0.5));
    assert_eq!(found.waiting, [Some(9.0), None, None]);
}

#[test]
fn a_grid_begins_at_a_multiple_of_its_step() {
    let grid = Grid::over(time(7.3), time(31.0), 10);
    assert_eq!((grid.from, grid.count, grid.until()), (time(0.0), 4, time(40.0)));
    assert_eq!(Grid::over(time(5.0), time(5.0), 1).count, 0);
}

#[test]
fn only_a_sale_in_which_nothing_happens_is_idle() {
    let mut quiet = sample(0.0, 0, 7);
    let sale = quiet.sale.as_mut().unwrap();
    (sale.active, sale.held) = (0, 0);
    assert!(quiet.is_idle_since(&quiet));
    let busy = sample(0.0, 0, 7);
    assert!(!busy.is_idle_since(&busy), "five are active");
    let closed = Sample { phase: Phase::Closed, ..quiet.clone() };
    assert!(!closed.is_idle_since(&quiet));
    let mut joined = quiet.clone();
    joined.sale.as_mut().unwrap().joined += 1;
    assert!(!joined.is_idle_since(&quiet));
}
