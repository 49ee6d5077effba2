//! The pages, as a client without scripts sees them.

pub mod forms;
pub mod page;
