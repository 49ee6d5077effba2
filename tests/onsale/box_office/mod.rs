//! The box office: search, histories, refunds, moves, guests, and new codes.

pub mod calls;
pub mod guests;
pub mod history;
pub mod moves;
pub mod races;
pub mod refunds;
pub mod reissue;
pub mod scene;
pub mod search;
