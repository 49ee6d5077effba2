//! The SQL of the dispatcher. Several processes deliver at the same time: a delivery that one has
//! taken is not due again before its lease ends, and nobody waits for a lock.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::store::StoreError;
use crate::store::id::WebhookId;
use crate::store::pg::Pg;
use crate::webhook::model::EventId;
use crate::webhook::sender::{Attempt, Message};
use crate::webhook::signature::SigningKeys;

/// Due deliveries that one statement looks at, per endpoint.
const LOOK: i64 = 200;

/// A delivery that this process has taken.
#[derive(Debug)]
pub struct Taken {
    /// Id of the delivery.
    pub id: i64,
    /// Number of this attempt.
    pub attempt: i32,
    /// The endpoint.
    pub endpoint: WebhookId,
    /// What to send.
    pub message: Message,
}

/// The end of an attempt.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Id of the delivery.
    pub id: i64,
    /// Number of the attempt.
    pub attempt: i32,
    /// The endpoint.
    pub endpoint: WebhookId,
    /// The URL to which it was sent.
    pub url: String,
    /// Result of the attempt.
    pub result: Attempt,
    /// Pause before the next attempt, if there is one.
    pub pause: Duration,
}

/// What became of deliveries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Delivered.
    pub delivered: u64,
    /// Failed; they are tried again.
    pub failed: u64,
    /// Given up.
    pub dead: u64,
}

/// A delivery with its event and its endpoint.
struct TakenRow {
    id: i64,
    attempts: i32,
    endpoint: i64,
    url: String,
    secret: Vec<u8>,
    seed: Option<Vec<u8>>,
    previous_secret: Option<Vec<u8>>,
    previous_seed: Option<Vec<u8>>,
    message: Uuid,
    event_type: String,
    occurred_at: DateTime<Utc>,
    data: Value,
}

impl From<TakenRow> for Taken {
    fn from(row: TakenRow) -> Self {
        let current = SigningKeys { secret: row.secret, seed: row.seed };
        let previous =
            row.previous_secret.map(|secret| SigningKeys { secret, seed: row.previous_seed });
        let message = Message {
            id: EventId(row.message),
            event_type: row.event_type,
            occurred_at: row.occurred_at,
            data: row.data,
            url: row.url,
            keys: std::iter::once(current).chain(previous).collect(),
        };
        let (id, attempt, endpoint) = (row.id, row.attempts, WebhookId(row.endpoint));
        Self { id, attempt, endpoint, message }
    }
}

