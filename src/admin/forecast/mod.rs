//! Forecasts of a sale before it: what it needs, and how it goes. By the same model as `onsale plan`
//! and `onsale simulate`.

pub mod error;
pub mod http;
pub mod model;
pub mod service;
pub(in crate::admin) mod worker;
