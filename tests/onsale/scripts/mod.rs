//! The Lua scripts on a real Redis: each reply, what a loss looks like, any order of calls against
//! a plain model, and a long line.

#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

mod dump;
mod header;
mod large;
mod line_model;
mod line_rounds;
mod lost;
mod model;
mod model_seats;
mod model_time;
mod property;
mod replies;
mod replies_draw;
mod replies_guard;
mod replies_line;
mod replies_load;
mod replies_next;
mod replies_seats;
mod seats_model;
mod stage;
