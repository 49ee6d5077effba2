//! The SQL of stored reports: the table `sale_report`.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::admin::sales_report::model::Figures;
use crate::admin::sales_report::prediction::Predicted;
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::{Pg, Tx};

/// The stored report of a schedule.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its figures, if they were ever computed.
    pub computed: Option<Computed>,
    /// Newer figures were asked for and are not computed yet.
    pub is_pending: bool,
    /// The sale is as it was when its final figures were computed, or its entries were pruned.
    pub is_final: bool,
    /// PostgreSQL's clock.
    pub now: DateTime<Utc>,
}

/// Figures with what they were computed from.
#[derive(Debug, Clone)]
pub struct Computed {
    /// The moment that they describe.
    pub at: DateTime<Utc>,
    /// How long the computation took.
    pub took: Duration,
    /// The state of the sale.
    pub state: String,
    /// The figures.
    pub figures: Figures,
}

/// Reads the stored report of a schedule.
pub async fn find(tx: &mut Tx, schedule: ScheduleId) -> Result<Stored, StoreError> {
    let row = sqlx::query!(
        r#"select r.computed_at as "at?", r.took_ms as "took_ms?", r.state as "state?",
                  r.figures as "figures?", clock_timestamp() as "now!",
                  coalesce(r.computed_at is null or r.computed_at < r.requested_at, false)
                    and r.concert_schedule_id is not null as "is_pending!",
                  coalesce(r.pruned_at is not null or r.final_for = concat_ws(' ', '2', s.deadline_at,
                             a.epoch, a.log_position, a.settled_at,
                             (select max(id) from box_office_action
                              where concert_schedule_id = s.id)), false) as "is_final!"
           from concert_schedule s
           left join sale_report r on r.concert_schedule_id = s.id
           left join queue_archive a on a.concert_schedule_id = s.id
           where s.id = $1"#,
        schedule.0
    )
    .fetch_one(tx.conn())
    .await?;
    let computed = match (row.at, row.took_ms, row.state, row.figures) {
        // Figures that this release cannot read are computed again.
        (Some(at), Some(took_ms), Some(state), Some(figures)) => {
            serde_json::from_value(figures).ok().map(|figures| Computed {
                at,
                took: Duration::from_millis(u64::from(took_ms.unsigned_abs())),
                state,
                figures,
            })
        }
        _ => None,
    };
    Ok(Stored { computed, is_pending: row.is_pending, is_final: row.is_final, now: row.now })
}

/// Asks for newer figures. While earlier ones are pending, these are the ones.
pub async fn request(pg: &Pg, schedule: ScheduleId) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into sale_report as r (concert_schedule_id) values ($1)
         on conflict (concert_schedule_id) do update set requested_at = clock_timestamp()
           where r.computed_at >= r.requested_at",
        schedule.0
    )
    .execute(pg.writes())
    .await?;
    Ok(())
}

/// Withdraws a request for newer figures: the stored ones are final.
pub async fn withdraw_request(pg: &Pg, schedule: ScheduleId) -> Result<(), StoreError> {
    sqlx::query!(
        "update sale_report set requested_at = computed_at
         where concert_schedule_id = $1 and computed_at < requested_at",
        schedule.0
    )
    .execute(pg.writes())
    .await?;
    Ok(())
}

/// Whether newer figures of a schedule are pending.
pub async fn is_pending(pg: &Pg, schedule: ScheduleId) -> Result<bool, StoreError> {
    let pending = sqlx::query_scalar!(
        r#"select computed_at is null or computed_at < requested_at as "pending!"
           from sale_report where concert_schedule_id = $1"#,
        schedule.0
    );
    Ok(pending.fetch_optional(pg.pool()).await?.unwrap_or(false))
}

/// The schedules whose reports are to be computed, the oldest request first. At most 100.
pub async fn due(pg: &Pg) -> Result<Vec<ScheduleId>, StoreError> {
    let due = sqlx::query_scalar!(
        "select concert_schedule_id from sale_report
         where computed_at is null or computed_at < requested_at
         order by requested_at limit 100"
    );
    Ok(due.fetch_all(pg.pool()).await?.into_iter().map(ScheduleId).collect())
}

