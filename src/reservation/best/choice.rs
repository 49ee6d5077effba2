//! Chooses seats for holds, so that the requests of one process do not try the same seats.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use moka::sync::Cache;

use super::free::FreeSeats;
use super::known::KnownSeats;
use super::pick::pick;
use crate::board::service::Boards;
use crate::concert::layout::Layout;
use crate::reservation::model::Best;
use crate::store::StoreError;
use crate::store::id::ScheduleId;

/// A schedule without a request for this long is dropped.
const DROP_AFTER: Duration = Duration::from_mins(1);

/// The choices of this process, for all schedules; cheap to clone.
#[derive(Debug, Clone)]
pub struct SeatChoices {
    boards: Boards,
    schedules: Cache<ScheduleId, Arc<Mutex<KnownSeats>>>,
    dice: Arc<RandomState>,
}

/// Seats that a request is claiming. Other requests of this process choose others, until it ends.
#[derive(Debug)]
pub struct Choice {
    numbers: Vec<u32>,
    /// Where the search began.
    from: u32,
    known: Arc<Mutex<KnownSeats>>,
    ended: bool,
}

impl SeatChoices {
    /// Starts without choices.
    #[must_use]
    pub fn new(boards: Boards) -> Self {
        let schedules = Cache::builder().time_to_idle(DROP_AFTER).build();
        Self { boards, schedules, dice: Arc::default() }
    }

    /// Chooses the best seats that are free as far as this process knows, without those in
    /// `except`. `None` if there are too few.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the board cannot be read.
    pub async fn choose(
        &self,
        schedule: ScheduleId,
        layout: &Layout,
        best: &Best,
        except: &HashSet<u32>,
    ) -> Result<Option<Choice>, StoreError> {
        let known = self.known(schedule);
        let board = self.boards.get(schedule).await?;
        let mut seats = lock(&known);
        seats.update(&board, layout);
        let from = seats.start();
        let found = search(layout, best, seats.free(), except, from);
        Ok(found.map(|numbers| Choice::begin(&known, &mut seats, numbers, from)))
    }

    /// As [`SeatChoices::choose`], when that finds too few: by a board that is read after this
    /// call. If it has too few free seats, also chooses seats that other requests of this process
    /// are claiming, since their claims may fail.
    pub async fn choose_again(
        &self,
        schedule: ScheduleId,
        layout: &Layout,
        best: &Best,
        except: &HashSet<u32>,
    ) -> Result<Option<Choice>, StoreError> {
        let known = self.known(schedule);
        let board = self.boards.newer_than(schedule, Instant::now()).await?;
        let mut seats = lock(&known);
        seats.update(&board, layout);
        let found = search(layout, best, seats.free(), except, 0)
            .or_else(|| search(layout, best, &seats.free_or_claiming(), except, 0));
        Ok(found.map(|numbers| Choice::begin(&known, &mut seats, numbers, 0)))
    }

    /// The seats that [`SeatChoices::choose`] would choose now. Chooses nothing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the board cannot be read.
    pub async fn preview(
        &self,
        schedule: ScheduleId,
        layout: &Layout,
        best: &Best,
        except: &HashSet<u32>,
    ) -> Result<Option<Vec<u32>>, StoreError> {
        let known = self.known(schedule);
        let board = self.boards.get(schedule).await?;
        let mut seats = lock(&known);
        seats.update(&board, layout);
        Ok(search(layout, best, seats.free(), except, seats.start()))
    }

    /// Notes seats that a request held by their ids.
    pub fn note_held(&self, schedule: ScheduleId, numbers: &[u32]) {
        if let Some(known) = self.schedules.get(&schedule) {
            lock(&known).note_taken(numbers);
        }
    }

    /// Ends a choice that lost a race: `taken` are the seats that others have.
    pub fn lose(&self, choice: Choice, taken: &[u32]) {
        let dice = self.dice.hash_one((Instant::now(), &choice.numbers));
        lock(&choice.known).move_on(choice.from, &choice.numbers, dice);
        choice.end(taken);
    }

    fn known(&self, schedule: ScheduleId) -> Arc<Mutex<KnownSeats>> {
        self.schedules.get_with(schedule, Arc::default)
    }
}

impl Choice {
    fn begin(
        known: &Arc<Mutex<KnownSeats>>,
        seats: &mut KnownSeats,
        numbers: Vec<u32>,
        from: u32,
    ) -> Self {
        seats.begin(&numbers);
        Self { numbers, from, known: Arc::clone(known), ended: false }
    }

    /// The chosen seats.
    #[must_use]
    pub fn numbers(&self) -> &[u32] {
        &self.numbers
    }

    /// Ends the choice. `taken` are the seats that nobody can claim now; the others are free.
    pub fn end(mut self, taken: &[u32]) {
        self.ended = true;
        lock(&self.known).end(&self.numbers, taken);
    }
}

impl Drop for Choice {
    /// Without an outcome the seats count as taken until a newer board shows them.
    fn drop(&mut self) {
        if !self.ended {
            lock(&self.known).end(&self.numbers, &self.numbers);
        }
    }
}

fn search(
    layout: &Layout,
    best: &Best,
    free: &FreeSeats,
    except: &HashSet<u32>,
    from: u32,
) -> Option<Vec<u32>> {
    if except.is_empty() {
        return pick(layout, best, free, from);
    }
    let mut free = free.clone();
    for number in except {
        free.remove(*number);
    }
    pick(layout, best, &free, from)
}

fn lock(known: &Mutex<KnownSeats>) -> MutexGuard<'_, KnownSeats> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}
