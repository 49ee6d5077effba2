//! The box office: staff find a buyer or a seat, see what happened to it, and serve one buyer at a
//! time: refunds, moves, new codes, and seats for guests.
//!
//! Every change is one transaction: the SQL function that takes the locks and writes, the rows of
//! `box_office_action`, the audit, and the outbox entries for Redis.

pub mod acts;
pub mod error;
pub mod find;
pub mod guests;
pub mod history;
pub mod http;
pub mod model;
pub mod pg;
pub mod reissue;
pub mod service;
