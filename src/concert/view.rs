//! The public view of a schedule: times, phase, prices and seat counts.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::model::{EntryOrder, Phase, Schedule};
use crate::board::seats::{AVAILABLE, SeatStates};
use crate::board::snapshot::Board;
use crate::store::id::{ConcertId, ScheduleId};

/// Consecutive seats of one section with one price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Name of the section, such as `A`.
    pub section: String,
    /// Price of a seat, in points.
    pub seat_price: i64,
    /// The first and the last seat number.
    pub numbers: RangeInclusive<u32>,
}

/// The seats of one section with one price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SectionPrice {
    /// Name of the section, such as `A`.
    pub section: String,
    /// Price of a seat, in points.
    pub seat_price: i64,
    /// Number of free seats among them.
    pub available: u32,
}

/// Number of seats by state. `total` is the sum of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct SeatCounts {
    /// Seats in all states together.
    pub total: u32,
    /// Free seats.
    pub available: u32,
    /// Seats that wait for payment.
    pub held: u32,
    /// Seats paid for.
    pub sold: u32,
    /// Seats that an administrator blocked.
    pub blocked: u32,
}

/// The public view of a schedule, at most 1 s old.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ScheduleView {
    /// Id of the schedule.
    pub id: ScheduleId,
    /// Id of its concert.
    pub concert_id: ConcertId,
    /// When the sale opens.
    pub reservation_available_at: DateTime<Utc>,
    /// When the sale closes.
    pub deadline_at: DateTime<Utc>,
    /// When the doors open.
    pub concert_at: DateTime<Utc>,
    /// When the queue opens for joins.
    pub queue_opens_at: DateTime<Utc>,
    /// The order of admission.
    pub entry_order: EntryOrder,
    /// Limit of seats that one user may hold or own.
    pub max_seats_per_user: u32,
    /// Each combination of section and price, in order of seat numbers.
    pub prices: Vec<SectionPrice>,
    /// Message from the operator of the sale.
    pub message: Option<String>,
    /// Phase of the sale.
    pub phase: Phase,
    /// Number of seats by state.
    pub seats: SeatCounts,
    /// Server time of this answer. Countdowns should use it as the current time.
    pub server_time: DateTime<Utc>,
}

impl SeatCounts {
    /// Counts seats by state on `board`. `total` comes from PostgreSQL: seats that were added since
    /// the board was read count as free.
    #[must_use]
    pub fn new(total: u32, board: &Board) -> Self {
        let (gone, held) = (board.seats.gone(), board.seats.held);
        let blocked = board.meta.blocked.min(gone);
        let available = total.saturating_sub(gone).saturating_sub(held);
        Self { total, available, held, sold: gone - blocked, blocked }
    }
}

impl ScheduleView {
    /// Builds the view of `schedule` from `board`.
    #[must_use]
    pub fn new(schedule: &Schedule, board: &Board, prices: Vec<SectionPrice>) -> Self {
        let server_time = board.now();
        let seats = SeatCounts::new(schedule.seats_total, board);
        let settings = &schedule.settings;
        Self {
            id: schedule.id,
            concert_id: schedule.concert_id,
            reservation_available_at: schedule.reservation_available_at,
            deadline_at: schedule.deadline_at,
            concert_at: schedule.concert_at,
            queue_opens_at: settings.queue_opens_at,
            entry_order: settings.entry_order,
            max_seats_per_user: settings.max_seats_per_user,
            prices,
            message: settings.message.clone(),
            phase: schedule.phase(server_time, seats.sold + seats.blocked),
            seats,
            server_time,
        }
    }
}

/// Counts the free seats of each section and price, in order of their first seats.
#[must_use]
pub fn prices(blocks: &[Block], states: &SeatStates) -> Vec<SectionPrice> {
    let mut prices: Vec<SectionPrice> = Vec::new();
    let mut index: HashMap<(&str, i64), usize> = HashMap::new();
    for Block { section, seat_price, numbers } in blocks {
        let free = numbers.clone().filter(|number| states.state(*number) == AVAILABLE).count();
        let at = *index.entry((section, *seat_price)).or_insert_with(|| {
            let (section, seat_price) = (section.clone(), *seat_price);
            prices.push(SectionPrice { section, seat_price, available: 0 });
            prices.len() - 1
        });
        prices[at].available += u32::try_from(free).unwrap_or(u32::MAX);
    }
    prices
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::seats::SeatVersion;

    fn block(section: &str, seat_price: i64, numbers: RangeInclusive<u32>) -> Block {
        Block { section: section.to_owned(), seat_price, numbers }
    }

    #[test]
    fn seats_added_to_a_section_later_count_in_that_section() {
        let blocks = [block("A", 100, 1..=4), block("B", 50, 5..=6), block("A", 100, 7..=9)];
        // Seat 2 is sold, seat 8 held. The board does not have seat 9 yet, so it is free.
        let states = SeatStates::whole(SeatVersion::default(), 8, &[0b0010_0000], &[8]);
        let counted = prices(&blocks, &states);
        let free: Vec<_> = counted.iter().map(|p| (p.section.as_str(), p.available)).collect();
        assert_eq!(free, [("A", 5), ("B", 2)]);
    }

    #[test]
    fn one_section_may_have_two_prices() {
        let blocks = [block("A", 100, 1..=4), block("A", 50, 5..=6)];
        let counted = prices(&blocks, &SeatStates::default());
        assert_eq!(counted.iter().map(|p| p.available).collect::<Vec<_>>(), [4, 2]);
    }
}
