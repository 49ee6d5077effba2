//! The check before a sale: everything that can be known before the queue opens, with what to do
//! about it. `onsale check` checks all coming sales, and the console one of them, by the same
//! functions.
//!
//! | file | what it checks |
//! | --- | --- |
//! | `command` | all of it, for `onsale check` |
//! | `system` | everything that no sale decides |
//! | `pg` | PostgreSQL: version, sessions, writes, schema, connections, clock |
//! | `redis` | Redis: version, settings, rights, clock |
//! | `memory` | the memory of Redis against what a sale takes |
//! | `machine` | this machine and the settings of this process |
//! | `processes` | the running processes: secrets, versions, clocks |
//! | `keys` | the keys of access tokens |
//! | `alerts` | whether an alert would reach somebody |
//! | `caller` | as whom a process sees the caller of a request |
//! | `schedules` | the coming sales |
//! | `sale` | one sale, from within a process that serves |
//! | `clocks` | how far clocks may be apart |
//! | `report` | the findings, as text and as JSON |

pub(super) mod alerts;
mod caller;
mod clocks;
pub mod command;
pub(super) mod http;
mod keys;
mod machine;
pub mod memory;
mod pg;
mod processes;
mod redis;
pub mod report;
pub(super) mod sale;
mod schedules;
mod system;
