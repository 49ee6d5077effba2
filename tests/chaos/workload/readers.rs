//! Clients that read what needs PostgreSQL, and hang up before the answer. A connection that is left
//! inside of a transaction would lose what others write on it.

use std::time::Duration;

use tokio::time::sleep;

use super::Workload;
use crate::caller::Person;

/// Reads as an administrator, who may read everything.
pub async fn read_and_hang_up(workload: Workload, mut admin: Person) {
    while !workload.is_closing() {
        let pause = admin.dice.between(5, 60);
        sleep(Duration::from_millis(pause)).await;
        let schedule = workload.sales[admin.dice.index(workload.sales.len())].schedule;
        let paths = [
            format!("/v1/schedules/{schedule}/seats/layout"),
            format!("/v1/admin/schedules/{schedule}/report"),
            format!("/v1/admin/schedules/{schedule}/history"),
            "/v1/admin/audit".to_owned(),
            "/v1/reservations".to_owned(),
            "/v1/points/history".to_owned(),
        ];
        let path = &paths[admin.dice.index(paths.len())];
        admin.read_and_leave(path).await;
    }
}
