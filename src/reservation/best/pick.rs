//! Chooses the best available seats. Pure: it reads no store and no clock.

use super::free::FreeSeats;
use crate::concert::layout::Layout;
use crate::concert::model::Seat;
use crate::reservation::model::Best;

/// Chooses `quantity` free seats: adjacent ones in the lowest section and row that has enough,
/// beginning at seat number `from` and then again at the first. If no row has enough, the first
/// free ones. `None` if there are too few.
#[must_use]
pub fn pick(layout: &Layout, best: &Best, free: &FreeSeats, from: u32) -> Option<Vec<u32>> {
    adjacent(layout, best, free, from)
        .or_else(|| if from > 1 { adjacent(layout, best, free, 1) } else { None })
        .or_else(|| scattered(layout, best, free))
}

/// The first adjacent seats.
fn adjacent(layout: &Layout, best: &Best, free: &FreeSeats, from: u32) -> Option<Vec<u32>> {
    let mut run: Vec<&Seat> = Vec::with_capacity(best.quantity);
    for seat in suitable(layout, best, free, from) {
        // Seats are numbered along their rows, so adjacent seats have consecutive numbers.
        let is_next = |last: &&Seat| {
            last.seat_number + 1 == seat.seat_number
                && last.row == seat.row
                && last.section == seat.section
        };
        if !run.last().is_some_and(is_next) {
            run.clear();
        }
        run.push(seat);
        if run.len() == best.quantity {
            return Some(run.iter().map(|seat| seat.seat_number).collect());
        }
    }
    None
}

/// The first seats, adjacent or not.
fn scattered(layout: &Layout, best: &Best, free: &FreeSeats) -> Option<Vec<u32>> {
    let numbers = suitable(layout, best, free, 1).map(|seat| seat.seat_number);
    let first: Vec<u32> = numbers.take(best.quantity).collect();
    (first.len() == best.quantity).then_some(first)
}

/// The free seats of the section and the prices that `best` allows, from number `from` on.
fn suitable<'a>(
    layout: &'a Layout,
    best: &'a Best,
    free: &'a FreeSeats,
    from: u32,
) -> impl Iterator<Item = &'a Seat> {
    let suits = |seat: &&Seat| {
        best.section.as_ref().is_none_or(|section| *section == seat.section)
            && best.max_price.is_none_or(|price| seat.seat_price <= price)
            && !best
                .exclude_prices
                .iter()
                .any(|[low, high]| (low..=high).contains(&&seat.seat_price))
    };
    free.iter_from(from).filter_map(|number| layout.seat(number)).filter(suits)
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

    fn pick_free(best: &Best, free: impl Fn(u32) -> bool) -> Option<Vec<u32>> {
        pick(&layout(), best, &FreeSeats::of(16, free), 0)
    }

    #[test]
    fn adjacent_seats_in_the_lowest_row_are_chosen_first() {
        assert_eq!(pick_free(&best(3), |_| true), Some(vec![1, 2, 3]));
        assert_eq!(pick_free(&best(3), |n| n != 2), Some(vec![5, 6, 7]));
        assert_eq!(pick_free(&best(2), |n| n != 2), Some(vec![3, 4]));
    }

    #[test]
    fn adjacent_seats_are_in_one_row() {
        assert_eq!(pick_free(&best(2), |n| [4, 5, 8, 9, 14, 15].contains(&n)), Some(vec![14, 15]));
    }

    #[test]
    fn without_adjacent_seats_the_first_free_ones_are_chosen() {
        assert_eq!(pick_free(&best(2), |n| [4, 5, 9].contains(&n)), Some(vec![4, 5]));
        assert_eq!(pick_free(&best(4), |n| [4, 5, 9].contains(&n)), None);
    }

    #[test]
    fn a_search_that_begins_further_back_comes_round_to_the_front() {
        let from =
            |from, quantity| pick(&layout(), &best(quantity), &FreeSeats::of(16, |_| true), from);
        assert_eq!(from(6, 2), Some(vec![6, 7]));
        assert_eq!(from(6, 4), Some(vec![9, 10, 11, 12]));
        assert_eq!(from(14, 4), Some(vec![1, 2, 3, 4]));
        assert_eq!(from(40, 4), Some(vec![1, 2, 3, 4]));
        assert_eq!(from(14, 5), Some(vec![1, 2, 3, 4, 5]), "no row has five");
    }

    #[test]
    fn only_seats_of_the_section_and_prices_are_chosen() {
        let section = Best { section: Some("B".to_owned()), ..best(2) };
        assert_eq!(pick_free(&section, |_| true), Some(vec![9, 10]));
        let price = Best { max_price: Some(100), ..best(2) };
        assert_eq!(pick_free(&price, |_| true), Some(vec![9, 10]));
        assert_eq!(pick_free(&Best { max_price: Some(99), ..best(1) }, |_| true), None);
        let without = |ranges| Best { exclude_prices: ranges, ..best(2) };
        assert_eq!(pick_free(&without(vec![[150, 250]]), |_| true), Some(vec![9, 10]));
        assert_eq!(pick_free(&without(vec![[100, 100]]), |_| true), Some(vec![1, 2]));
        assert_eq!(pick_free(&without(vec![[100, 100], [200, 200]]), |_| true), None);
    }
}
