//! What one client may take of a process, and what the process takes on: addresses, allowances,
//! connections, slow clients, and how many requests are in progress at a time.
//!
//! Polls by those who wait are answered ahead of all this, and seat maps of the fast path ahead of
//! all but the limits per address: see `shortcut`.

pub mod address;
pub mod allowance;
pub mod client;
pub mod depth;
pub mod door;
pub mod patience;
