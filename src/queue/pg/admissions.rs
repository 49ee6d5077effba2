//! Writes events about admissions, for webhooks and the feed.

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use crate::queue::archive::{Row, Slot};
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::Tx;

/// Most buyers in one event, so that a message stays below 20 kB.
const PER_EVENT: i64 = 100;

/// Writes `queue.admitted` events about the buyers who were admitted in a batch of the log, if
/// events are recorded. It is the transaction of the archive, so each admission is in one event.
pub async fn record(tx: &mut Tx, schedule: ScheduleId, rows: &[Row]) -> Result<(), StoreError> {
    let mut admitted: Vec<(&Row, DateTime<Utc>)> = Vec::new();
    for row in rows {
        if let Some(Slot::Until(until)) = row.slot {
            admitted.push((row, until));
        }
    }
    // Nobody outside learns of a rehearsal.
    if admitted.is_empty() || schedule.is_shadow() {
        return Ok(());
    }
    let users: Vec<i64> = admitted.iter().map(|(row, _)| row.user.0).collect();
    let tickets: Vec<Uuid> = admitted.iter().map(|(row, _)| row.token).collect();
    let sequences: Vec<i64> = admitted.iter().map(|(row, _)| row.sequence.as_i64()).collect();
    let text = |time: &DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Micros, true);
    let ends: Vec<String> = admitted.iter().map(|(_, until)| text(until)).collect();
    sqlx::query!(
        "insert into sale_event (type, entity, data)
         select 'queue.admitted', 'queue:' || $1::bigint, jsonb_build_object('schedule_id', $1::bigint,
                  'entries', jsonb_agg(jsonb_build_object('user_id', user_id, 'ticket_id', ticket,
                    'sequence', sequence, 'active_expires_at', until) order by n))
           from unnest($2::bigint[], $3::uuid[], $4::bigint[], $5::text[]) with ordinality
             as t (user_id, ticket, sequence, until, n)
          where (select recording from event_recording where id)
          group by (n - 1) / $6 order by min(n)",
        schedule.0,
        &users,
        &tickets,
        &sequences,
        &ends,
        PER_EVENT
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
