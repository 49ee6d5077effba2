//! Holds the best available seats: chooses seats, tries to hold them, and chooses others if some are
//! taken.

use std::collections::HashSet;

use super::choice::SeatChoices;
use crate::idempotency::model::Answer;
use crate::reservation::attempt::Attempts;
use crate::reservation::error::HoldError;
use crate::reservation::model::{Best, Hold};
use crate::reservation::write::Attempt;
use crate::store::StoreError;

/// Most choices that one request tries. Each one that is lost is excluded from the next, by all
/// requests of this process, so only a much faster crowd at other processes reaches this.
const TRIES: usize = 100;
/// Most choices that one request tries of seats that this user may not hold again.
const CLOSED_TRIES: usize = 5;

/// Holds the best seats that are free.
///
/// # Errors
/// [`HoldError::NotEnough`] only if a board that was read during this call, and what the claims of
/// this process found since, leave too few free seats. [`HoldError::Crowded`] if other buyers took
/// each choice first.
pub async fn hold_best(
    attempts: &Attempts,
    choices: &SeatChoices,
    attempt: &Attempt<'_>,
    best: &Best,
) -> Result<Answer<Hold>, HoldError> {
    let (schedule, layout) = (attempt.ticket.schedule, &attempt.layout);
    // Seats that this user held too often without paying.
    let mut closed = HashSet::new();
    let mut closed_tries = 0;
    for _ in 0..TRIES {
        let mut choice = choices.choose(schedule, layout, best, &closed).await?;
        if choice.is_none() {
            choice = Box::pin(choices.choose_again(schedule, layout, best, &closed)).await?;
        }
        let Some(choice) = choice else {
            return Err(if closed.is_empty() { HoldError::NotEnough } else { HoldError::Churn });
        };
        match attempts.hold(attempt, choice.numbers()).await {
            Ok(answer) => {
                // A repeated request gets the seats of the first one.
                let seats = answer.outcome.reservations.iter();
                let held: Vec<u32> = seats.map(|reservation| reservation.seat_number).collect();
                choice.end(&held);
                return Ok(answer);
            }
            Err(HoldError::Taken { seats, .. }) => {
                let taken: Vec<u32> =
                    seats.iter().filter_map(|seat| layout.number(*seat)).collect();
                choices.lose(choice, &taken);
            }
            Err(HoldError::Churn) if closed_tries < CLOSED_TRIES => {
                closed_tries += 1;
                closed.extend(choice.numbers());
                choice.end(&[]);
            }
            Err(error) => {
                // The hold may be committed.
                if !matches!(error, HoldError::Store(StoreError::OutcomeUnknown(_))) {
                    choice.end(&[]);
                }
                return Err(error);
            }
        }
    }
    Err(HoldError::Crowded)
}
