//! What this process knows of a schedule's seats beyond its board.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use super::free::FreeSeats;
use crate::board::seats::{AVAILABLE, SeatStates};
use crate::board::snapshot::Board;
use crate::concert::layout::Layout;

/// The free seats of a schedule by its board, without those that requests of this process are
/// claiming, or have claimed or found taken since the board was read.
#[derive(Debug, Default)]
pub(super) struct KnownSeats {
    free: FreeSeats,
    seats: Arc<SeatStates>,
    /// When reading the board began, and the number of seats of the layout.
    read: Option<(Instant, u32)>,
    /// Seats that requests are claiming, and how many requests claim each.
    claiming: HashMap<u32, u32>,
    /// Seats that were claimed or found taken, and when. A board whose read began later shows them.
    taken: HashMap<u32, Instant>,
    /// The number of the seat at which searches begin.
    start: u32,
    /// Number of seats chosen since the board was read, and between the two boards before.
    chosen: [u32; 2],
}

impl KnownSeats {
    /// Goes on with a newer board. Searches begin at the front again.
    pub(super) fn update(&mut self, board: &Board, layout: &Layout) {
        let total = layout.total();
        let read = Some((board.begun_at(), total));
        if self.read >= read {
            return;
        }
        self.taken.retain(|_, at| *at >= board.begun_at());
        self.seats = Arc::clone(&board.seats);
        self.free = FreeSeats::of(total, |number| self.seats.state(number) == AVAILABLE);
        for number in self.taken.keys().chain(self.claiming.keys()) {
            self.free.remove(*number);
        }
        self.read = read;
        self.start = 0;
        self.chosen = [0, self.chosen[0]];
    }

    /// Seats to choose from.
    pub(super) fn free(&self) -> &FreeSeats {
        &self.free
    }

    /// As [`KnownSeats::free`], and the seats that other requests are claiming: their claims may
    /// fail.
    pub(super) fn free_or_claiming(&self) -> FreeSeats {
        let mut free = self.free.clone();
        let open = |number: &&u32| self.is_open(**number);
        self.claiming.keys().filter(open).for_each(|number| free.insert(*number));
        free
    }

    /// The number of the seat at which a search begins.
    pub(super) fn start(&self) -> u32 {
        self.start
    }

    /// Whether a seat is free by the board and by all that was learned since.
    fn is_open(&self, number: u32) -> bool {
        self.seats.state(number) == AVAILABLE && !self.taken.contains_key(&number)
    }

    /// Notes that a request is claiming these seats.
    pub(super) fn begin(&mut self, numbers: &[u32]) {
        for number in numbers {
            *self.claiming.entry(*number).or_default() += 1;
            self.free.remove(*number);
        }
        self.chosen[0] += u32::try_from(numbers.len()).unwrap_or(0);
    }

    /// Notes that the request has ended. `taken` are the seats that nobody can claim now.
    pub(super) fn end(&mut self, numbers: &[u32], taken: &[u32]) {
        self.note_taken(taken);
        for number in numbers {
            if let Some(requests) = self.claiming.get_mut(number) {
                *requests -= 1;
                if *requests == 0 {
                    self.claiming.remove(number);
                }
            }
            if self.is_open(*number) && !self.claiming.contains_key(number) {
                self.free.insert(*number);
            }
        }
    }

    /// Notes seats that were claimed or found taken just now.
    pub(super) fn note_taken(&mut self, numbers: &[u32]) {
        let now = Instant::now();
        for number in numbers {
            self.taken.insert(*number, now);
            self.free.remove(*number);
        }
    }

    /// Moves on after another process took seats of a choice: until the next board, searches begin
    /// further back, by at least as many seats as this process chooses between two boards, so that
    /// the two do not meet again. `chosen_from` is where that choice's search began: of the choices
    /// made before a move only the first one moves the start. `dice` spreads the processes.
    pub(super) fn move_on(&mut self, chosen_from: u32, numbers: &[u32], dice: u64) {
        if chosen_from != self.start {
            return;
        }
        let quantity = u32::try_from(numbers.len()).unwrap_or(1);
        let pace = self.chosen[0].max(self.chosen[1]).max(quantity * 4);
        let times = 1 + u32::try_from(dice % 4).unwrap_or(0);
        let first = numbers.first().copied().unwrap_or(0);
        self.start = first.saturating_add(pace.saturating_mul(times));
    }
}
