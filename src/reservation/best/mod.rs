//! Best available, to look at: the seats that a hold by `quantity` tries first.

pub mod http;
pub mod service;
