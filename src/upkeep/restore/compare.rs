//! Compares what Redis knew as sold or blocked with what PostgreSQL has after the restore.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;
use uuid::Uuid;

use super::RestoreError;
use super::model::{SavedSchedule, SavedSeat, SavedSeatState, SavedState};
use super::pg::{self, SeatRow};
use crate::queue;
use crate::store::id::{ScheduleId, SeatId, UserId};
use crate::store::pg::Pg;
use crate::upkeep;
use crate::upkeep::pg::LostSale;

/// Every difference, by schedule.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// Id of the file.
    pub file: Uuid,
    /// Whether there is no difference.
    pub equal: bool,
    /// The schedules that differ.
    pub schedules: Vec<ScheduleDifferences>,
    /// Live sales of which Redis had nothing: they cannot be compared.
    pub not_in_redis: Vec<ScheduleId>,
}

/// The differences of one schedule.
#[derive(Debug, Serialize)]
pub struct ScheduleDifferences {
    /// The schedule.
    pub schedule: ScheduleId,
    /// Whether PostgreSQL has the schedule.
    pub in_postgresql: bool,
    /// Whether Redis had all of its seats.
    pub complete_in_redis: bool,
    /// Seats that Redis knew as sold, and PostgreSQL has no completed reservation for.
    pub only_in_redis: Vec<SeatDifference>,
    /// Seats that PostgreSQL has sold, and Redis did not know as sold.
    pub only_in_postgresql: Vec<SeatDifference>,
    /// Seats that Redis knew as blocked, and PostgreSQL sells. `finish` blocks them again.
    pub blocked_only_in_redis: Vec<SeatDifference>,
    /// Seats that Redis knew as held, and PostgreSQL has no live reservation for: their buyers
    /// cannot pay.
    pub lost_holds: Vec<u32>,
}

/// A seat that is sold or blocked in one store only.
#[derive(Debug, Serialize)]
pub struct SeatDifference {
    /// Number of the seat in its schedule.
    pub seat_number: u32,
    /// Its id; null if PostgreSQL does not have the seat.
    pub seat_id: Option<SeatId>,
    /// Its section.
    pub section: Option<String>,
    /// Its row.
    pub row: Option<String>,
    /// The owner, in the store that knows the sale.
    pub user: Option<UserId>,
    /// The hold that was paid, in the store that knows the sale.
    pub hold: Option<Uuid>,
    /// The state of the seat in PostgreSQL now.
    pub now: StateNow,
}

/// The state of a seat in PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StateNow {
    /// Sold.
    Sold,
    /// Blocked: not sold until the operator settles it.
    Blocked,
    /// Held by a buyer.
    Held,
    /// Free.
    Free,
    /// There is no such seat.
    Absent,
}

/// Compares every schedule.
///
/// # Errors
/// [`RestoreError::Store`] if PostgreSQL does not answer.
pub async fn compare(pg: &Pg, saved: &SavedState) -> Result<Comparison, RestoreError> {
    let mut schedules = Vec::new();
    for before in &saved.schedules {
        let mut before = before.clone();
        let lost = upkeep::pg::lost_sales(pg, before.schedule).await?;
        add_lost_sales(&mut before, &lost);
        schedules.push(differences(pg, &before).await?);
    }
    schedules.retain(|differences| !differences.is_equal());
    let live = queue::pg::list_live_schedules(pg).await?.into_iter().map(|(schedule, _)| schedule);
    let is_known =
        |schedule: &ScheduleId| saved.schedules.iter().any(|before| before.schedule == *schedule);
    let not_in_redis: Vec<_> = live.filter(|schedule| !is_known(schedule)).collect();
    let equal = schedules.is_empty() && not_in_redis.is_empty();
    Ok(Comparison { file: saved.id, equal, schedules, not_in_redis })
}

/// Counts sales that the reconciler found lost as sold in Redis. It has blocked their seats since.
fn add_lost_sales(before: &mut SavedSchedule, lost: &[LostSale]) {
    for &LostSale { seat_number: number, fence, hold, user, .. } in lost {
        let (state, hold) = (SavedSeatState::Sold, hold.filter(|hold| !hold.is_nil()));
        let sold = SavedSeat { number, state, fence, hold, user };
        match before.seats.iter_mut().find(|seat| seat.number == number) {
            Some(seat) if seat.state == SavedSeatState::Blocked => *seat = sold,
            Some(_) => {}
            None => before.seats.push(sold),
        }
    }
}

