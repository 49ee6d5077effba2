//! `onsale restore`: what an operator runs around a restore of PostgreSQL to an earlier moment, from
//! a backup or by a failover to a standby that lacks the last transactions.
//!
//! | file | what it does |
//! | --- | --- |
//! | `prepare` | reads what Redis knows, before a process works on the restored database |
//! | `file` | keeps that in a file, from one command to the next |
//! | `compare` | lists the seats whose sales PostgreSQL lost |
//! | `finish` | makes sure that nothing from before the restore is given out again or trusted |
//! | `error` | why a step failed |
//! | `guard` | refuses to work while processes serve, or with the file of another installation |

pub mod compare;
pub mod error;
pub mod file;
pub mod finish;
pub mod guard;
pub mod model;
mod pg;
pub mod prepare;
mod redis;

pub use self::error::RestoreError;
