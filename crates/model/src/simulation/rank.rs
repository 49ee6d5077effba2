//! How many entries wait before one: the counts that the board of a process has.

/// Counts of waiting entries by number, as a Fenwick tree.
#[derive(Debug, Clone)]
pub struct Ranks {
    sums: Vec<u64>,
    waiting: u64,
}

impl Ranks {
    /// For numbers from 1 to `most`.
    pub fn new(most: usize) -> Self {
        Self { sums: vec![0; most + 1], waiting: 0 }
    }

    /// Number of waiting entries.
    pub fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Entry `number` waits from now on.
    pub fn add(&mut self, number: usize) {
        self.waiting += 1;
        self.update(number, |sum| sum + 1);
    }

    /// Entry `number` waits no longer.
    pub fn remove(&mut self, number: usize) {
        self.waiting -= 1;
        self.update(number, |sum| sum - 1);
    }

    fn update(&mut self, mut number: usize, change: impl Fn(u64) -> u64) {
        while number < self.sums.len() {
            self.sums[number] = change(self.sums[number]);
            number += number & number.wrapping_neg();
        }
    }

    /// Waiting entries before entry `number`.
    pub fn ahead(&self, number: usize) -> u64 {
        let (mut at, mut sum) = (number.saturating_sub(1), 0);
        while at > 0 {
            sum += self.sums[at];
            at -= at & at.wrapping_neg();
        }
        sum
    }
}
