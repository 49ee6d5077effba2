//! A sale to try: one schedule that is open, and one that opens soon.

use chrono::{DateTime, TimeDelta, Utc};

use super::error::AdminError;
use super::model::{NewConcert, NewSchedule};
use super::pg;
use super::seat::model::{NewSeats, NewSection};
use super::service::AdminService;
use super::settings::QueueChange;
use crate::concert::model::{ConcertStatus, Schedule};
use crate::concert::pg as catalogue_pg;
use crate::http::page::Paging;
use crate::store::id::{ConcertId, ScheduleId, UserId};
use crate::store::pg::Tx;
use crate::user::pg as user_pg;

/// Who makes it.
const ADMIN: &str = "Box office";
/// What it is found by again.
const TITLE: &str = "The Grand Opening";
const DESCRIPTION: &str = "A demo concert. The first evening is on sale now; the sale of the second \
                           opens ten minutes after it was made, so its queue can be tried.";
const LASTS: TimeDelta = TimeDelta::days(7);
const OPENS_SOON: TimeDelta = TimeDelta::minutes(10);
/// Name, rows, seats per row, price.
const SECTIONS: [(&str, u32, u32, i64); 3] =
    [("Floor", 10, 16, 150_000), ("Circle", 8, 15, 110_000), ("Balcony", 6, 20, 70_000)];

/// The demo sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demo {
    /// The administrator, for whom a token can be made.
    pub admin: UserId,
    /// The concert.
    pub concert: ConcertId,
    /// The schedule that is on sale.
    pub open: ScheduleId,
    /// The schedule whose sale opened later.
    pub upcoming: ScheduleId,
}

/// Makes the demo sale, or what is missing of it: what is there already stays as it is, until its
/// sale is over.
pub async fn make(service: &AdminService, now: DateTime<Utc>) -> Result<Demo, AdminError> {
    let mut tx = service.pg.begin().await?;
    let (admin, found) = find(&mut tx).await?;
    tx.commit().await?;
    let concert = match found {
        Some(concert) => concert,
        None => service.create_concert(admin, &concert()).await?.id,
    };
    let paging = Paging { limit: 200, after: None };
    let mut running = catalogue_pg::schedules(&service.pg, concert, paging).await?;
    running.retain(|schedule| schedule.deadline_at > now);
    let mut running = running.into_iter();
    let open = schedule(service, admin, concert, running.next(), now).await?;
    let upcoming = schedule(service, admin, concert, running.next(), now + OPENS_SOON).await?;
    Ok(Demo { admin, concert, open, upcoming })
}

async fn find(tx: &mut Tx) -> Result<(UserId, Option<ConcertId>), AdminError> {
    let admin = match pg::find_user(tx, ADMIN).await? {
        Some(admin) => admin,
        None => user_pg::create(tx, ADMIN).await?,
    };
    Ok((admin, pg::find_concert(tx, TITLE).await?))
}

/// The schedule `found`, or a new one that opens at `opens`; with seats.
async fn schedule(
    service: &AdminService,
    admin: UserId,
    concert: ConcertId,
    found: Option<Schedule>,
    opens: DateTime<Utc>,
) -> Result<ScheduleId, AdminError> {
    let (id, seats) = match found {
        Some(schedule) => (schedule.id, schedule.seats_total),
        None => {
            let new = NewSchedule {
                reservation_available_at: opens,
                deadline_at: opens + LASTS,
                concert_at: opens + LASTS,
                queue: QueueChange::default(),
            };
            (service.create_schedule(admin, concert, &new).await?.id, 0)
        }
    };
    if seats == 0 {
        service.add_seats(admin, id, sections()).await?;
    }
    Ok(id)
}

fn concert() -> NewConcert {
    NewConcert {
        title: TITLE.to_owned(),
        description: DESCRIPTION.to_owned(),
        status: ConcertStatus::Available,
    }
}

fn sections() -> NewSeats {
    let sections = SECTIONS.iter().map(|(name, rows, seats_per_row, seat_price)| NewSection {
        name: (*name).to_owned(),
        rows: *rows,
        seats_per_row: *seats_per_row,
        seat_price: *seat_price,
    });
    NewSeats { sections: Some(sections.collect()), seats: None }
}
