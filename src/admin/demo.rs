//! The demo sale: one schedule that is on sale, and one whose sale opens in ten minutes.

use chrono::{DateTime, TimeDelta, Utc};

use super::error::AdminError;
use super::model::{NewConcert, NewSchedule};
use super::pg;
use super::seat::model::{NewSeats, NewSection};
use super::seat::service::SeatAdmin;
use super::settings::QueueChange;
use crate::concert::model::ConcertStatus;
use crate::precondition::Precondition;
use crate::store::id::{ConcertId, ScheduleId, UserId};
use crate::user::pg as user_pg;

/// Name of the administrator who creates the demo sale.
const ADMIN: &str = "Box office";
/// Title of the demo concert. A later run finds the concert by it.
const TITLE: &str = "The Grand Opening";
const DESCRIPTION: &str = "A demo concert. The first evening is on sale now; the sale of the second \
                           opens ten minutes later, so that you can try its queue.";
/// How long each sale is open. The concert takes place at its end.
const SALE_DURATION: TimeDelta = TimeDelta::days(7);
/// Time until the second sale opens.
const OPENS_IN: TimeDelta = TimeDelta::minutes(10);
/// Sections of the hall: name, number of rows, seats per row, price in points.
const SECTIONS: [(&str, u32, u32, i64); 3] =
    [("Floor", 10, 16, 150_000), ("Circle", 8, 15, 110_000), ("Balcony", 6, 20, 70_000)];

/// Ids of the demo sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demo {
    /// The administrator. An operator can create a token for this user.
    pub admin: UserId,
    /// The concert.
    pub concert: ConcertId,
    /// The schedule that is on sale.
    pub open: ScheduleId,
    /// The schedule whose sale opens, or opened, second.
    pub upcoming: ScheduleId,
}

/// Creates the demo sale, or those parts of it that are missing. Schedules whose sale is not over
/// stay as they are.
pub async fn make(seats: &SeatAdmin, now: DateTime<Utc>) -> Result<Demo, AdminError> {
    let Found { admin, concert, mut running } = find(seats).await?;
    let concert = match concert {
        Some(concert) => concert,
        None => seats.sales.create_concert(admin, &new_concert()).await?.id,
    };
    let creator = Creator { seats, admin, concert };
    let open = creator.find_or_create_schedule(running.next(), now).await?;
    let upcoming = creator.find_or_create_schedule(running.next(), now + OPENS_IN).await?;
    Ok(Demo { admin, concert, open, upcoming })
}

/// The existing parts of the demo sale.
struct Found {
    admin: UserId,
    concert: Option<ConcertId>,
    /// Schedules whose sale is not over, each with whether it has seats.
    running: std::vec::IntoIter<(ScheduleId, bool)>,
}

/// Finds the existing parts, and creates the administrator if there is none.
async fn find(seats: &SeatAdmin) -> Result<Found, AdminError> {
    let mut tx = seats.sales.pg.begin("find_demo").await?;
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

struct Creator<'s> {
    seats: &'s SeatAdmin,
    admin: UserId,
    concert: ConcertId,
}

impl Creator<'_> {
    /// Returns the schedule `found`, or creates one whose sale opens at `opens`. Adds seats if it
    /// has none.
    async fn find_or_create_schedule(
        &self,
        found: Option<(ScheduleId, bool)>,
        opens: DateTime<Utc>,
    ) -> Result<ScheduleId, AdminError> {
        let (id, seated) = if let Some(found) = found {
            found
        } else {
            let new = NewSchedule {
                reservation_available_at: opens,
                deadline_at: opens + SALE_DURATION,
                concert_at: opens + SALE_DURATION,
                queue: QueueChange::default(),
                draft: false,
            };
            (self.seats.sales.create_schedule(self.admin, self.concert, &new).await?.id, false)
        };
        if !seated {
            let any = Precondition::Absent;
            self.seats.add_seats(self.admin, id, &any, new_seats()).await?;
        }
        Ok(id)
    }
}

fn new_concert() -> NewConcert {
    NewConcert {
        title: TITLE.to_owned(),
        description: DESCRIPTION.to_owned(),
        status: ConcertStatus::Available,
        draft: false,
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
