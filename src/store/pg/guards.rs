//! Checks, before a process serves, what the protocol needs from PostgreSQL: the constraints that
//! make the final decision, and that an acknowledged commit is on disk.

use super::super::StoreError;
use super::{Pg, functions};

/// Indexes and constraints that hold the guarantees even if the code has a defect.
const GUARDS: [&str; 8] = [
    "reservation_one_live_per_seat",
    "reservation_of_hold",
    "payment_once_per_reservation",
    "point_not_negative",
    "point_user_id_key",
    "point_history_once_per_reference",
    "idempotency_key_pkey",
    "seat_number_once_per_schedule",
];

/// Settings that a durable commit needs.
const SETTINGS: [&str; 3] = ["fsync", "full_page_writes", "synchronous_commit"];

/// The first guard, function or setting that is missing; `None` if there is none. Functions must be
/// volatile, so that each of their statements sees everything that was committed before it began.
/// Checks the settings only if `durable` is set.
pub async fn missing(pg: &Pg, durable: bool) -> Result<Option<String>, StoreError> {
    let found: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class c join pg_index i on i.indexrelid = c.oid
         where i.indisvalid and i.indisunique and c.relnamespace = 'public'::regnamespace
         union all
         select conname::text from pg_constraint
         where convalidated and connamespace = 'public'::regnamespace
         union all
         select proname::text from pg_proc
         where provolatile = 'v' and pronamespace = 'public'::regnamespace",
    )
    .fetch_all(pg.pool())
    .await?;
    let mut guards = GUARDS.into_iter().chain(functions::names());
    if let Some(guard) = guards.find(|guard| !found.iter().any(|name| name == guard)) {
        return Ok(Some(format!("{guard} is missing or not valid")));
    }
    if !durable {
        return Ok(None);
    }
    for setting in SETTINGS {
        let value: String = sqlx::query_scalar("select current_setting($1)")
            .bind(setting)
            .fetch_one(pg.pool())
            .await?;
        if value != "on" {
            return Ok(Some(format!("{setting} is {value}: an acknowledged sale could be lost")));
        }
    }
    Ok(None)
}
