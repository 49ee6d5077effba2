//! Ticket streams: the answer of a poll, sent when it changes.
//!
//! [`http::TicketStreams`] opens a stream, [`topic`] serves all streams of one schedule, and
//! [`listener`] is one of them.

pub mod http;
mod listener;
mod round;
mod topic;
