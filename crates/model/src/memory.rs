//! The memory that a sale may take in Redis, as `onsale check` and `onsale plan` count it.

/// Memory of Redis for each user who joins, in bytes: the entry in `waiting`, its bits, its event in
/// the log until it is archived, and what it takes once it is active. docs/REDIS.md has the
/// measurement.
pub const JOINER_BYTES: u64 = 500;

/// Memory of Redis for each seat, in bytes: what a held and sold seat takes.
pub const SEAT_BYTES: u64 = 400;

/// Part of the free memory that joiners and seats may take, in percent. The rest is for buffers of
/// clients and replicas, and for fragmentation.
pub const USABLE_PERCENT: u64 = 80;
