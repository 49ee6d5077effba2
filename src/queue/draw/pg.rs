//! The SQL of draws: the list of entrants, which is frozen before the secret is used, and their
//! ranks.

pub mod lease;

use uuid::Uuid;

use super::model::{Draw, Due, Placed, Proof};
use crate::queue::model::Sequence;
use crate::store::StoreError;
use crate::store::id::{ScheduleId, UserId};
use crate::store::pg::Pg;

/// The progress of a schedule's draw; `None` if it was not begun.
pub async fn find(pg: &Pg, schedule: ScheduleId) -> Result<Option<Draw>, StoreError> {
    let row = sqlx::query!(
        r#"select base, room, entrants, opened_at, moved_at is not null as "moved!"
           from draw where concert_schedule_id = $1"#,
        schedule.0
    )
    .fetch_optional(pg.pool())
    .await?;
    Ok(row.map(|row| Draw {
        base: Sequence(row.base.cast_unsigned()),
        room: row.room.cast_unsigned(),
        entrants: row.entrants.map(i64::cast_unsigned),
        opened_at: row.opened_at,
        moved: row.moved,
    }))
}

/// Schedules whose draw is due: the sale has opened or the draw was begun, and the draw is not
/// over.
pub async fn due(pg: &Pg) -> Result<Vec<Due>, StoreError> {
    let ids = sqlx::query_scalar!(
        "select s.id from concert_schedule s left join draw d on d.concert_schedule_id = s.id
         where s.entry_order = 'DRAW' and d.moved_at is null
           and (d.begun_at is not null or s.reservation_available_at <= clock_timestamp())
           and s.deadline_at > clock_timestamp() - interval '2 hours'
         order by s.id"
    )
    .fetch_all(pg.pool())
    .await?;
    let mut due = Vec::with_capacity(ids.len());
    for schedule in ids.into_iter().map(ScheduleId) {
        due.push(Due { schedule, draw: find(pg, schedule).await? });
    }
    Ok(due)
}

/// Records that the draw was begun, once. Only if `epoch` is still current: after a loss of Redis
/// the rebuild does not have this draw, and it is begun again.
pub async fn begin(
    pg: &Pg,
    schedule: ScheduleId,
    epoch: u64,
    base: Sequence,
    room: u64,
) -> Result<(), StoreError> {
    sqlx::query!(
        "with current as (select id from concert_schedule
                          where id = $1 and queue_epoch = $2 for share)
         insert into draw (concert_schedule_id, base, room) select id, $3, $4 from current
         on conflict do nothing",
        schedule.0,
        epoch.cast_signed(),
        base.as_i64(),
        room.cast_signed()
    )
    .execute(pg.pool())
    .await?;
    Ok(())
}

/// The archive position of a schedule: the epoch, and the position in its log.
pub async fn archived(pg: &Pg, schedule: ScheduleId) -> Result<(u64, String), StoreError> {
    let row = sqlx::query!(
        "select epoch, log_position from queue_archive where concert_schedule_id = $1",
        schedule.0
    )
    .fetch_optional(pg.pool())
    .await?;
    Ok(row.map_or((0, String::new()), |row| (row.epoch.cast_unsigned(), row.log_position)))
}

