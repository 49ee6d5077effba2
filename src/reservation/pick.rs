//! Chooses the best available seats. Pure: it reads no store and no clock.

use super::model::Best;
use crate::concert::model::{Layout, Seat};

/// Chooses `quantity` free seats: adjacent ones in the lowest section and row that has enough, or
/// else the first free ones in that order. `None` if there are too few.
#[must_use]
pub fn pick(layout: &Layout, best: &Best, free: impl Fn(u32) -> bool) -> Option<Vec<u32>> {
    let suits = |seat: &Seat| {
        best.section.as_ref().is_none_or(|section| *section == seat.section)
            && best.max_price.is_none_or(|price| seat.seat_price <= price)
            && !best
                .exclude_prices
                .iter()
                .any(|[low, high]| (low..=high).contains(&&seat.seat_price))
    };
    let mut scattered = Vec::with_capacity(best.quantity);
    let mut run: Vec<&Seat> = Vec::with_capacity(best.quantity);
    // Seats are numbered along their rows, so adjacent seats have consecutive numbers.
    for seat in &layout.seats {
        if !free(seat.seat_number) || !suits(seat) {
            run.clear();
            continue;
        }
        if scattered.len() < best.quantity {
            scattered.push(seat.seat_number);
        }
        if run.last().is_some_and(|last| last.row != seat.row || last.section != seat.section) {
            run.clear();
        }
        run.push(seat);
        if run.len() == best.quantity {
            return Some(run.iter().map(|seat| seat.seat_number).collect());
        }
    }
    (scattered.len() == best.quantity).then_some(scattered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::id::SeatId;

    /// Two sections of two rows of four: A/1 is 1 to 4, A/2 5 to 8, B/1 9 to 12, B/2 13 to 16.
    fn layout() -> Layout {
        let seat = |number: u32| Seat {
            id: SeatId(i64::from(number) + 100),
            seat_number: number,
            section: if number <= 8 { "A" } else { "B" }.to_owned(),
            row: if ((number - 1) / 4).is_multiple_of(2) { "1" } else { "2" }.to_owned(),
            seat_price: if number <= 8 { 200 } else { 100 },
        };
        Layout::new(1, (1..=16).map(seat).collect())
    }

    fn best(quantity: usize) -> Best {
        Best { quantity, section: None, max_price: None, exclude_prices: vec![] }
    }

    #[test]
    fn adjacent_seats_in_the_lowest_row_are_chosen_first() {
        assert_eq!(pick(&layout(), &best(3), |_| true), Some(vec![1, 2, 3]));
        assert_eq!(pick(&layout(), &best(3), |n| n != 2), Some(vec![5, 6, 7]));
        assert_eq!(pick(&layout(), &best(2), |n| n != 2), Some(vec![3, 4]));
    }

    #[test]
    fn adjacent_seats_are_in_one_row() {
        assert_eq!(
            pick(&layout(), &best(2), |n| [4, 5, 8, 9, 14, 15].contains(&n)),
            Some(vec![14, 15])
        );
    }

    #[test]
    fn without_adjacent_seats_the_first_free_ones_are_chosen() {
        assert_eq!(pick(&layout(), &best(2), |n| [4, 5, 9].contains(&n)), Some(vec![4, 5]));
        assert_eq!(pick(&layout(), &best(4), |n| [4, 5, 9].contains(&n)), None);
    }

    #[test]
    fn only_seats_of_the_section_and_prices_are_chosen() {
        let section = Best { section: Some("B".to_owned()), ..best(2) };
        assert_eq!(pick(&layout(), &section, |_| true), Some(vec![9, 10]));
        let price = Best { max_price: Some(100), ..best(2) };
        assert_eq!(pick(&layout(), &price, |_| true), Some(vec![9, 10]));
        assert_eq!(pick(&layout(), &Best { max_price: Some(99), ..best(1) }, |_| true), None);
        let without = |ranges| Best { exclude_prices: ranges, ..best(2) };
        assert_eq!(pick(&layout(), &without(vec![[150, 250]]), |_| true), Some(vec![9, 10]));
        assert_eq!(pick(&layout(), &without(vec![[100, 100]]), |_| true), Some(vec![1, 2]));
        assert_eq!(pick(&layout(), &without(vec![[100, 100], [200, 200]]), |_| true), None);
    }
}