/// Publishes up to `limit` committed events, see `migrations/functions/publish_events.sql`. Returns
/// their number.
pub async fn publish(pg: &Pg, limit: i32) -> Result<i64, StoreError> {
    let published = sqlx::query_scalar!(r#"select publish_events($1) as "published!""#, limit);
    Ok(published.fetch_one(pg.writes()).await?)
}

/// Takes due deliveries of enabled endpoints. An endpoint gets up to `most` at a time; `busy` has the
/// numbers that this process is sending. A delivery whose entity has an earlier pending one is not
/// taken: it is looked at again when that one is due, 5 s later at the earliest, and at once when that
/// one ends. With a long backlog most deliveries are behind another: they are not written again and again.
pub async fn take<S: BuildHasher>(
    pg: &Pg,
    busy: &HashMap<WebhookId, i64, S>,
    most: i64,
    lease: Duration,
) -> Result<Vec<Taken>, StoreError> {
    let ids: Vec<i64> = busy.keys().map(|id| id.0).collect();
    let used: Vec<i64> = busy.values().copied().collect();
    let rows = sqlx::query_as!(
        TakenRow,
        r#"with due as materialized (
             select d.id, d.endpoint_id, d.entity, d.due_at, $3 - coalesce(b.used, 0) as free
               from webhook_endpoint w
               left join unnest($1::bigint[], $2::bigint[]) as b (id, used) on b.id = w.id
              cross join lateral (
                select id, endpoint_id, entity, due_at from webhook_delivery
                 where endpoint_id = w.id and status = 'PENDING' and due_at <= clock_timestamp()
                   and $3 > coalesce(b.used, 0)
                 order by due_at, id limit $4 for update skip locked) d
              where w.enabled and w.deleted_at is null),
           behind as materialized (
             select due.*, (select f.due_at from webhook_delivery f
                             where f.endpoint_id = due.endpoint_id and f.entity = due.entity
                               and f.status = 'PENDING' and f.id < due.id
                             order by f.id limit 1) as earlier_due
               from due),
           ranked as (
             select *, row_number() over (partition by endpoint_id, earlier_due is null
                                          order by due_at, id) as n
               from behind),
           postponed as (
             update webhook_delivery d
                set due_at = greatest(r.earlier_due, clock_timestamp() + interval '5 seconds')
               from ranked r where d.id = r.id and r.earlier_due is not null)
           update webhook_delivery d
              set due_at = clock_timestamp() + make_interval(secs => $5), attempts = attempts + 1,
                  begun_at = coalesce(d.begun_at, clock_timestamp())
             from ranked r, webhook_endpoint w, sale_event e
            where d.id = r.id and r.earlier_due is null and r.n <= r.free
              and w.id = d.endpoint_id and e.id = d.event_id
           returning d.id, d.attempts, w.id as endpoint, w.url, w.secret, w.seed,
             case when w.previous_until > clock_timestamp() then w.previous_secret end
               as previous_secret,
             w.previous_seed, e.message, e.type as event_type, e.occurred_at, e.data"#,
        &ids,
        &used,
        most,
        LOOK,
        lease.as_secs_f64()
    )
    .fetch_all(pg.writes())
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Writes the ends of attempts. A failed delivery is due again after its pause, or given up if that
/// is later than `give_up_after` after its first attempt. A result of an attempt whose lease has
/// ended counts only if the message was delivered.
pub async fn finish(
    pg: &Pg,
    outcomes: &[Outcome],
    give_up_after: Duration,
) -> Result<Written, StoreError> {
    let of = |outcome: &Outcome| match &outcome.result {
        Attempt::Delivered(status) => ("DELIVERED", Some(*status), None),
        Attempt::Gone => ("DEAD", Some(410), Some("the endpoint is gone".to_owned())),
        Attempt::Failed { status, error, .. } => ("PENDING", *status, Some(error.clone())),
    };
    let wanted: Vec<String> = outcomes.iter().map(|it| of(it).0.to_owned()).collect();
    let statuses: Vec<Option<i16>> =
        outcomes.iter().map(|it| of(it).1.and_then(|status| i16::try_from(status).ok())).collect();
    let errors: Vec<Option<String>> = outcomes.iter().map(|it| of(it).2).collect();
    let ids: Vec<i64> = outcomes.iter().map(|it| it.id).collect();
    let attempts: Vec<i32> = outcomes.iter().map(|it| it.attempt).collect();
    let pauses: Vec<f64> = outcomes.iter().map(|it| it.pause.as_secs_f64()).collect();
    let ended = sqlx::query!(
        r#"with result as (
             select r.*, case when r.wanted = 'PENDING' and clock_timestamp()
                        + make_interval(secs => r.pause) > d.begun_at + make_interval(secs => $7)
                   then 'DEAD' else r.wanted end as status
               from unnest($1::bigint[], $2::int[], $3::text[], $4::smallint[], $5::text[],
                           $6::double precision[]) as r (id, attempt, wanted, answer, error, pause)
               join webhook_delivery d on d.id = r.id)
           update webhook_delivery d set status = r.status, last_status = r.answer,
                  last_error = r.error,
                  due_at = case when r.status = 'PENDING'
                                then clock_timestamp() + make_interval(secs => r.pause)
                                else d.due_at end,
                  ended_at = case when r.status <> 'PENDING' then clock_timestamp() end
             from result r
            where d.id = r.id and d.status <> 'DELIVERED'
              and (r.status = 'DELIVERED' or d.status = 'PENDING' and d.attempts = r.attempt)
           returning d.id, d.status"#,
        &ids,
        &attempts,
        &wanted,
        &statuses as &[Option<i16>],
        &errors as &[Option<String>],
        &pauses,
        give_up_after.as_secs_f64()
    )
    .fetch_all(pg.writes())
    .await?;
    let count = |status: &str| ended.iter().filter(|row| row.status == status).count() as u64;
    let written =
        Written { delivered: count("DELIVERED"), failed: count("PENDING"), dead: count("DEAD") };
    let over: Vec<i64> =
        ended.iter().filter(|row| row.status != "PENDING").map(|row| row.id).collect();
    wake_next(pg, &over).await?;
    Ok(written)
}

/// Makes the next delivery of each entity due, after those before it have ended. If this is lost in
/// a crash, the next one is due when the lease of its predecessor ends.
async fn wake_next(pg: &Pg, ended: &[i64]) -> Result<(), StoreError> {
    if ended.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update webhook_delivery d set due_at = clock_timestamp()
         from webhook_delivery over
         where over.id = any($1) and d.due_at > clock_timestamp() and d.id =
           (select n.id from webhook_delivery n where n.endpoint_id = over.endpoint_id
              and n.entity = over.entity and n.status = 'PENDING' order by n.id limit 1)
           and d.attempts = 0",
        ended
    )
    .execute(pg.writes())
    .await?;
    Ok(())
}
