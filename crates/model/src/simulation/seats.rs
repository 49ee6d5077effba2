//! The seats of a sale, as counts.

/// Seats that are free, held and sold. Their sum never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seats {
    /// Seats that anybody may hold.
    pub free: u64,
    /// Seats that wait for a payment.
    pub held: u64,
    /// Seats that are paid.
    pub sold: u64,
}

impl Seats {
    /// `total` free seats.
    pub fn new(total: u64) -> Self {
        Self { free: total, held: 0, sold: 0 }
    }

    /// Holds `count` seats, or none if fewer are free.
    pub fn hold(&mut self, count: u64) -> bool {
        let is_free = self.free >= count;
        if is_free {
            self.free -= count;
            self.held += count;
        }
        is_free
    }

    /// Held seats are paid.
    pub fn sell(&mut self, count: u64) {
        self.held -= count;
        self.sold += count;
    }

    /// Held seats are free again.
    pub fn release(&mut self, count: u64) {
        self.held -= count;
        self.free += count;
    }

    /// All seats.
    pub fn total(self) -> u64 {
        self.free + self.held + self.sold
    }

    /// Whether every seat is sold.
    pub fn is_sold_out(&self) -> bool {
        self.free + self.held == 0
    }
}
