//! Jobs: long work of operators, such as refunding a whole schedule. A process takes a due job with a
//! lease and runs it page by page. A page is one transaction: its work and the job's progress commit
//! together. So a job survives killed processes, and no item is done twice.
//!
//! A kind of job implements [`kind::JobKind`], has its own folder here with the route that makes it,
//! and its line in [`kinds`].

pub mod erase;
pub mod error;
pub mod http;
pub mod kind;
pub mod kinds;
pub mod model;
pub mod pg;
pub mod refund;
pub mod runner;
pub mod service;
