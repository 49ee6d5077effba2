//! The SQL of the catalogue, which only reads: administration writes. Lists in order of sale times
//! are in [`listing`].

pub mod listing;
mod names;

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use self::names::{admission_mode, concert_status, entry_order};
use super::audience::{Audience, Hidden};
use super::layout::Layout;
use super::model::{Concert, ConcertStatus, QueueSettings, Schedule, Seat};
use super::view::Block;
use crate::pagination::Paging;
use crate::store::StoreError;
use crate::store::id::{ConcertId, ScheduleId, SeatId};
use crate::store::pg::{Pg, Tx};

pub(in crate::concert) struct ConcertRow {
    id: i64,
    title: String,
    description: String,
    status: String,
    draft: bool,
    removing: bool,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a column")]
pub(in crate::concert) struct ScheduleRow {
    id: i64,
    concert_id: i64,
    concert_status: String,
    reservation_available_at: DateTime<Utc>,
    deadline_at: DateTime<Utc>,
    concert_at: DateTime<Utc>,
    queue_opens_at: DateTime<Utc>,
    capacity: i32,
    admit_per_second: i32,
    admission_mode: String,
    auto_min_per_second: i32,
    auto_max_per_second: i32,
    auto_p99_ms: i32,
    auto_error_percent: i32,
    auto_slots_percent: i32,
    auto_rate: Option<i32>,
    active_ttl_seconds: i32,
    claim_window_seconds: i32,
    presence_window_seconds: i32,
    return_grace_seconds: i32,
    hold_ttl_seconds: i32,
    max_seats_per_user: i32,
    entry_order: String,
    paused: bool,
    message: Option<String>,
    settings_version: i64,
    queue_epoch: i64,
    layout_version: i32,
    seats_version: i32,
    over: bool,
    draft: bool,
    concert_draft: bool,
    removing: bool,
    seats_total: i32,
}

/// Selects the columns of [`ScheduleRow`]. Seats are numbered 1..n, so the highest number is their
/// count, and the index finds it at its end.
macro_rules! select_schedules {
    ($condition:literal, $($argument:expr),+) => {
        sqlx::query_as!(
            ScheduleRow,
            r#"select s.id, s.concert_id, c.status as concert_status, s.reservation_available_at,
                      s.deadline_at, s.concert_at, s.queue_opens_at, s.capacity, s.admit_per_second,
                      s.active_ttl_seconds, s.claim_window_seconds, s.presence_window_seconds,
                      s.return_grace_seconds, s.hold_ttl_seconds, s.max_seats_per_user,
                      s.admission_mode, s.auto_min_per_second, s.auto_max_per_second,
                      s.auto_p99_ms, s.auto_error_percent, s.auto_slots_percent,
                      (select rate from auto_admission
                       where concert_schedule_id = s.id) as auto_rate,
                      s.entry_order, s.paused, s.message, s.settings_version, s.queue_epoch,
                      s.layout_version, s.seats_version, s.draft, c.draft as concert_draft,
                      s.removed_at is not null as "removing!",
                      (s.deadline_at <= clock_timestamp() - interval '2 hours'
                       or s.removed_at is not null) as "over!",
                      coalesce((select max(seat_number) from seat
                                where concert_schedule_id = s.id), 0) as "seats_total!"
               from concert_schedule s join concert c on c.id = s.concert_id "# + $condition,
            $($argument),+
        )
    };
}
use select_schedules;

/// Reads a concert that `audience` sees.
pub async fn concert(
    executor: impl PgExecutor<'_>,
    id: ConcertId,
    audience: Audience,
) -> Result<Option<Concert>, StoreError> {
    let row = sqlx::query_as!(
        ConcertRow,
        r#"select id, title, description, status, draft, removed_at is not null as "removing!"
           from concert where id = $1 and ($2 or not draft and removed_at is null)"#,
        id.0,
        audience.sees_hidden()
    )
    .fetch_optional(executor)
    .await?;
    row.map(Concert::try_from).transpose()
}

/// Lists concerts that `audience` sees in order of their ids, one more than fits the page.
pub async fn concerts(
    pg: &Pg,
    status: Option<ConcertStatus>,
    paging: Paging,
    audience: Audience,
) -> Result<Vec<Concert>, StoreError> {
    let rows = sqlx::query_as!(
        ConcertRow,
        r#"select id, title, description, status, draft, removed_at is not null as "removing!"
           from concert
           where ($1::text is null or status = $1) and id > $2
             and ($4 or not draft and removed_at is null)
           order by id limit $3"#,
        status.map(ConcertStatus::as_str),
        paging.after.unwrap_or(0),
        paging.fetch(),
        audience.sees_hidden()
    )
    .fetch_all(pg.pool())
    .await?;
    rows.into_iter().map(Concert::try_from).collect()
}

/// Reads a schedule.
pub async fn schedule(pg: &Pg, id: ScheduleId) -> Result<Option<Schedule>, StoreError> {
    let row = select_schedules!("where s.id = $1", id.0).fetch_optional(pg.pool()).await?;
    row.map(Schedule::try_from).transpose()
}

/// Reads a schedule in a transaction.
pub async fn schedule_in(tx: &mut Tx, id: ScheduleId) -> Result<Option<Schedule>, StoreError> {
    let row = select_schedules!("where s.id = $1", id.0).fetch_optional(tx.conn()).await?;
    row.map(Schedule::try_from).transpose()
}

/// Lists the schedules of a concert that `audience` sees in order of their ids, one more than fits
/// the page.
pub async fn schedules(
    pg: &Pg,
    concert: ConcertId,
    paging: Paging,
    audience: Audience,
) -> Result<Vec<Schedule>, StoreError> {
    let rows = select_schedules!(
        "where s.concert_id = $1 and s.id > $2
           and ($4 or not s.draft and s.removed_at is null) order by s.id limit $3",
        concert.0,
        paging.after.unwrap_or(0),
        paging.fetch(),
        audience.sees_hidden()
    )
    .fetch_all(pg.pool())
    .await?;
    rows.into_iter().map(Schedule::try_from).collect()
}

/// Reads all seats of a schedule with the version of the layout. One statement reads both, so that
/// they match even if seats are added meanwhile. It may take 15 s, because a busy process is slow
/// to receive 200,000 rows.
pub async fn layout(pg: &Pg, id: ScheduleId) -> Result<Layout, StoreError> {
    let mut tx = pg.begin_read("read_layout").await?;
    tx.raise_limit(Duration::from_secs(15)).await?;
    let rows = sqlx::query!(
        r#"select s.layout_version, seat.id, seat_number, section, "row", seat_price
           from concert_schedule s join seat on seat.concert_schedule_id = s.id
           where s.id = $1 order by seat_number"#,
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    let version = rows.first().map_or(0, |row| row.layout_version);
    let seats = rows.into_iter().map(|row| {
        Ok(Seat {
            id: SeatId(row.id),
            seat_number: unsigned(row.seat_number)?,
            section: row.section,
            row: row.row,
            seat_price: row.seat_price,
        })
    });
    Ok(Layout::new(version, seats.collect::<Result<_, StoreError>>()?))
}

/// Reads runs of consecutive seats with the same section and price, in order of seat number. These
/// are a few rows instead of thousands of seats.
pub async fn blocks(pg: &Pg, id: ScheduleId) -> Result<Vec<Block>, StoreError> {
    let rows = sqlx::query!(
        r#"select section, seat_price, min(seat_number) as "first!", max(seat_number) as "last!"
           from (select section, seat_price, seat_number,
                        seat_number - row_number() over (
                            partition by section, seat_price order by seat_number) as run
                 from seat where concert_schedule_id = $1) as numbered
           group by section, seat_price, run order by 3"#,
        id.0
    )
    .fetch_all(pg.pool())
    .await?;
    let blocks = rows.into_iter().map(|row| {
        Ok(Block {
            section: row.section,
            seat_price: row.seat_price,
            numbers: unsigned(row.first)?..=unsigned(row.last)?,
        })
    });
    blocks.collect()
}

fn unsigned(number: i32) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| {
        StoreError::Inconsistent(format!("{number} is negative, but should be a count"))
    })
}

