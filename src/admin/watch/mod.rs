//! For operators during a sale: who is admitted next, and the health of this process and its
//! stores.

pub mod http;
pub mod model;
pub mod service;
