//! The SQL that removes a shadow: pages of each table, so that no lock lasts long.

use std::time::Duration;

use crate::store::StoreError;
use crate::store::id::{RehearsalId, ScheduleId};
use crate::store::pg::{Pg, Tx};

/// Rows of one statement.
const PAGE: i64 = 2_000;
/// Seats and users of one statement: each row is checked against several tables.
const CHECKED_PAGE: i64 = 500;

/// An ended rehearsal whose shadow is to be removed by this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removal {
    /// The rehearsal.
    pub rehearsal: RehearsalId,
    /// Whether the rows of the sale were removed so long ago that no process works on it.
    pub is_quiet: bool,
    /// Whether the rows of the sale are removed.
    pub has_no_sale: bool,
}

/// Takes a removal over for half a minute; `None` if there is none, or another process has it.
pub async fn take(pg: &Pg) -> Result<Option<Removal>, StoreError> {
    let row = sqlx::query!(
        r#"update rehearsal set removing_until = clock_timestamp() + interval '30 seconds'
           where removed_at is null and state <> 'RUNNING'
             and (removing_until is null or removing_until < clock_timestamp())
           returning id, rows_removed_at is not null as "has_no_sale!",
             coalesce(rows_removed_at < clock_timestamp() - interval '5 seconds', false)
               as "is_quiet!""#
    )
    .fetch_optional(pg.writes())
    .await?;
    Ok(row.map(|row| Removal {
        rehearsal: RehearsalId(row.id),
        is_quiet: row.is_quiet,
        has_no_sale: row.has_no_sale,
    }))
}

/// Gives a removal back, so that it goes on at once, here or elsewhere.
pub async fn give_back(pg: &Pg, id: RehearsalId) -> Result<(), StoreError> {
    sqlx::query!("update rehearsal set removing_until = null where id = $1", id.0)
        .execute(pg.writes())
        .await?;
    Ok(())
}

/// Removes a page of the rows of the sale. Returns whether there may be more.
pub async fn remove_sale_page(pg: &Pg, id: RehearsalId) -> Result<bool, StoreError> {
    let mut tx = pg.begin("remove_shadow").await?;
    tx.raise_limit(Duration::from_secs(15)).await?;
    let more = remove_money(&mut tx, id).await?
        || remove_queue(&mut tx, id.schedule()).await?
        || remove_seats(&mut tx, id.schedule()).await?;
    if !more {
        remove_schedule(&mut tx, id).await?;
        sqlx::query!(
            "update rehearsal set rows_removed_at = clock_timestamp() where id = $1",
            id.0
        )
        .execute(tx.conn())
        .await?;
    }
    tx.commit().await?;
    Ok(more)
}

async fn remove_money(tx: &mut Tx, id: RehearsalId) -> Result<bool, StoreError> {
    // Staff may have refunded or moved a reservation by its id.
    sqlx::query!("delete from box_office_action where concert_schedule_id = $1", id.schedule().0)
        .execute(tx.conn())
        .await?;
    let payments = sqlx::query!(
        "delete from payment where id = any (array(
           select id from payment where user_id between $1 and $2 order by user_id limit $3))",
        id.last_buyer().0,
        id.first_buyer().0,
        PAGE
    )
    .execute(tx.conn())
    .await?;
    if payments.rows_affected() > 0 {
        return Ok(true);
    }
    let reservations = sqlx::query!(
        "delete from reservation where id = any (array(
           select id from reservation where concert_schedule_id = $1 order by id limit $2))",
        id.schedule().0,
        PAGE
    )
    .execute(tx.conn())
    .await?;
    Ok(reservations.rows_affected() > 0)
}

/// Removes entries of the queue.
async fn remove_queue(tx: &mut Tx, schedule: ScheduleId) -> Result<bool, StoreError> {
    let entries = sqlx::query!(
        "delete from queue where id = any (array(
           select id from queue where concert_schedule_id = $1 order by sequence limit $2))",
        schedule.0,
        PAGE
    )
    .execute(tx.conn())
    .await?;
    let entrants = sqlx::query!(
        "delete from draw_entrant where concert_schedule_id = $1 and sequence = any (array(
           select sequence from draw_entrant where concert_schedule_id = $1
           order by sequence limit $2))",
        schedule.0,
        PAGE
    )
    .execute(tx.conn())
    .await?;
    Ok(entries.rows_affected() > 0 || entrants.rows_affected() > 0)
}

async fn remove_seats(tx: &mut Tx, schedule: ScheduleId) -> Result<bool, StoreError> {
    let seats = sqlx::query!(
        "delete from seat where concert_schedule_id = $1 and seat_number = any (array(
           select seat_number from seat where concert_schedule_id = $1
           order by seat_number limit $2))",
        schedule.0,
        CHECKED_PAGE
    )
    .execute(tx.conn())
    .await?;
    Ok(seats.rows_affected() > 0)
}

/// Removes the schedule and what belongs to it once.
async fn remove_schedule(tx: &mut Tx, id: RehearsalId) -> Result<(), StoreError> {
    let schedule = id.schedule().0;
    sqlx::query!("delete from outbox where (payload ->> 'schedule')::bigint = $1", schedule)
        .execute(tx.conn())
        .await?;
    for delete in [
        sqlx::query!("delete from draw_lease where concert_schedule_id = $1", schedule),
        sqlx::query!("delete from draw where concert_schedule_id = $1", schedule),
        sqlx::query!("delete from queue_archive where concert_schedule_id = $1", schedule),
        sqlx::query!("delete from rejection_count where concert_schedule_id = $1", schedule),
        sqlx::query!("delete from sale_report where concert_schedule_id = $1", schedule),
        sqlx::query!("delete from sale_phase where schedule_id = $1", schedule),
        sqlx::query!("delete from lost_sale where concert_schedule_id = $1", schedule),
        sqlx::query!("delete from concert_schedule where id = $1", schedule),
        sqlx::query!("delete from concert where id = $1", id.concert().0),
    ] {
        delete.execute(tx.conn()).await?;
    }
    Ok(())
}

/// Removes a page of the buyers, and of what a late batch wrote for them. Returns whether there may
/// be more; without any, the rehearsal is marked as removed.
pub async fn remove_buyers_page(pg: &Pg, id: RehearsalId) -> Result<bool, StoreError> {
    let mut tx = pg.begin("remove_synthetic_buyers").await?;
    tx.raise_limit(Duration::from_secs(15)).await?;
    let more = remove_queue(&mut tx, id.schedule()).await? || remove_users(&mut tx, id).await?;
    if !more {
        sqlx::query!("update rehearsal set removed_at = clock_timestamp() where id = $1", id.0)
            .execute(tx.conn())
            .await?;
    }
    tx.commit().await?;
    Ok(more)
}

async fn remove_users(tx: &mut Tx, id: RehearsalId) -> Result<bool, StoreError> {
    let users = sqlx::query_scalar!(
        r#"select id from "user" where id between $1 and $2 order by id limit $3"#,
        id.last_buyer().0,
        id.first_buyer().0,
        CHECKED_PAGE
    )
    .fetch_all(tx.conn())
    .await?;
    for delete in [
        sqlx::query!("delete from idempotency_key where user_id = any ($1)", &users),
        sqlx::query!("delete from point_history where user_id = any ($1)", &users),
        sqlx::query!("delete from point where user_id = any ($1)", &users),
        sqlx::query!(r#"delete from "user" where id = any ($1)"#, &users),
    ] {
        delete.execute(tx.conn()).await?;
    }
    Ok(!users.is_empty())
}
