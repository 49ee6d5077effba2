//! The best available seats: choosing them for a hold, and showing which a hold would try first.

pub mod choice;
pub mod free;
pub mod hold;
pub mod http;
mod known;
pub mod pick;
pub mod service;
