//! Events out: what happens in sales, as signed webhooks and as a feed (`docs/WEBHOOKS.md`).
//!
//! An event is a row of `sale_event`, written in the transaction of its effect. The dispatcher
//! publishes committed events and delivers them to each endpoint. It shares no table with the relay
//! of the outbox, so neither delays the other.

pub mod address;
pub mod dispatcher;
pub mod error;
pub mod event_type;
pub mod feed;
pub mod http;
pub mod model;
pub mod pg;
pub mod retry;
pub mod sender;
pub mod service;
pub mod signature;
pub mod upkeep;
