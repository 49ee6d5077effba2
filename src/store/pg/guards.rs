//! What the protocol relies on in PostgreSQL, checked before a process serves: the constraints that
//! have the last word, and that a commit is on disk when it is acknowledged.

use super::super::StoreError;
use super::Pg;

/// Indexes and constraints that keep the promises, whatever the code does.
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

/// Functions that are whole transactions, or the start of one: volatile, so that each of their
/// statements sees what was committed before it began.
const FUNCTIONS: [&str; 6] =
    ["key_claim", "key_store", "point_lock", "point_change", "hold_seats", "pay_hold"];

/// What a commit needs to last.
const SETTINGS: [&str; 3] = ["fsync", "full_page_writes", "synchronous_commit"];

/// The first guard or setting that is missing; none where all are there. `durable` asks for the
/// settings too.
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
    let mut guards = GUARDS.iter().chain(&FUNCTIONS);
    if let Some(guard) = guards.find(|guard| !found.iter().any(|name| name == *guard)) {
        return Ok(Some(format!("{guard} is not there or not valid")));
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
