//! Judges a rehearsal: by what its buyers saw, the books of PostgreSQL, and the forecast.

use onsale_model::memory::{JOINER_BYTES, SEAT_BYTES};
use onsale_model::simulation::{Range, Summary};

use super::generator::observations::{Observations, Totals};
use super::generator::steps::{End, Step};
use super::model::RehearsalPlan;
use super::sheet::{BuyerEnds, Compared, Sheet, SheetLine, StepTimes};
use crate::store::id::SeatId;

/// A prediction may be off by this share of it, and by [`SLACK_SECONDS`].
const SLACK: f64 = 0.25;
/// Clients learn of their turn up to half a second later than the model, and a generator is not
/// exact.
const SLACK_SECONDS: f64 = 5.0;
/// Requests may wait in the generator for this long, at the 99th percentile (ms). Beyond it, buyers
/// poll later than asked, and the figures say nothing about the service.
const LAG_LIMIT_MS: f64 = 1_000.0;
/// Memory of Redis that connections and scripts may take beside the sale.
const BASE_BYTES: u64 = 8 * 1024 * 1024;
/// How far a time that did not happen is from one that did (s).
const NEVER: f64 = 1e6;

/// What a sheet is made of.
#[derive(Debug)]
pub(super) struct Evidence<'r> {
    pub(super) plan: &'r RehearsalPlan,
    pub(super) seats: u64,
    pub(super) seen: &'r Observations,
    pub(super) totals: &'r Totals,
    /// The sold seats in PostgreSQL, each as often as it was sold, in order.
    pub(super) books: &'r [SeatId],
    pub(super) predicted: &'r Summary,
    pub(super) redis_bytes: u64,
}

fn compare(measured: Option<f64>, range: Range, runs: usize) -> Compared {
    let of = |value: f64| (runs > 0).then_some(value);
    Compared { measured, low: of(range.low), median: of(range.median), high: of(range.high) }
}

