//! Jobs: long work of operators that survives killed processes, exports, and personal data.

mod asking;
mod books;
mod erasing;
mod exports;
mod exports_at_size;
mod guards;
mod kills;
mod person;
mod refunds;

use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::wait::until_within;

/// Asks for the refund of a whole schedule under a fresh key.
async fn refund(admin: &Client, schedule: i64, seats: &str) -> Answer {
    let body = json!({"seats": seats, "reason": "The concert is cancelled."});
    admin.keyed().post(&format!("/v1/admin/schedules/{schedule}/refund"), body).await
}

/// Waits until a job is in this state; returns it.
async fn wait_for(admin: &Client, job: &Value, state: &str) -> Value {
    let path = format!("/v1/admin/jobs/{}", job["id"]);
    until_within(std::time::Duration::from_mins(2), &format!("{job} is {state}"), async || {
        let job = admin.get(&path).await.ok(200);
        (job["state"] == state).then_some(job)
    })
    .await
}
