//! CPU time of processes, from `/proc`.

use std::fs;
use std::ops::Sub;
use std::time::Duration;

use crate::Outcome;

/// CPU time of each part of the system so far, or in some time.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    pub onsale: Duration,
    pub redis: Duration,
    /// The postmaster and all backends.
    pub postgres: Duration,
    /// This process: a client that it contains.
    pub client: Duration,
}

impl Usage {
    /// All parts, by name.
    pub fn parts(self) -> [(&'static str, Duration); 4] {
        [
            ("onsale", self.onsale),
            ("Redis", self.redis),
            ("PostgreSQL", self.postgres),
            ("client", self.client),
        ]
    }
}

impl Sub for Usage {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            onsale: self.onsale.saturating_sub(before.onsale),
            redis: self.redis.saturating_sub(before.redis),
            postgres: self.postgres.saturating_sub(before.postgres),
            client: self.client.saturating_sub(before.client),
        }
    }
}

/// Returns microseconds per operation.
pub fn micros_each(used: Duration, count: u64) -> f64 {
    used.as_secs_f64() * 1e6 / as_float(count)
}

#[expect(clippy::cast_precision_loss, reason = "a count")]
pub fn as_float(count: u64) -> f64 {
    count as f64
}

/// Returns the CPU time of a process so far, user and system together.
pub fn used(pid: u32) -> Outcome<Duration> {
    let fields = fields(pid)?;
    Ok(ticks(fields[UTIME] + fields[STIME]))
}

/// Returns the CPU time of a process and of its children so far, also of children that have ended.
pub fn used_with_children(pid: u32) -> Outcome<Duration> {
    let of_self = fields(pid)?;
    let mut sum: u64 = of_self[UTIME..=CSTIME].iter().sum();
    for entry in fs::read_dir("/proc")?.flatten() {
        let name = entry.file_name();
        let Some(child) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process may end meanwhile.
        let Ok(of_child) = fields(child) else { continue };
        if of_child[PARENT] == u64::from(pid) {
            sum += of_child[UTIME] + of_child[STIME];
        }
    }
    Ok(ticks(sum))
}

/// Fields of `/proc/PID/stat` after the process's name: its parent, and the times in ticks.
const PARENT: usize = 1;
const UTIME: usize = 11;
const STIME: usize = 12;
const CSTIME: usize = 14;

fn fields(pid: u32) -> Outcome<Vec<u64>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may have spaces; the fields after it have none.
    let (_, fields) = stat.rsplit_once(") ").ok_or("an odd /proc/…/stat")?;
    // Some fields are no positive numbers: they are not used.
    let fields: Vec<u64> =
        fields.split(' ').map(|field| field.parse().unwrap_or_default()).collect();
    if fields.len() > CSTIME { Ok(fields) } else { Err("an odd /proc/…/stat".into()) }
}

/// Ticks are hundredths of a second on Linux.
fn ticks(count: u64) -> Duration {
    Duration::from_millis(count * 10)
}
