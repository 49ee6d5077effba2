//! The list of all kinds of jobs.

use std::sync::Arc;

use super::erase::kind::EraseUser;
use super::kind::JobKind;
use super::refund::kind::RefundSchedule;
use crate::queue::service::WaitingRoom;
use crate::store::pg::Pg;
use crate::telemetry::Metrics;

/// Every kind of job that this program can run.
#[must_use]
pub fn all(pg: &Pg, queue: &WaitingRoom, metrics: &Metrics) -> Vec<Arc<dyn JobKind>> {
    vec![
        Arc::new(RefundSchedule::new(metrics.clone())),
        Arc::new(EraseUser::new(pg.clone(), queue.clone())),
    ]
}
