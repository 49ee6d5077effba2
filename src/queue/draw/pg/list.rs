//! The SQL of the list of entrants, which is frozen before the secret is used, and of their ranks.
//!
//! The archive adds entries to the list in the transaction that archives them, so the list is
//! complete when the sale opens. `queue_archive.listed_position` says up to where it did. If that is
//! not the whole archive, or Redis was lost meanwhile, the list is written again from the table
//! `queue`.

use std::time::Duration;

use uuid::Uuid;

use crate::queue::archive::Row;
use crate::queue::draw::model::Entrant;
use crate::queue::model::{Sequence, TicketStatus};
use crate::store::StoreError;
use crate::store::id::{ScheduleId, UserId};
use crate::store::pg::{Pg, Tx};

/// Applies rows that were just archived to the list: adds those that wait, removes those that
/// ended. A frozen list does not change.
pub async fn update(tx: &mut Tx, schedule: ScheduleId, rows: &[Row]) -> Result<(), StoreError> {
    let ended = rows.iter().filter(|row| row.status != TicketStatus::Waiting);
    let ended: Vec<i64> = ended.map(|row| row.sequence.as_i64()).collect();
    if !ended.is_empty() {
        sqlx::query!(
            "delete from draw_entrant where concert_schedule_id = $1 and sequence = any($2)
               and not exists (select from draw where concert_schedule_id = $1
                                 and frozen_at is not null)",
            schedule.0,
            &ended
        )
        .execute(tx.conn())
        .await?;
    }
    let archived: Vec<i64> = rows.iter().map(|row| row.sequence.as_i64()).collect();
    sqlx::query!(
        "insert into draw_entrant (concert_schedule_id, sequence, user_id, ticket_id)
         select $1, sequence, user_id, token from queue
         where concert_schedule_id = $1 and sequence = any($2) and status = 'WAITING'
           and not exists (select from draw where concert_schedule_id = $1
                             and frozen_at is not null)
         order by sequence on conflict do nothing",
        schedule.0,
        &archived
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether the user has joined after the draw, as far as the log is archived. Rows of drawn entries
/// have their sequences of joining, so they do not count.
pub async fn has_joined_later(
    pg: &Pg,
    schedule: ScheduleId,
    user: UserId,
) -> Result<bool, StoreError> {
    let found = sqlx::query_scalar!(
        r#"select exists (
             select from queue q join draw d on d.concert_schedule_id = q.concert_schedule_id
             where q.user_id = $2 and q.concert_schedule_id = $1 and q.sequence > d.base)
             as "found!""#,
        schedule.0,
        user.0
    );
    Ok(found.fetch_one(pg.pool()).await?)
}

/// Removes up to `limit` entries from a list that is not frozen; returns how many.
pub async fn clear(pg: &Pg, schedule: ScheduleId, limit: i64) -> Result<u64, StoreError> {
    let removed = sqlx::query!(
        "delete from draw_entrant where concert_schedule_id = $1
           and sequence in (select sequence from draw_entrant where concert_schedule_id = $1
                            order by sequence limit $2)
           and not exists (select from draw where concert_schedule_id = $1
                             and frozen_at is not null)",
        schedule.0,
        limit
    )
    .execute(pg.writes())
    .await?;
    Ok(removed.rows_affected())
}

/// Adds the next `limit` waiting entries after `after` to the list, in order of joining. Returns
/// the last of them; `None` if there are no more, or the list is frozen.
pub async fn enter(
    pg: &Pg,
    schedule: ScheduleId,
    after: Sequence,
    limit: i64,
) -> Result<Option<Sequence>, StoreError> {
    let mut tx = pg.begin("enter_draw").await?;
    // Locked, so that nothing is added once another process has frozen the list.
    let base = sqlx::query_scalar!(
        "select base from draw where concert_schedule_id = $1 and frozen_at is null for update",
        schedule.0
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(base) = base else {
        return Ok(None);
    };
    let last = sqlx::query_scalar!(
        r#"with next as (
             select sequence, user_id, token from queue
             where concert_schedule_id = $1 and sequence > $2 and sequence <= $3
               and status = 'WAITING'
             order by sequence limit $4),
           entered as (
             insert into draw_entrant (concert_schedule_id, sequence, user_id, ticket_id)
             select $1, sequence, user_id, token from next order by sequence
             on conflict do nothing)
           select max(sequence) from next"#,
        schedule.0,
        after.as_i64(),
        base,
        limit
    )
    .fetch_one(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(last.map(|last| Sequence(last.cast_unsigned())))
}

/// Freezes the list. Entries that joined after the closing of the draw are removed from it, and
/// those beyond the reserved numbers.
pub async fn freeze(tx: &mut Tx, schedule: ScheduleId) -> Result<(), StoreError> {
    allow_long_statements(tx).await?;
    let draw = sqlx::query!(
        "select base, room from draw where concert_schedule_id = $1 and frozen_at is null
         for update",
        schedule.0
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(draw) = draw else {
        return Ok(());
    };
    sqlx::query!(
        "delete from draw_entrant where concert_schedule_id = $1 and sequence > $2",
        schedule.0,
        draw.base
    )
    .execute(tx.conn())
    .await?;
    let mut entrants = count(tx, schedule).await?;
    if entrants > draw.room {
        sqlx::query!(
            "delete from draw_entrant where concert_schedule_id = $1 and sequence in
               (select sequence from draw_entrant where concert_schedule_id = $1
                order by sequence offset $2)",
            schedule.0,
            draw.room
        )
        .execute(tx.conn())
        .await?;
        entrants = count(tx, schedule).await?;
    }
    sqlx::query!(
        "update draw set frozen_at = clock_timestamp(), entrants = $2
         where concert_schedule_id = $1",
        schedule.0,
        entrants
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Millions of entrants are counted in this transaction.
async fn allow_long_statements(tx: &mut Tx) -> Result<(), StoreError> {
    tx.raise_limit(Duration::from_mins(1)).await
}

async fn count(tx: &mut Tx, schedule: ScheduleId) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from draw_entrant where concert_schedule_id = $1"#,
        schedule.0
    );
    Ok(count.fetch_one(tx.conn()).await?)
}

/// A page of the list, in order of joining. As arrays: a row for each of a million entrants would
/// take several times as long.
pub async fn entrants(
    pg: &Pg,
    schedule: ScheduleId,
    after: Sequence,
    limit: i64,
) -> Result<Vec<Entrant>, StoreError> {
    let page = sqlx::query!(
        r#"select coalesce(array_agg(sequence), '{}') as "sequences!",
                  coalesce(array_agg(user_id), '{}') as "users!",
                  coalesce(array_agg(ticket_id), '{}') as "tickets!"
           from (select sequence, user_id, ticket_id from draw_entrant
                 where concert_schedule_id = $1 and sequence > $2
                 order by sequence limit $3) page"#,
        schedule.0,
        after.as_i64(),
        limit
    )
    .fetch_one(pg.pool())
    .await?;
    let columns = page.sequences.into_iter().zip(page.users).zip(page.tickets);
    let entrant = |((sequence, user), ticket_id): ((i64, i64), Uuid)| Entrant {
        joined: Sequence(sequence.cast_unsigned()),
        user: UserId(user),
        ticket_id,
    };
    Ok(columns.map(entrant).collect())
}

/// Writes the ranks of some entrants, given in order of joining. They are neighbours, so that
/// PostgreSQL finds the rows by their range, although a newly filled table has no statistics yet.
pub async fn write_ranks(
    pg: &Pg,
    schedule: ScheduleId,
    drawn: &[(Sequence, u32)],
) -> Result<(), StoreError> {
    let (Some((first, _)), Some((last, _))) = (drawn.first(), drawn.last()) else {
        return Ok(());
    };
    let sequences: Vec<i64> = drawn.iter().map(|(sequence, _)| sequence.as_i64()).collect();
    let ranks: Vec<i32> = drawn.iter().map(|(_, rank)| rank.cast_signed()).collect();
    sqlx::query!(
        "update draw_entrant e set place = t.place
         from unnest($2::bigint[], $3::integer[]) as t (sequence, place)
         where e.concert_schedule_id = $1 and e.sequence = t.sequence
           and e.sequence between $4 and $5 and e.place is distinct from t.place",
        schedule.0,
        &sequences,
        &ranks,
        first.as_i64(),
        last.as_i64()
    )
    .execute(pg.writes())
    .await?;
    Ok(())
}
