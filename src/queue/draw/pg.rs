//! The SQL of draws: their progress, and the proof.

pub mod lease;
pub mod list;

use super::model::{Draw, Due, Proof};
use crate::queue::model::Sequence;
use crate::store::StoreError;
use crate::store::id::ScheduleId;
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
    .execute(pg.writes())
    .await?;
    Ok(())
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

/// Makes the secret public. Every entrant has a rank.
pub async fn open(pg: &Pg, schedule: ScheduleId) -> Result<(), StoreError> {
    sqlx::query!(
        "update draw set opened_at = clock_timestamp()
         where concert_schedule_id = $1 and opened_at is null",
        schedule.0
    )
    .execute(pg.writes())
    .await?;
    Ok(())
}

/// Records that the queue is in drawn order.
pub async fn moved(pg: &Pg, schedule: ScheduleId) -> Result<(), StoreError> {
    sqlx::query!(
        "update draw set moved_at = clock_timestamp()
         where concert_schedule_id = $1 and moved_at is null",
        schedule.0
    )
    .execute(pg.writes())
    .await?;
    Ok(())
}

/// The public proof of a schedule's draw; `None` if the public sees no such schedule.
pub async fn proof(pg: &Pg, schedule: ScheduleId) -> Result<Option<Proof>, StoreError> {
    let row = sqlx::query!(
        r#"select s.draw_commitment, d.entrants as "entrants?", d.opened_at as "opened_at?",
                  case when d.opened_at is not null then s.draw_secret end as secret
           from concert_schedule s join concert c on c.id = s.concert_id
           left join draw d on d.concert_schedule_id = s.id
           where s.id = $1 and not s.draft and not c.draft and s.removed_at is null"#,
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
