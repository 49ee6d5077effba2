//! Rehearsals: a shadow of a schedule with its seats and settings, and synthetic buyers who buy in it
//! through the HTTP API. The result is a sheet of passed and failed lines.
//!
//! | file | what it does |
//! | --- | --- |
//! | `service` | starts, stops and lists rehearsals |
//! | `parts` | what they work on |
//! | `runner` | runs one, from the first buyer to the sheet |
//! | `generator` | the synthetic buyers, and what they saw |
//! | `judge` | judges what they saw, and compares it with the books and the forecast |
//! | `sheet` | the result |
//! | `upkeep` | ends rehearsals whose process died, and removes shadows |
//! | `pg`, `redis` | the rows of rehearsals, of shadows, and their removal |

pub mod error;
mod generator;
pub mod http;
mod judge;
pub mod model;
pub mod parts;
pub mod pg;
pub mod redis;
mod runner;
pub mod service;
pub mod sheet;
pub mod upkeep;
