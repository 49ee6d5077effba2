//! Chooses the best free seats without holding them.

use std::collections::HashSet;

use super::choice::SeatChoices;
use crate::concert::service::{Catalogue, CatalogueError};
use crate::reservation::model::{Best, BestSeats};
use crate::store::id::{ScheduleId, SeatId};

/// Chooses the best free seats of a schedule, from a snapshot at most 1 s old, except those in
/// `except`. Empty if there are too few.
///
/// # Errors
/// [`CatalogueError::ScheduleNotFound`]; [`CatalogueError::Store`] if the seats cannot be read.
pub async fn choose_seats(
    catalogue: &Catalogue,
    choices: &SeatChoices,
    schedule: ScheduleId,
    best: &Best,
    except: &[SeatId],
) -> Result<BestSeats, CatalogueError> {
    let layout = catalogue.layout(schedule).await?;
    let except: HashSet<u32> = except.iter().filter_map(|seat| layout.number(*seat)).collect();
    let numbers = choices.preview(schedule, &layout, best, &except).await?.unwrap_or_default();
    let seats: Vec<_> =
        numbers.into_iter().filter_map(|number| layout.seat(number).cloned()).collect();
    let total_amount = seats.iter().map(|seat| seat.seat_price).sum();
    Ok(BestSeats { seats, total_amount })
}
