//! The SQL of administration: concerts, schedules and the audit.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::error::AdminError;
use super::model::{NewConcert, Times};
use super::state::AdminConcert;
use crate::concert::model::QueueSettings;
use crate::store::StoreError;
use crate::store::id::{ConcertId, ScheduleId, UserId};
use crate::store::pg::{Tx, violated};

/// One audit row.
#[derive(Debug)]
pub struct Audit<'a> {
    /// The administrator who made the change.
    pub admin: UserId,
    /// The action, such as `concert.change`.
    pub action: &'a str,
    /// What was changed, such as `concert 7`.
    pub subject: String,
    /// State before the change; `None` for a creation.
    pub before: Option<Value>,
    /// State after the change.
    pub after: Value,
}

/// The secret of a draw and its public commitment.
#[derive(Debug)]
pub struct Secret {
    /// 32 random bytes.
    pub secret: [u8; 32],
    /// SHA-256 of the secret.
    pub commitment: [u8; 32],
}

/// The columns of a new schedule that are not queue settings, and the opening of its queue.
#[derive(Debug, Clone, Copy)]
pub struct NewScheduleRow {
    /// Its times.
    pub times: Times,
    /// When its queue opens.
    pub queue_opens_at: DateTime<Utc>,
    /// Whether it is a draft.
    pub draft: bool,
}

/// Creates a concert.
pub async fn create_concert(tx: &mut Tx, new: &NewConcert) -> Result<ConcertId, StoreError> {
    let insert = sqlx::query_scalar!(
        "insert into concert (title, description, status, draft) values ($1, $2, $3, $4)
         returning id",
        new.title,
        new.description,
        new.status.as_str(),
        new.draft
    );
    Ok(ConcertId(insert.fetch_one(tx.conn()).await?))
}

/// Locks a concert against other changes.
///
/// # Errors
/// [`AdminError::ConcertNotFound`] if there is no such concert.
pub async fn lock_concert(tx: &mut Tx, id: ConcertId) -> Result<(), AdminError> {
    let locked =
        sqlx::query_scalar!("select id from concert where id = $1 for no key update", id.0);
    let found = locked.fetch_optional(tx.conn()).await.map_err(StoreError::from)?;
    found.map(|_| ()).ok_or(AdminError::ConcertNotFound)
}

