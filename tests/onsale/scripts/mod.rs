//! The Lua scripts on a real Redis: each reply, what a loss looks like, any order of calls against
//! a plain model, and a long line.

mod dump;
mod header;
mod large;
mod line_model;
mod lost;
mod model;
mod property;
mod replies;
mod replies_line;
mod replies_seats;
mod seats_model;
mod stage;
