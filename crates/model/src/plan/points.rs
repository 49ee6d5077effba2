//! The calculation of a plan, compared with measurements that none of its figures comes from.

use serde::Serialize;

use super::load::Course;
use crate::costs::{Costs, Figure};
use crate::simulation::rush;

/// A prediction beside a measurement.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Comparison {
    /// What was measured, and its unit.
    pub what: String,
    /// What the plan's calculation says.
    pub predicted: f64,
    /// What was measured.
    pub measured: f64,
    /// The prediction's error, as a share of the measurement.
    pub error: f64,
}

impl Comparison {
    fn new(what: &str, predicted: f64, measured: f64) -> Self {
        let error = predicted / measured - 1.0;
        Self { what: what.to_owned(), predicted, measured, error }
    }
}

/// Compares the calculation with the measured points.
pub(super) fn compare(costs: &Costs) -> Vec<Comparison> {
    let (figures, points) = (&costs.figures, &costs.points);
    let seat =
        |named: &Figure, seat: &Figure| Comparison::new(&named.unit, seat.value, named.value);
    vec![
        Comparison::new(
            &points.rush_polls.unit,
            rush_course().polls_in_total(),
            points.rush_polls.value,
        ),
        seat(&points.named_onsale, &figures.seat_onsale),
        seat(&points.named_redis, &figures.seat_redis),
        seat(&points.named_postgresql, &figures.seat_postgresql),
        Comparison::new(
            &points.line_bytes.unit,
            figures.waiting_bytes.value,
            points.line_bytes.value,
        ),
    ]
}

/// The load test `rush` in its size `load`.
fn rush_course() -> Course {
    Course {
        people: f64::from(rush::PEOPLE),
        arrive_seconds: rush::ARRIVE_SECONDS,
        early_share: rush::OPENS_AFTER_SECONDS / rush::ARRIVE_SECONDS,
        rate: rush::ADMIT_PER_SECOND,
        sell_seconds: rush::SOLD_OUT_SECONDS,
        presence_seconds: rush::PRESENCE_SECONDS,
        claim_seconds: rush::CLAIM_SECONDS,
        polls_ceiling: 30_000,
    }
}