/// Adds the next `limit` waiting entries after `after` to the list, in order of joining. Returns
/// the last of them; `None` if there are no more, or the list is frozen.
pub async fn enter(
    pg: &Pg,
    schedule: ScheduleId,
    after: Sequence,
    limit: i64,
) -> Result<Option<Sequence>, StoreError> {
    let mut tx = pg.begin().await?;
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

/// Freezes the list. Entries beyond the reserved numbers are removed from it.
pub async fn freeze(pg: &Pg, schedule: ScheduleId) -> Result<(), StoreError> {
    let mut tx = pg.begin().await?;
    let room = sqlx::query_scalar!(
        "select room from draw where concert_schedule_id = $1 and frozen_at is null for update",
        schedule.0
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(room) = room else {
        return Ok(());
    };
    sqlx::query!(
        "delete from draw_entrant where concert_schedule_id = $1 and sequence in
           (select sequence from draw_entrant where concert_schedule_id = $1
            order by sequence offset $2)",
        schedule.0,
        room
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "update draw set frozen_at = clock_timestamp(),
           entrants = (select count(*) from draw_entrant where concert_schedule_id = $1)
         where concert_schedule_id = $1",
        schedule.0
    )
    .execute(tx.conn())
    .await?;
    tx.commit().await
}

/// A page of the list, in order of joining: sequences of joining and ticket ids.
pub async fn tickets(
    pg: &Pg,
    schedule: ScheduleId,
    after: Sequence,
    limit: i64,
) -> Result<Vec<(Sequence, Uuid)>, StoreError> {
    let rows = sqlx::query!(
        "select sequence, ticket_id from draw_entrant
         where concert_schedule_id = $1 and sequence > $2 order by sequence limit $3",
        schedule.0,
        after.as_i64(),
        limit
    )
    .fetch_all(pg.pool())
    .await?;
    let ticket = |sequence: i64, id| (Sequence(sequence.cast_unsigned()), id);
    Ok(rows.into_iter().map(|row| ticket(row.sequence, row.ticket_id)).collect())
}

/// The secret of a schedule whose list is frozen. It must not be used before.
pub async fn secret(pg: &Pg, schedule: ScheduleId) -> Result<Vec<u8>, StoreError> {
    let secret = sqlx::query_scalar!(
        "select s.draw_secret from concert_schedule s
         join draw d on d.concert_schedule_id = s.id and d.frozen_at is not null
         where s.id = $1",
        schedule.0
    );
    Ok(secret.fetch_one(pg.pool()).await?)
}

/// Writes the ranks of some entrants, given in order of joining. They are neighbours, so that
/// PostgreSQL finds the rows by their range, although a newly filled table has no statistics yet.
pub async fn write_places(
    pg: &Pg,
    schedule: ScheduleId,
    places: &[(Sequence, u32)],
) -> Result<(), StoreError> {
    let (Some((first, _)), Some((last, _))) = (places.first(), places.last()) else {
        return Ok(());
    };
    let sequences: Vec<i64> = places.iter().map(|(sequence, _)| sequence.as_i64()).collect();
    let ranks: Vec<i32> = places.iter().map(|(_, rank)| rank.cast_signed()).collect();
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
    .execute(pg.pool())
    .await?;
    Ok(())
}

/// Makes the secret public. Every entrant has a rank.
pub async fn open(pg: &Pg, schedule: ScheduleId) -> Result<(), StoreError> {
    sqlx::query!(
        "update draw set opened_at = clock_timestamp()
         where concert_schedule_id = $1 and opened_at is null",
        schedule.0
    )
    .execute(pg.pool())
    .await?;
    Ok(())
}

/// A page of ranked entrants, in order of joining.
pub async fn placed(
    pg: &Pg,
    schedule: ScheduleId,
    after: Sequence,
    limit: i64,
) -> Result<Vec<Placed>, StoreError> {
    let rows = sqlx::query!(
        r#"select user_id, sequence, place as "place!" from draw_entrant
           where concert_schedule_id = $1 and sequence > $2 order by sequence limit $3"#,
        schedule.0,
        after.as_i64(),
        limit
    )
    .fetch_all(pg.pool())
    .await?;
    let placed = |user, sequence: i64, rank: i32| Placed {
        user: UserId(user),
        joined: Sequence(sequence.cast_unsigned()),
        place: rank.cast_unsigned(),
    };
    Ok(rows.into_iter().map(|row| placed(row.user_id, row.sequence, row.place)).collect())
}

/// Records that the queue is in drawn order.
pub async fn moved(pg: &Pg, schedule: ScheduleId) -> Result<(), StoreError> {
    sqlx::query!(
        "update draw set moved_at = clock_timestamp()
         where concert_schedule_id = $1 and moved_at is null",
        schedule.0
    )
    .execute(pg.pool())
    .await?;
    Ok(())
}

/// The public proof of a schedule's draw; `None` if there is no such schedule.
pub async fn proof(pg: &Pg, schedule: ScheduleId) -> Result<Option<Proof>, StoreError> {
    let row = sqlx::query!(
        r#"select s.draw_commitment, d.entrants as "entrants?", d.opened_at as "opened_at?",
                  case when d.opened_at is not null then s.draw_secret end as secret
           from concert_schedule s left join draw d on d.concert_schedule_id = s.id
           where s.id = $1"#,
        schedule.0
    )
    .fetch_optional(pg.pool())
    .await?;
    Ok(row.map(|row| Proof {
        commitment: row.draw_commitment,
        opened: match (row.secret, row.entrants, row.opened_at) {
            (Some(secret), Some(count), Some(at)) => Some((secret, count.cast_unsigned(), at)),
            _ => None,
        },
    }))
}
