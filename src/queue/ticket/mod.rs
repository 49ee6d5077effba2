//! Tickets: the signed token that names a queue entry, its short code, and the cache of verified
//! ones.

pub mod cache;
pub mod jwt;
pub mod short_code;
