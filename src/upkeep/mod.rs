//! The loops: what keeps the two stores in step and time moving. Each has one step that says whether
//! it did anything, so that a test drives it without waiting; every process runs all of them, and
//! none needs a leader.
//!
//! | loop | what it does | how often | bounded by |
//! | --- | --- | --- | --- |
//! | admission | lets people in, sweeps lapsed holds | 100 ms; 1 s where nothing moves | 100 per call |
//! | presence | merges whom this process heard from | 1 s | 1,000 per schedule |
//! | relay | tells Redis what the outbox holds | 500 ms | 100 entries, 2 s old |
//! | expiry | ends overdue reservations | 1 s | 200 seats |
//! | archive | writes the line's log to `queue` | 1 s | 2,000 entries per schedule |
//! | recovery | rebuilds what Redis lost | when a call finds it | one schedule at a time each |
//! | purge | old keys, closed schedules | 10 min | 10,000 rows |

pub mod admission;
pub mod archive;
pub mod expire;
pub mod live;
pub mod pg;
pub mod purge;
pub mod recover;
pub mod relay;
pub mod run;
