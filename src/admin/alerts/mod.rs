//! Alerts about sales and stores, with a begin and an end: for the console and for webhooks.
//!
//! An alert is found from the readings of the history, so it does not matter which process looks. It
//! begins and ends only after its condition has held for a time, so it does not flap.

pub mod http;
pub mod model;
pub mod pg;
pub mod rules;
pub mod service;
pub mod watch;
