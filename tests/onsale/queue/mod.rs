//! The queue: admission, the draw, presence, slots and boards.

pub mod admission;
pub mod board;
pub mod boards;
pub mod draw;
pub mod draw_proof;
pub mod handoff;
pub mod presence;
pub mod presence_merge;
pub mod replays;
pub mod slot_ends;
pub mod slots;
pub mod turns;
