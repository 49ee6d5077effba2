//! The waiting room: joining, waiting, admission and leaving.

pub mod admission_loop;
pub mod archive;
pub mod archive_worker;
pub mod batch;
pub mod draw;
pub mod error;
pub mod handoff;
pub mod http;
pub mod join;
pub mod keyspaces;
pub mod live_schedules;
pub mod load;
pub mod model;
pub mod next;
pub mod pg;
pub mod presence_loop;
pub mod redis;
pub(crate) mod resolver;
pub mod rest;
pub mod sale_figures;
pub mod service;
mod settings;
pub mod stream;
pub mod ticket;
pub mod view;
