//! Lists of the catalogue in order of sale times. Their indexes are in `migrations/0013_pages.sql`.

use chrono::{DateTime, Utc};

use super::{ConcertRow, ScheduleRow, select_schedules};
use crate::concert::model::{Concert, ConcertStatus, Dates, Sale, Schedule};
use crate::pagination::{TimeCursor, TimePaging};
use crate::store::StoreError;
use crate::store::id::ConcertId;
use crate::store::pg::Pg;

/// Number of the newest concerts among which concerts without dates are searched.
const NEWEST: i64 = 1000;

/// A concert in a list by sale, with the opening time that orders the list.
#[derive(Debug)]
pub struct Listed {
    /// The concert.
    pub concert: Concert,
    /// The opening time that orders the list.
    pub opens_at: DateTime<Utc>,
}

impl Listed {
    /// Returns the cursor of a page that ends with this concert.
    #[must_use]
    pub fn cursor(&self) -> TimeCursor {
        TimeCursor { time: self.opens_at, id: self.concert.id.0 }
    }
}

/// Lists concerts of one status, or of any, by the openings of their sales, one more than fits the
/// page.
pub async fn concerts_by_sale(
    pg: &Pg,
    sale: Sale,
    status: Option<ConcertStatus>,
    paging: TimePaging,
) -> Result<Vec<Listed>, StoreError> {
    let status = status.map(ConcertStatus::as_str);
    let (time, id) = (paging.after.map(|after| after.time), paging.after.map(|after| after.id));
    // Both statements read only dates whose sale is not over, using the index on deadline_at.
    let rows = match sale {
        Sale::Open => {
            sqlx::query_as!(
                ListedRow,
                r#"select c.id, c.title, c.description, c.status, sale.opens_at as "opens_at!"
                   from (select concert_id, max(reservation_available_at) as opens_at
                         from concert_schedule where deadline_at > now() and concert_id > 0
                           and not draft and removed_at is null
                         group by concert_id having min(reservation_available_at) <= now()) sale
                   join concert c on c.id = sale.concert_id
                   where ($1::text is null or c.status = $1)
                     and not c.draft and c.removed_at is null
                     and ($2::timestamptz is null or (sale.opens_at, c.id) < ($2, $3::bigint))
                   order by sale.opens_at desc, c.id desc limit $4"#,
                status,
                time,
                id,
                paging.fetch()
            )
            .fetch_all(pg.pool())
            .await?
        }
        Sale::Upcoming => {
            sqlx::query_as!(
                ListedRow,
                r#"select c.id, c.title, c.description, c.status, sale.opens_at as "opens_at!"
                   from (select concert_id, min(reservation_available_at) as opens_at
                         from concert_schedule where deadline_at > now() and concert_id > 0
                           and not draft and removed_at is null
                         group by concert_id having min(reservation_available_at) > now()) sale
                   join concert c on c.id = sale.concert_id
                   where ($1::text is null or c.status = $1)
                     and not c.draft and c.removed_at is null
                     and ($2::timestamptz is null or (sale.opens_at, c.id) > ($2, $3::bigint))
                   order by sale.opens_at, c.id limit $4"#,
                status,
                time,
                id,
                paging.fetch()
            )
            .fetch_all(pg.pool())
            .await?
        }
    };
    rows.into_iter().map(Listed::try_from).collect()
}

/// Lists available concerts without dates among the newest [`NEWEST`] concerts, the newest first.
pub async fn concerts_without_dates(pg: &Pg, limit: u16) -> Result<Vec<Concert>, StoreError> {
    let rows = sqlx::query_as!(
        ConcertRow,
        r#"select c.id as "id!", c.title as "title!", c.description as "description!",
                  c.status as "status!", false as "draft!", false as "removing!"
           from (select id, title, description, status, draft, removed_at
                 from concert where id > 0 order by id desc limit $1) c
           where c.status = 'AVAILABLE' and not c.draft and c.removed_at is null
             and not exists (select from concert_schedule s where s.concert_id = c.id
                               and not s.draft and s.removed_at is null)
           order by c.id desc limit $2"#,
        NEWEST,
        i64::from(limit)
    )
    .fetch_all(pg.pool())
    .await?;
    rows.into_iter().map(Concert::try_from).collect()
}

/// Lists the dates of a concert in order of time, one more than fits the page.
pub async fn dates(
    pg: &Pg,
    concert: ConcertId,
    dates: Dates,
    paging: TimePaging,
) -> Result<Vec<Schedule>, StoreError> {
    let (time, id) = (paging.after.map(|after| after.time), paging.after.map(|after| after.id));
    let rows = match dates {
        Dates::Upcoming => {
            // A deadline is never after its concert, so the scan of the index can start at now.
            select_schedules!(
                "where s.concert_id = $1 and s.concert_at > now() and s.deadline_at > now()
                   and not s.draft and s.removed_at is null
                   and ($2::timestamptz is null or (s.concert_at, s.id) > ($2, $3::bigint))
                 order by s.concert_at, s.id limit $4",
                concert.0,
                time,
                id,
                paging.fetch()
            )
            .fetch_all(pg.pool())
            .await?
        }
        Dates::Past => {
            select_schedules!(
                "where s.concert_id = $1 and s.deadline_at <= now()
                   and not s.draft and s.removed_at is null
                   and ($2::timestamptz is null or (s.concert_at, s.id) < ($2, $3::bigint))
                 order by s.concert_at desc, s.id desc limit $4",
                concert.0,
                time,
                id,
                paging.fetch()
            )
            .fetch_all(pg.pool())
            .await?
        }
    };
    rows.into_iter().map(Schedule::try_from).collect()
}

struct ListedRow {
    id: i64,
    title: String,
    description: String,
    status: String,
    opens_at: DateTime<Utc>,
}

impl TryFrom<ListedRow> for Listed {
    type Error = StoreError;

    fn try_from(row: ListedRow) -> Result<Self, StoreError> {
        let ListedRow { id, title, description, status, opens_at } = row;
        // Lists by sale have only what is published.
        let (draft, removing) = (false, false);
        let row = ConcertRow { id, title, description, status, draft, removing };
        let concert = Concert::try_from(row)?;
        Ok(Self { concert, opens_at })
    }
}