impl TryFrom<ConcertRow> for Concert {
    type Error = StoreError;

    fn try_from(row: ConcertRow) -> Result<Self, StoreError> {
        let status = concert_status(&row.status)?;
        let ConcertRow { id, title, description, draft, removing, .. } = row;
        Ok(Self { id: ConcertId(id), title, description, status, draft, removing })
    }
}

impl TryFrom<ScheduleRow> for Schedule {
    type Error = StoreError;

    fn try_from(row: ScheduleRow) -> Result<Self, StoreError> {
        let settings = QueueSettings {
            capacity: unsigned(row.capacity)?,
            admit_per_second: unsigned(row.admit_per_second)?,
            admission_mode: admission_mode(&row.admission_mode)?,
            auto_min_per_second: unsigned(row.auto_min_per_second)?,
            auto_max_per_second: unsigned(row.auto_max_per_second)?,
            auto_p99_ms: unsigned(row.auto_p99_ms)?,
            auto_error_percent: unsigned(row.auto_error_percent)?,
            auto_slots_percent: unsigned(row.auto_slots_percent)?,
            active_ttl_seconds: unsigned(row.active_ttl_seconds)?,
            claim_window_seconds: unsigned(row.claim_window_seconds)?,
            presence_window_seconds: unsigned(row.presence_window_seconds)?,
            return_grace_seconds: unsigned(row.return_grace_seconds)?,
            hold_ttl_seconds: unsigned(row.hold_ttl_seconds)?,
            max_seats_per_user: unsigned(row.max_seats_per_user)?,
            entry_order: entry_order(&row.entry_order)?,
            queue_opens_at: row.queue_opens_at,
            paused: row.paused,
            message: row.message,
        };
        Ok(Self {
            id: ScheduleId(row.id),
            concert_id: ConcertId(row.concert_id),
            concert_status: concert_status(&row.concert_status)?,
            reservation_available_at: row.reservation_available_at,
            deadline_at: row.deadline_at,
            concert_at: row.concert_at,
            settings,
            auto_rate: row.auto_rate.map(unsigned).transpose()?,
            settings_version: row.settings_version,
            queue_epoch: row.queue_epoch.unsigned_abs(),
            over: row.over,
            layout_version: row.layout_version,
            seats_version: row.seats_version,
            hidden: Hidden {
                draft: row.draft,
                concert_draft: row.concert_draft,
                removing: row.removing,
            },
            seats_total: unsigned(row.seats_total)?,
        })
    }
}
