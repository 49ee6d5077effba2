//! Seats for sale: the catalogue, the map, claims and holds.

pub mod best;
pub mod catalogue;
pub mod claims;
pub mod claims_repeats;
pub mod expiry;
pub mod life;
pub mod listing;
pub mod race;
pub mod refusals;
pub mod seatmap;
