//! CPU time of processes, from `/proc`.

use std::fs;
use std::time::Duration;

use crate::Outcome;

/// Returns the CPU time of a process so far, user and system together.
pub fn used(pid: u32) -> Outcome<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may have spaces; the fields after it have none.
    let (_, fields) = stat.rsplit_once(") ").ok_or("an odd /proc/…/stat")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks = |index: usize| -> Outcome<u64> {
        Ok(fields.get(index).ok_or("an odd /proc/…/stat")?.parse()?)
    };
    // utime and stime are in ticks, which are hundredths of a second on Linux.
    Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
}
