//! Chooses the best free seats without holding them.

use std::collections::HashSet;

use crate::board::seats::AVAILABLE;
use crate::concert::service::{Catalogue, CatalogueError};
use crate::reservation::model::{Best, BestSeats};
use crate::reservation::pick::pick;
use crate::store::id::{ScheduleId, SeatId};

/// Chooses the best free seats of a schedule, from a snapshot at most 1 s old, except those in
/// `except`. Empty if there are too few.
///
/// # Errors
/// [`CatalogueError::ScheduleNotFound`]; [`CatalogueError::Store`] if the seats cannot be read.
pub async fn choose_seats(
    catalogue: &Catalogue,
    schedule: ScheduleId,
    best: &Best,
    except: &[SeatId],
) -> Result<BestSeats, CatalogueError> {
    let (layout, board) = catalogue.seats(schedule).await?;
    let except: HashSet<u32> = except.iter().filter_map(|seat| layout.number(*seat)).collect();
    let free = |number| board.seats.state(number) == AVAILABLE && !except.contains(&number);
    let numbers = pick(&layout, best, free).unwrap_or_default();
    let seats: Vec<_> =
        numbers.into_iter().filter_map(|number| layout.seat(number).cloned()).collect();
    let total_amount = seats.iter().map(|seat| seat.seat_price).sum();
    Ok(BestSeats { seats, total_amount })
}
