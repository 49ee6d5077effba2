//! The figures of a sale in the reply of `queue/admit`, for the metrics.

use crate::store::StoreError;
use crate::store::script::Reply;

/// A sale as a call of `queue/admit` saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SaleFigures {
    /// Maximum number of active slots.
    pub capacity: u64,
    /// An administrator has paused admission.
    pub paused: bool,
    /// Admission pauses after a loss of Redis or a stall.
    pub recovering: bool,
    /// The sale is open and its admission is not paused.
    pub admits: bool,
    /// Number of seats, of every state.
    pub seats: u64,
    /// Number of sold or blocked seats.
    pub gone: u64,
    /// Number of blocked seats.
    pub blocked: u64,
}

impl SaleFigures {
    /// Reads the figures, which are the last values of the reply.
    pub(super) fn read(reply: &Reply) -> Result<Self, StoreError> {
        Ok(Self {
            capacity: reply.get(11)?,
            paused: reply.get::<u8>(12)? == 1,
            recovering: reply.get::<u8>(13)? == 1,
            admits: reply.get::<u8>(14)? == 1,
            seats: reply.get(15)?,
            gone: reply.get(16)?,
            blocked: reply.get(17)?,
        })
    }
}