/// Takes the right to compute the report of a schedule, until the transaction ends; `None` if
/// another process has it. The transaction ends with its connection, and so with its process.
///
/// The first statement of a snapshot, which describes the returned time or a later one.
pub async fn try_lock(
    tx: &mut Tx,
    schedule: ScheduleId,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let row = sqlx::query!(
        r#"select pg_try_advisory_xact_lock(hashtextextended('sale_report:' || $1::bigint, 0))
             as "locked!", statement_timestamp() as "at!""#,
        schedule.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(row.locked.then_some(row.at))
}

/// The state of a sale.
#[derive(Debug, Clone)]
pub struct SaleState {
    /// Changes whenever figures of the sale change, apart from the passing of time: every change of
    /// a seat raises its fence, and every change of the queue moves the archive. It begins with a
    /// number that rises when a release computes further figures.
    pub state: String,
    /// The deadline, the position of the archive, and the last action of the box office, which may
    /// refund after the deadline; `None` if entries may still be archived.
    pub final_for: Option<String>,
    /// When the sale closes.
    pub deadline: DateTime<Utc>,
    /// When the sale opens.
    pub opening: DateTime<Utc>,
}

/// Reads the state of a sale; `None` if there is no such schedule.
pub async fn state(tx: &mut Tx, schedule: ScheduleId) -> Result<Option<SaleState>, StoreError> {
    let state = sqlx::query_as!(
        SaleState,
        r#"select concat_ws(' ', '2', s.settings_version, s.reservation_available_at,
                            s.deadline_at, a.epoch, a.log_position, a.settled_at, q.seats, q.blocked, q.fences,
                            r.counts, r.times) as "state!",
                  case when a.settled_at is not null or a.concert_schedule_id is null
                       then concat_ws(' ', '2', s.deadline_at, a.epoch, a.log_position, a.settled_at,
                                      (select max(id) from box_office_action
                                       where concert_schedule_id = s.id))
                  end as final_for,
                  s.deadline_at as deadline, s.reservation_available_at as opening
           from concert_schedule s
           left join queue_archive a on a.concert_schedule_id = s.id
           cross join lateral (
             select count(*) as seats, count(*) filter (where blocked) as blocked,
                    coalesce(sum(fence), 0) as fences
             from seat where concert_schedule_id = s.id) q
           cross join lateral (
             select count(*) as counts, coalesce(sum(times), 0) as times
             from rejection_count where concert_schedule_id = s.id) r
           where s.id = $1"#,
        schedule.0
    );
    Ok(state.fetch_optional(tx.conn()).await?)
}

/// Stores computed figures, unless newer ones are stored. `final_for` says that they are final.
pub async fn store(
    pg: &Pg,
    schedule: ScheduleId,
    computed: &Computed,
    final_for: Option<&str>,
) -> Result<(), StoreError> {
    let figures = serde_json::to_value(&computed.figures)
        .map_err(|error| StoreError::Inconsistent(format!("figures are not JSON: {error}")))?;
    sqlx::query!(
        "insert into sale_report as r
           (concert_schedule_id, requested_at, computed_at, took_ms, state, figures, final_for)
         values ($1, $2, $2, $3, $4, $5, $6)
         on conflict (concert_schedule_id) do update set computed_at = excluded.computed_at,
           took_ms = excluded.took_ms, state = excluded.state, figures = excluded.figures,
           final_for = excluded.final_for
         where r.pruned_at is null
           and (r.computed_at is null or r.computed_at <= excluded.computed_at)",
        schedule.0,
        computed.at,
        i32::try_from(computed.took.as_millis()).unwrap_or(i32::MAX),
        computed.state,
        figures,
        final_for
    )
    .execute(pg.writes())
    .await?;
    Ok(())
}

/// Replaces the prediction of the stored report, if it is `current`. False if it is not.
pub async fn replace_prediction(
    pg: &Pg,
    schedule: ScheduleId,
    current: &Predicted,
    new: &Predicted,
) -> Result<bool, StoreError> {
    let json = |predicted: &Predicted| {
        serde_json::to_value(predicted)
            .map_err(|error| StoreError::Inconsistent(format!("a prediction is not JSON: {error}")))
    };
    let done = sqlx::query!(
        "update sale_report set figures = jsonb_set(figures, '{prediction}', $3)
         where concert_schedule_id = $1 and figures -> 'prediction' = $2",
        schedule.0,
        json(current)?,
        json(new)?
    )
    .execute(pg.writes())
    .await?;
    Ok(done.rows_affected() == 1)
}
