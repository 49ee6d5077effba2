//! The queue: admission, the draw, presence, slots and boards.

pub mod admission;
pub mod board;
pub mod boards;
pub mod draw;
pub mod draw_proof;
pub mod handoff;
pub mod join_batches;
pub mod presence;
pub mod presence_merge;
pub mod quiet;
pub mod replays;
pub mod slot_ends;
pub mod slots;
pub mod turns;
