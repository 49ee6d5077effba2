//! The free seats of a schedule as a bitmap: a search skips 64 taken seats at a time.

/// A set of seat numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FreeSeats {
    /// Bit `n % 64` of word `n / 64` is set if seat `n` is free.
    words: Vec<u64>,
}

impl FreeSeats {
    /// The seats from 1 to `total` that are free.
    #[must_use]
    pub fn of(total: u32, is_free: impl Fn(u32) -> bool) -> Self {
        let mut free = Self { words: vec![0; word(total) + 1] };
        (1..=total).filter(|number| is_free(*number)).for_each(|number| free.insert(number));
        free
    }

    /// Adds a seat. Numbers beyond the last seat are ignored.
    pub fn insert(&mut self, number: u32) {
        if let Some(bits) = self.words.get_mut(word(number)) {
            *bits |= 1 << (number % 64);
        }
    }

    /// Removes a seat.
    pub fn remove(&mut self, number: u32) {
        if let Some(bits) = self.words.get_mut(word(number)) {
            *bits &= !(1 << (number % 64));
        }
    }

    /// The free seats from number `first` on, in ascending order.
    pub fn iter_from(&self, first: u32) -> impl Iterator<Item = u32> {
        let skipped = word(first);
        let words = (0u32..).zip(&self.words).skip(skipped);
        words.flat_map(move |(at, bits)| {
            let before = if word(first) == word(at * 64) { (1u64 << (first % 64)) - 1 } else { 0 };
            let mut left = bits & !before;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                Some(at * 64 + bit)
            })
        })
    }
}

fn word(number: u32) -> usize {
    usize::try_from(number / 64).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_listed_from_the_first_one_on() {
        let mut free = FreeSeats::of(200, |number| number % 3 == 0);
        let threes: Vec<u32> = (1..=200).filter(|number| number % 3 == 0).collect();
        for first in [0, 1, 3, 63, 64, 65, 127, 128, 150, 199, 200, 500] {
            let expected: Vec<u32> = threes.iter().copied().filter(|n| *n >= first).collect();
            assert_eq!(free.iter_from(first).collect::<Vec<_>>(), expected, "from {first}");
        }
        free.remove(3);
        free.insert(4);
        free.insert(100_000);
        free.remove(100_000);
        assert_eq!(free.iter_from(0).take(3).collect::<Vec<_>>(), [4, 6, 9]);
        assert_eq!(FreeSeats::default().iter_from(0).next(), None);
    }
}
