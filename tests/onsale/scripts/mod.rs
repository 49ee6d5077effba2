//! The Lua scripts on a real Redis: each reply, the detection of a loss, any order of calls against
//! a plain model, and a long queue.

#![expect(clippy::expect_used, reason = "a panic fails the test")]

mod dump;
mod header;
mod large;
mod lost;
mod memory;
mod model;
mod model_seats;
mod model_time;
mod phase;
mod property;
mod queue_model;
mod replies;
mod replies_claims;
mod replies_draw;
mod replies_guard;
mod replies_join;
mod replies_load;
mod replies_next;
mod replies_queue;
mod replies_seats;
mod rest;
mod rounds;
mod seats_model;
mod stage;
