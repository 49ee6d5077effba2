//! A sale to try: one schedule that is open, and one that opens soon.

use chrono::{DateTime, TimeDelta, Utc};

use super::error::AdminError;
use super::model::{NewConcert, NewSchedule};
use super::pg;
use super::seat::model::{NewSeats, NewSection};
use super::service::AdminService;
use super::settings::QueueChange;
use crate::concert::model::ConcertStatus;
use crate::store::id::{ConcertId, ScheduleId, UserId};
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
    let Found { admin, concert, mut running } = find(service).await?;
    let concert = match concert {
        Some(concert) => concert,
        None => service.create_concert(admin, &new_concert()).await?.id,
    };
    let maker = Maker { service, admin, concert };
    let open = maker.schedule(running.next(), now).await?;
    let upcoming = maker.schedule(running.next(), now + OPENS_SOON).await?;
    Ok(Demo { admin, concert, open, upcoming })
}

/// What there is of it.
struct Found {
    admin: UserId,
    concert: Option<ConcertId>,
    /// Each with whether it has seats.
    running: std::vec::IntoIter<(ScheduleId, bool)>,
}

/// Finds what there is, and makes the administrator.
async fn find(service: &AdminService) -> Result<Found, AdminError> {
    let mut tx = service.pg.begin().await?;
    let admin = match pg::find_user(&mut tx, ADMIN).await? {
        Some(admin) => admin,
        None => user_pg::create(&mut tx, ADMIN).await?,
    };
    let concert = pg::find_concert(&mut tx, TITLE).await?;
    let running = match concert {
        Some(concert) => pg::running(&mut tx, concert, 2).await?,
        None => Vec::new(),
    };
    tx.commit().await?;
    Ok(Found { admin, concert, running: running.into_iter() })
}

struct Maker<'s> {
    service: &'s AdminService,
    admin: UserId,
    concert: ConcertId,
}

impl Maker<'_> {
    /// The schedule `found`, or a new one whose sale opens at `opens`; with seats.
    async fn schedule(
        &self,
        found: Option<(ScheduleId, bool)>,
        opens: DateTime<Utc>,
    ) -> Result<ScheduleId, AdminError> {
        let (id, seated) = if let Some(found) = found {
            found
        } else {
            let new = NewSchedule {
                reservation_available_at: opens,
                deadline_at: opens + LASTS,
                concert_at: opens + LASTS,
                queue: QueueChange::default(),
            };
            (self.service.create_schedule(self.admin, self.concert, &new).await?.id, false)
        };
        if !seated {
            self.service.add_seats(self.admin, id, new_seats()).await?;
        }
        Ok(id)
    }
}

fn new_concert() -> NewConcert {
    NewConcert {
        title: TITLE.to_owned(),
        description: DESCRIPTION.to_owned(),
        status: ConcertStatus::Available,
    }
}

fn new_seats() -> NewSeats {
    let sections = SECTIONS.iter().map(|(name, rows, seats_per_row, seat_price)| NewSection {
        name: (*name).to_owned(),
        rows: *rows,
        seats_per_row: *seats_per_row,
        seat_price: *seat_price,
    });
    NewSeats { sections: Some(sections.collect()), seats: None }
}
