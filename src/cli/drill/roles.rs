//! Which buyer does what.

/// Buyers who only join and leave, of ten.
const JOINERS: usize = 1;
/// Buyers who only hold seats and release them, of ten.
const HOLDERS: usize = 1;

/// What a buyer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Joins and leaves.
    Joins,
    /// Holds seats and releases them, with a slot that lasts.
    Holds,
    /// Waits, holds, pays, and joins again.
    Buys,
}

impl Role {
    /// The role of a buyer by its number, from 1 on.
    pub fn of(number: usize) -> Self {
        match number % 10 {
            it if it < HOLDERS => Self::Holds,
            it if it < HOLDERS + JOINERS => Self::Joins,
            _ => Self::Buys,
        }
    }

    /// How many of `buyers` have this role.
    pub fn count(self, buyers: usize) -> usize {
        (1..=buyers).filter(|number| Self::of(*number) == self).count()
    }
}
