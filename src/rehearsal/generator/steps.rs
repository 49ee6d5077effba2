//! What synthetic buyers do, and how they end.

/// A kind of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Joins the queue.
    Join,
    /// Polls the ticket.
    Poll,
    /// Holds seats.
    Hold,
    /// Pays a hold.
    Pay,
    /// Leaves.
    Leave,
}

impl Step {
    /// All steps, in the order in which buyers take them.
    pub const ALL: [Self; 5] = [Self::Join, Self::Poll, Self::Hold, Self::Pay, Self::Leave];

    /// The name in sheets.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::Poll => "poll",
            Self::Hold => "hold",
            Self::Pay => "pay",
            Self::Leave => "leave",
        }
    }
}

/// How a buyer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Bought seats.
    Bought,
    /// Held seats and did not pay.
    NeverPaid,
    /// Was admitted, and found too few seats.
    FoundNoSeats,
    /// Found everything sold.
    SoldOut,
    /// Left the queue or the sale.
    Left,
    /// Was away when its turn came.
    Away,
    /// Its slot or the sale ended before it was done.
    Late,
    /// Got answers that no client could have expected.
    Failed,
}

/// Number of [`End`]s.
pub const ENDS: usize = 8;