async fn differences(pg: &Pg, before: &SavedSchedule) -> Result<ScheduleDifferences, RestoreError> {
    let schedule = before.schedule;
    let numbers: Vec<i32> = before.seats.iter().map(|seat| seat.number.cast_signed()).collect();
    let rows = pg::seats(pg, schedule, &numbers).await?;
    let now: HashMap<u32, &SeatRow> = rows.iter().map(|row| (row.number, row)).collect();
    let was_sold: HashMap<u32, &SavedSeat> =
        before.seats_in(SavedSeatState::Sold).map(|seat| (seat.number, seat)).collect();
    let lost = before.seats_in(SavedSeatState::Sold);
    let lost = lost.filter(|seat| !now.get(&seat.number).is_some_and(|row| row.is_sold));
    let is_live = |seat: &&SavedSeat| {
        let live = now.get(&seat.number).and_then(|row| row.live);
        live.is_some_and(|(hold, _)| seat.hold.is_none_or(|before| before == hold))
    };
    let new = rows.iter().filter(|row| row.is_sold && !was_sold.contains_key(&row.number));
    let is_for_sale = |seat: &&SavedSeat| {
        now.get(&seat.number).is_some_and(|row| !row.is_sold && !row.is_blocked)
    };
    let unblocked = before.seats_in(SavedSeatState::Blocked).filter(is_for_sale);
    let of_seat = |seat: &SavedSeat| {
        difference(seat.number, now.get(&seat.number).copied(), (seat.user, seat.hold))
    };
    let lost_holds = before.seats_in(SavedSeatState::Held).filter(|seat| !is_live(seat));
    Ok(ScheduleDifferences {
        schedule,
        in_postgresql: pg::exists(pg, schedule).await?,
        complete_in_redis: before.complete,
        only_in_redis: lost.map(of_seat).collect(),
        only_in_postgresql: new
            .map(|row| {
                let (hold, user) = row.live.unzip();
                difference(row.number, Some(row), (user, hold))
            })
            .collect(),
        blocked_only_in_redis: unblocked.map(of_seat).collect(),
        lost_holds: lost_holds.map(|seat| seat.number).collect(),
    })
}

fn difference(
    seat_number: u32,
    row: Option<&SeatRow>,
    (user, hold): (Option<UserId>, Option<Uuid>),
) -> SeatDifference {
    SeatDifference {
        seat_number,
        seat_id: row.map(|row| row.id),
        section: row.map(|row| row.section.clone()),
        row: row.map(|row| row.row.clone()),
        user,
        hold,
        now: row.map_or(StateNow::Absent, StateNow::of),
    }
}

impl StateNow {
    fn of(row: &SeatRow) -> Self {
        match row {
            SeatRow { is_sold: true, .. } => Self::Sold,
            SeatRow { is_blocked: true, .. } => Self::Blocked,
            SeatRow { live: Some(_), .. } => Self::Held,
            SeatRow { live: None, .. } => Self::Free,
        }
    }
}

impl ScheduleDifferences {
    /// Whether no seat differs. A hold that has lapsed meanwhile is no difference.
    fn is_equal(&self) -> bool {
        self.in_postgresql
            && self.only_in_redis.is_empty()
            && self.only_in_postgresql.is_empty()
            && self.blocked_only_in_redis.is_empty()
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.equal {
            return writeln!(
                f,
                "PostgreSQL has every seat that Redis knew as sold, and no other; none is for sale that \
                 was blocked"
            );
        }
        self.schedules.iter().try_for_each(|differences| write!(f, "{differences}"))?;
        self.not_in_redis.iter().try_for_each(|schedule| {
            writeln!(f, "schedule {schedule}: Redis had nothing of it, so it cannot be compared")
        })
    }
}

impl fmt::Display for ScheduleDifferences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schedule = self.schedule;
        if !self.in_postgresql {
            writeln!(f, "schedule {schedule}: PostgreSQL does not have it")?;
        }
        if !self.complete_in_redis {
            writeln!(f, "schedule {schedule}: Redis did not have all of its seats")?;
        }
        let lists = [
            ("sold before, and not in PostgreSQL", &self.only_in_redis),
            ("sold in PostgreSQL, and not known to Redis", &self.only_in_postgresql),
            ("blocked before, and for sale in PostgreSQL", &self.blocked_only_in_redis),
        ];
        for (title, seats) in lists.into_iter().filter(|(_, seats)| !seats.is_empty()) {
            writeln!(f, "schedule {schedule}: {} seats {title}", seats.len())?;
            seats.iter().try_for_each(|seat| writeln!(f, "  {seat}"))?;
        }
        if !self.lost_holds.is_empty() {
            let count = self.lost_holds.len();
            writeln!(
                f,
                "schedule {schedule}: {count} seats were held, and their holds are lost or over"
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for SeatDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seat {}", self.seat_number)?;
        if let (Some(section), Some(row)) = (&self.section, &self.row) {
            write!(f, ", section {section}, row {row}")?;
        }
        if let Some(user) = self.user {
            write!(f, ", user {user}")?;
        }
        if let Some(hold) = self.hold {
            write!(f, ", hold {hold}")?;
        }
        let now = match self.now {
            StateNow::Sold => "sold",
            StateNow::Blocked => "blocked",
            StateNow::Held => "held by a buyer",
            StateNow::Free => "free",
            StateNow::Absent => "absent",
        };
        write!(f, ": now {now}")
    }
}