/// Updates a concert that this transaction has locked.
pub async fn write_concert(tx: &mut Tx, concert: &AdminConcert) -> Result<(), StoreError> {
    sqlx::query!(
        "update concert set title = $2, description = $3, status = $4 where id = $1",
        concert.id.0,
        concert.title,
        concert.description,
        concert.status.as_str()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Raises the settings version of all schedules of a locked concert. Locks them in order of their
/// ids, so that two transactions that lock several cannot deadlock.
pub async fn touch_schedules(tx: &mut Tx, id: ConcertId) -> Result<Vec<ScheduleId>, StoreError> {
    let ids = sqlx::query_scalar!(
        "select id from concert_schedule where concert_id = $1 order by id for no key update",
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    sqlx::query!(
        "update concert_schedule set settings_version = settings_version + 1 where id = any($1)",
        &ids
    )
    .execute(tx.conn())
    .await?;
    Ok(ids.into_iter().map(ScheduleId).collect())
}

/// Creates a schedule. [`write_settings`] then sets its other settings.
///
/// # Errors
/// [`AdminError::ConcertNotFound`] if there is no such concert.
pub async fn create_schedule(
    tx: &mut Tx,
    concert: ConcertId,
    new: &NewScheduleRow,
    secret: &Secret,
) -> Result<ScheduleId, AdminError> {
    let insert = sqlx::query_scalar!(
        "insert into concert_schedule (concert_id, reservation_available_at, deadline_at,
             concert_at, queue_opens_at, draw_secret, draw_commitment, draft)
         values ($1, $2, $3, $4, $5, $6, $7, $8) returning id",
        concert.0,
        new.times.reservation_available_at,
        new.times.deadline_at,
        new.times.concert_at,
        new.queue_opens_at,
        &secret.secret[..],
        &secret.commitment[..],
        new.draft
    );
    match insert.fetch_one(tx.conn()).await {
        Ok(id) => Ok(ScheduleId(id)),
        Err(error) if violated(&error) == Some("concert_schedule_concert_id_fkey") => {
            Err(AdminError::ConcertNotFound)
        }
        Err(error) => Err(StoreError::from(error).into()),
    }
}

/// Locks a schedule against other changes. Holds and payments continue: they lock only its key, and
/// share that lock.
///
/// # Errors
/// [`AdminError::ScheduleNotFound`] if there is no such schedule.
pub async fn lock_schedule(tx: &mut Tx, id: ScheduleId) -> Result<(), AdminError> {
    let locked = sqlx::query_scalar!(
        "select id from concert_schedule where id = $1 for no key update",
        id.0
    );
    let found = locked.fetch_optional(tx.conn()).await.map_err(StoreError::from)?;
    found.map(|_| ()).ok_or(AdminError::ScheduleNotFound)
}

/// Updates the times of a locked schedule and raises its settings version.
pub async fn write_times(tx: &mut Tx, id: ScheduleId, times: &Times) -> Result<(), StoreError> {
    sqlx::query!(
        "update concert_schedule set reservation_available_at = $2, deadline_at = $3,
             concert_at = $4, settings_version = settings_version + 1 where id = $1",
        id.0,
        times.reservation_available_at,
        times.deadline_at,
        times.concert_at
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Updates the queue settings of a locked schedule and raises their version.
pub async fn write_settings(
    tx: &mut Tx,
    id: ScheduleId,
    settings: &QueueSettings,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update concert_schedule set capacity = $2, admit_per_second = $3,
             active_ttl_seconds = $4, claim_window_seconds = $5, presence_window_seconds = $6,
             return_grace_seconds = $7, hold_ttl_seconds = $8, max_seats_per_user = $9,
             entry_order = $10, queue_opens_at = $11, paused = $12, message = $13,
             admission_mode = $14, auto_min_per_second = $15, auto_max_per_second = $16,
             auto_p99_ms = $17, auto_error_percent = $18, auto_slots_percent = $19,
             settings_version = settings_version + 1
         where id = $1",
        id.0,
        signed(settings.capacity),
        signed(settings.admit_per_second),
        signed(settings.active_ttl_seconds),
        signed(settings.claim_window_seconds),
        signed(settings.presence_window_seconds),
        signed(settings.return_grace_seconds),
        signed(settings.hold_ttl_seconds),
        signed(settings.max_seats_per_user),
        settings.entry_order.as_str(),
        settings.queue_opens_at,
        settings.paused,
        settings.message,
        settings.admission_mode.as_str(),
        signed(settings.auto_min_per_second),
        signed(settings.auto_max_per_second),
        signed(settings.auto_p99_ms),
        signed(settings.auto_error_percent),
        signed(settings.auto_slots_percent)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes an audit row in the transaction of the change.
pub async fn write_audit(tx: &mut Tx, audit: Audit<'_>) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into audit (admin, action, subject, before, after) values ($1, $2, $3, $4, $5)",
        audit.admin.0,
        audit.action,
        audit.subject,
        audit.before,
        audit.after
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Finds the first user of this name who belongs to no identity provider.
pub async fn find_user(tx: &mut Tx, name: &str) -> Result<Option<UserId>, StoreError> {
    let found = sqlx::query_scalar!(
        r#"select id from "user" where name = $1 and issuer is null order by id limit 1"#,
        name
    );
    Ok(found.fetch_optional(tx.conn()).await?.map(UserId))
}

/// Finds the first concert with this title.
pub async fn find_concert(tx: &mut Tx, title: &str) -> Result<Option<ConcertId>, StoreError> {
    let found =
        sqlx::query_scalar!("select id from concert where title = $1 order by id limit 1", title);
    Ok(found.fetch_optional(tx.conn()).await?.map(ConcertId))
}

/// Finds the first schedules of a concert whose sale is not over, each with whether it has seats.
pub async fn running(
    tx: &mut Tx,
    concert: ConcertId,
    limit: i64,
) -> Result<Vec<(ScheduleId, bool)>, StoreError> {
    let rows = sqlx::query!(
        r#"select id, exists (select from seat where concert_schedule_id = s.id) as "seated!"
           from concert_schedule s
           where concert_id = $1 and deadline_at > clock_timestamp() order by id limit $2"#,
        concert.0,
        limit
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (ScheduleId(row.id), row.seated)).collect())
}

/// Converts a count. The request schema keeps all counts far below `i32::MAX`.
fn signed(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
