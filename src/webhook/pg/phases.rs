//! The SQL that finds sales whose phase has changed, and writes the event.

use crate::store::StoreError;
use crate::store::pg::Pg;

/// Sales that one statement compares.
const BATCH: i64 = 50;

/// Adds the sales that are not watched yet. A sale counts as upcoming until its first comparison if
/// it was created, or opens, after events are recorded; otherwise its present phase is no news.
pub async fn watch_new(pg: &Pg) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into sale_phase (schedule_id, phase)
         select s.id, case
             when s.created_at >= r.since or s.reservation_available_at >= r.since then 'UPCOMING'
             when not exists (select from seat where concert_schedule_id = s.id) then 'UPCOMING'
             when not exists (select from seat where concert_schedule_id = s.id
                                and status = 'AVAILABLE' and not blocked) then 'SOLD_OUT'
             else 'OPEN' end
           from event_recording r join concert_schedule s on s.deadline_at > r.since
           join concert c on c.id = s.concert_id
          where r.recording and s.id > 0 and not s.draft and not c.draft and s.removed_at is null
            and not exists (select from sale_phase p where p.schedule_id = s.id)
         on conflict do nothing"
    )
    .execute(pg.writes())
    .await?;
    Ok(())
}

/// Compares sales that no process has compared for `seconds`, and writes an event for each change. A
/// sale that was sold out or closed before it was seen open has opened too.
/// Returns whether there may be more.
pub async fn announce(pg: &Pg, seconds: f64) -> Result<bool, StoreError> {
    let compared = sqlx::query_scalar!(
        r#"with due as materialized (
             select p.schedule_id, p.phase from sale_phase p
               join concert_schedule s on s.id = p.schedule_id
              where p.checked_at < clock_timestamp() - make_interval(secs => $1)
                and s.removed_at is null
                and (p.phase <> 'CLOSED' or s.deadline_at > clock_timestamp())
                and (select recording from event_recording where id)
              order by p.checked_at limit $2 for update of p skip locked),
           now as materialized (
             select d.schedule_id, d.phase as before, s.concert_id, s.reservation_available_at,
                    s.deadline_at, case
                      when s.deadline_at <= clock_timestamp() then 'CLOSED'
                      when s.reservation_available_at > clock_timestamp() then 'UPCOMING'
                      when exists (select from seat where concert_schedule_id = s.id
                                     and status = 'AVAILABLE' and not blocked) then 'OPEN'
                      when exists (select from seat where concert_schedule_id = s.id) then 'SOLD_OUT'
                      else 'UPCOMING' end as phase
               from due d join concert_schedule s on s.id = d.schedule_id),
           noted as (
             update sale_phase p set phase = now.phase, checked_at = clock_timestamp()
               from now where p.schedule_id = now.schedule_id),
           written as (
             insert into sale_event (type, entity, data)
             select e.type, 'schedule:' || schedule_id,
                    jsonb_build_object('schedule_id', schedule_id, 'concert_id', concert_id,
                      'reservation_available_at', to_char(reservation_available_at at time zone 'UTC',
                        'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                      'deadline_at', to_char(deadline_at at time zone 'UTC',
                        'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
               from now, unnest(
                      case when before = 'UPCOMING' and phase <> 'OPEN' then array['schedule.opened'] end
                      || case phase when 'OPEN' then 'schedule.opened'
                                    when 'SOLD_OUT' then 'schedule.sold_out'
                                    else 'schedule.closed' end) with ordinality e (type, n)
              where phase <> before and phase <> 'UPCOMING' order by schedule_id, e.n)
           select count(*) as "compared!" from now"#,
        seconds,
        BATCH
    );
    Ok(compared.fetch_one(pg.writes()).await? == BATCH)
}
