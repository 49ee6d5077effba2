//! A schedule as everybody sees it: times, phase, and how many seats there are to be had.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::model::{EntryOrder, Phase, Schedule};
use crate::board::seats::{AVAILABLE, SeatStates};
use crate::board::snapshot::Board;
use crate::store::id::{ConcertId, ScheduleId};

/// Consecutive seats of one section at one price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Such as `A`.
    pub section: String,
    /// Points.
    pub seat_price: i64,
    /// The first and the last seat number.
    pub numbers: RangeInclusive<u32>,
}

/// The seats of one section at one price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SectionPrice {
    /// Such as `A`.
    pub section: String,
    /// Points.
    pub seat_price: i64,
    /// How many of them are free.
    pub available: u32,
}

/// How many seats there are, by state; the last four sum up to the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct SeatCounts {
    /// Of every state.
    pub total: u32,
    /// Free.
    pub available: u32,
    /// Waiting for payment.
    pub held: u32,
    /// Paid.
    pub sold: u32,
    /// Kept back by an administrator.
    pub blocked: u32,
}

/// A schedule as everybody sees it, at most 1 s old.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ScheduleView {
    /// Its id.
    pub id: ScheduleId,
    /// The concert that plays.
    pub concert_id: ConcertId,
    /// When the sale opens.
    pub reservation_available_at: DateTime<Utc>,
    /// When it closes.
    pub deadline_at: DateTime<Utc>,
    /// When the doors open.
    pub concert_at: DateTime<Utc>,
    /// From when on people may join the queue.
    pub queue_opens_at: DateTime<Utc>,
    /// In which order those in the queue are let in.
    pub entry_order: EntryOrder,
    /// How many seats one user may hold or own.
    pub max_seats_per_user: u32,
    /// Each section and price, in order of seat numbers.
    pub prices: Vec<SectionPrice>,
    /// From those who run the sale.
    pub message: Option<String>,
    /// Where the sale stands.
    pub phase: Phase,
    /// How many seats there are.
    pub seats: SeatCounts,
    /// What countdowns count from.
    pub server_time: DateTime<Utc>,
}

impl SeatCounts {
    /// Of `total` seats, as `board` knows them. PostgreSQL counts `total`: seats may have been
    /// added since the board was read, and are free.
    #[must_use]
    pub fn new(total: u32, board: &Board) -> Self {
        let (gone, held) = (board.seats.gone(), board.seats.held);
        let blocked = board.meta.blocked.min(gone);
        let available = total.saturating_sub(gone).saturating_sub(held);
        Self { total, available, held, sold: gone - blocked, blocked }
    }
}

impl ScheduleView {
    /// The view of `schedule` as of `board`.
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
    let mut known: HashMap<(&str, i64), usize> = HashMap::new();
    for Block { section, seat_price, numbers } in blocks {
        let free = numbers.clone().filter(|number| states.state(*number) == AVAILABLE).count();
        let place = *known.entry((section, *seat_price)).or_insert_with(|| {
            let (section, seat_price) = (section.clone(), *seat_price);
            prices.push(SectionPrice { section, seat_price, available: 0 });
            prices.len() - 1
        });
        prices[place].available += u32::try_from(free).unwrap_or(u32::MAX);
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
    fn a_section_that_is_added_to_later_is_still_one() {
        let blocks = [block("A", 100, 1..=4), block("B", 50, 5..=6), block("A", 100, 7..=9)];
        // Seat 2 is gone, seat 8 held; 9 is beyond what the board knows, and free.
        let states = SeatStates::whole(SeatVersion::default(), 8, &[0b0010_0000], &[8]);
        let told = prices(&blocks, &states);
        let told: Vec<_> = told.iter().map(|p| (p.section.as_str(), p.available)).collect();
        assert_eq!(told, [("A", 5), ("B", 2)]);
    }

    #[test]
    fn one_section_may_have_two_prices() {
        let blocks = [block("A", 100, 1..=4), block("A", 50, 5..=6)];
        let told = prices(&blocks, &SeatStates::default());
        assert_eq!(told.iter().map(|p| p.available).collect::<Vec<_>>(), [4, 2]);
    }
}