/// How far the measured time lies outside the simulated range, in seconds beyond the slack; 0 if it
/// is within, and [`NEVER`] if only one of both happened.
fn excess(compared: &Compared) -> f64 {
    match (compared.measured, compared.low, compared.high) {
        (Some(measured), Some(low), Some(high)) => {
            let above = measured - (high * (1.0 + SLACK) + SLACK_SECONDS);
            let below = low * (1.0 - SLACK) - SLACK_SECONDS - measured;
            above.max(below).max(0.0)
        }
        (None, None, _) => 0.0,
        _ => NEVER,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts and bytes are far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

fn line(name: &str, seen: f64, limit: f64) -> SheetLine {
    SheetLine { name: name.to_owned(), passed: seen <= limit, seen, limit }
}

fn count(name: &str, seen: u64) -> SheetLine {
    line(name, float(seen), 0.0)
}

/// Seats in `one` that are not in `other`. Both are sorted.
fn missing(one: &[SeatId], other: &[SeatId]) -> u64 {
    one.iter().filter(|seat| other.binary_search(seat).is_err()).count() as u64
}

/// Judges a rehearsal.
pub(super) fn judge(result: &Evidence<'_>) -> Sheet {
    let Evidence { plan, seen, totals, predicted, books, .. } = result;
    let steps: Vec<StepTimes> = Step::ALL.iter().map(|step| times(seen, *step)).collect();
    let slowest = steps.iter().filter(|step| step.requests > 0);
    let slowest = slowest.max_by(|one, other| one.p99_ms.total_cmp(&other.p99_ms));
    let nearly_sold =
        compare(totals.nearly_sold_seconds, predicted.nearly_sold_seconds, predicted.nearly_sold);
    let sold_out = compare(totals.sold_out_seconds, predicted.sold_out_seconds, predicted.sold_out);
    let lines = lines(result, &steps, &nearly_sold);
    let mut distinct = books.to_vec();
    distinct.dedup();
    Sheet {
        passed: lines.iter().all(|line| line.passed),
        lines,
        slowest_step: slowest.map(|step| step.step.clone()),
        steps,
        buyers: plan.buyers,
        seats: result.seats,
        seats_sold: distinct.len() as u64,
        requests: seen.requests(),
        refused: totals.refused,
        unreached: totals.unreached,
        refused_holds: totals.refused_holds,
        ends: ends(seen),
        nearly_sold,
        sold_out,
        redis_bytes: result.redis_bytes,
        examples: totals.examples.clone(),
    }
}

fn times(seen: &Observations, step: Step) -> StepTimes {
    let latencies = seen.latencies_of(step);
    StepTimes {
        step: step.name().to_owned(),
        requests: latencies.count(),
        p50_ms: latencies.percentile(50),
        p99_ms: latencies.percentile(99),
    }
}

fn ends(seen: &Observations) -> BuyerEnds {
    BuyerEnds {
        bought: seen.ended(End::Bought),
        never_paid: seen.ended(End::NeverPaid),
        found_no_seats: seen.ended(End::FoundNoSeats),
        sold_out: seen.ended(End::SoldOut),
        left: seen.ended(End::Left),
        away: seen.ended(End::Away),
        late: seen.ended(End::Late),
        failed: seen.ended(End::Failed),
    }
}

fn lines(result: &Evidence<'_>, steps: &[StepTimes], nearly_sold: &Compared) -> Vec<SheetLine> {
    let Evidence { plan, totals, books, .. } = result;
    let sold_twice = books.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64;
    let planned = u64::from(plan.buyers) * JOINER_BYTES + result.seats * SEAT_BYTES + BASE_BYTES;
    let mut lines = vec![
        count("double_sales", totals.double_sales.max(sold_twice)),
        count("double_holds", totals.double_holds),
        count("sales_lost", missing(&totals.paid, books)),
        count("sales_unknown", missing(books, &totals.paid)),
        count("places_lost", totals.places_lost),
        count("errors", totals.errors),
        count("unreached", totals.unreached),
    ];
    let limit = f64::from(plan.p99_limit_ms);
    lines.extend(steps.iter().map(|step| line(&format!("p99_{}", step.step), step.p99_ms, limit)));
    lines.push(line("forecast", excess(nearly_sold), 0.0));
    lines.push(line("redis_memory", float(result.redis_bytes), float(planned)));
    lines.push(line("generator", result.seen.lag.percentile(99), LAG_LIMIT_MS));
    lines
}

#[cfg(test)]
mod tests {
    use onsale_model::simulation::SimulationInput;

    use super::*;

    fn compared(measured: Option<f64>, low: Option<f64>, high: Option<f64>) -> Compared {
        Compared { measured, low, median: low, high }
    }

    #[test]
    fn a_measured_time_may_differ_from_the_forecast_by_a_quarter_and_five_seconds() {
        let excess_of = |measured| excess(&compared(Some(measured), Some(80.0), Some(100.0)));
        for within in [55.0, 80.0, 100.0, 130.0] {
            assert!(excess_of(within) < f64::EPSILON, "{within}: {}", excess_of(within));
        }
        assert!((excess_of(131.0) - 1.0).abs() < 1e-9 && (excess_of(54.0) - 1.0).abs() < 1e-9);
        let neither = compared(None, None, None);
        assert!(excess(&neither) < f64::EPSILON, "neither sold out");
        for one in [compared(None, Some(1.0), Some(1.0)), compared(Some(1.0), None, None)] {
            assert!((excess(&one) - NEVER).abs() < f64::EPSILON);
        }
    }

    #[test]
    fn each_broken_promise_fails_its_line() {
        let plan: RehearsalPlan = serde_json::from_str(r#"{"buyers": 10}"#).unwrap();
        let seen = Observations::default();
        let totals = seen.totals(tokio::time::Instant::now());
        let mut input = SimulationInput::new(10, 1_000);
        plan.set_crowd(&mut input);
        let predicted = input.summary(1);
        let failed = |totals: &Totals, books: &[i64]| {
            let books: Vec<SeatId> = books.iter().copied().map(SeatId).collect();
            let (seen, predicted) = (&seen, &predicted);
            let sheet = judge(&Evidence {
                plan: &plan,
                seats: 1_000,
                seen,
                totals,
                books: &books,
                predicted,
                redis_bytes: 1_000,
            });
            let failed = sheet.lines.iter().filter(|line| !line.passed);
            let failed: Vec<String> = failed.map(|line| line.name.clone()).collect();
            assert_eq!(sheet.passed, failed.is_empty());
            failed
        };
        let with = |change: &dyn Fn(&mut Totals)| {
            let mut totals = totals.clone();
            change(&mut totals);
            totals
        };
        let paid = with(&|it| it.paid = vec![SeatId(1), SeatId(2)]);
        assert_eq!(failed(&totals, &[]), [""; 0]);
        assert_eq!(failed(&paid, &[1, 2]), [""; 0]);
        assert_eq!(failed(&paid, &[1]), ["sales_lost"]);
        assert_eq!(failed(&paid, &[1, 2, 3]), ["sales_unknown"]);
        assert_eq!(failed(&paid, &[1, 2, 2]), ["double_sales"]);
        assert_eq!(failed(&with(&|it| it.places_lost = 1), &[]), ["places_lost"]);
        assert_eq!(failed(&with(&|it| it.double_holds = 1), &[]), ["double_holds"]);
        assert_eq!(failed(&with(&|it| it.errors = 1), &[]), ["errors"]);
        assert_eq!(failed(&with(&|it| it.nearly_sold_seconds = Some(1.0)), &[]), ["forecast"]);
    }
}
