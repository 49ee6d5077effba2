//! The best available seats, without holding them: those that a hold by `quantity` tries first.

pub mod http;
pub mod service;
