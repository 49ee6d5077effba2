//! How far two clocks may be apart.

use super::report::Report;

/// Skew from which on a check warns, in ms. A measurement over a network is less exact than this.
const WARNING_MS: u64 = 500;

/// Skew from which on a check fails, in ms. Holds end by PostgreSQL's clock, the queue moves by
/// Redis's, and a process this far off shows wrong times.
const FAILURE_MS: u64 = 3000;

/// Adds a finding about two clocks, of which one is `ahead_ms` ahead of the other.
pub(super) fn add(report: &mut Report, name: &'static str, clocks: &str, ahead_ms: i64) {
    let skew = ahead_ms.unsigned_abs();
    let text = format!("{clocks}: {skew} ms apart");
    let advice = "synchronize the clocks of all machines (NTP)";
    let finding = if skew >= FAILURE_MS {
        report.fail(name, text, advice)
    } else if skew >= WARNING_MS {
        report.warn(name, text, advice)
    } else {
        report.ok(name, text)
    };
    finding.value("ms", skew);
}
