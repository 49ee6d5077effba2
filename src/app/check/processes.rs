//! Compares the running processes with each other and with the settings of this command.

use super::clocks;
use super::report::Report;
use crate::store::process_records::ProcessRecord;

/// Checks that all processes accept each other's tokens and tickets, and have one version.
pub(super) fn check(own: &ProcessRecord, running: &[ProcessRecord], report: &mut Report) {
    let name = "processes.running";
    if running.is_empty() {
        let advice = "start the processes, wait 10 seconds, and check again";
        report.warn(name, "no process is running", advice);
        return;
    }
    let places: Vec<&str> = running.iter().map(|process| process.place.as_str()).collect();
    let places = places.join(", ");
    let finding = report.ok(name, format!("{}: {places}", running.len()));
    finding.value("processes", running.len()).value("places", places);
    let all: Vec<&ProcessRecord> = running.iter().chain([own]).collect();
    jwt_secrets(&all, report);
    queue_secrets(&all, report);
    versions(own, running, report);
    drills(running, report);
    clocks_of(running, report);
}

fn versions(own: &ProcessRecord, running: &[ProcessRecord], report: &mut Report) {
    let name = "processes.version";
    let others = running.iter().filter(|process| process.version != own.version);
    let others: Vec<String> =
        others.map(|process| format!("{} at {}", process.version, process.place)).collect();
    let others = others.join(", ");
    let finding = if others.is_empty() {
        report.ok(name, format!("all have {}", own.version))
    } else {
        let text = format!("this command has {}, not {others}", own.version);
        report.warn(name, text, "finish the upgrade before the sale").value("others", others)
    };
    finding.value("version", own.version.as_str());
}

/// A system for real sales allows no drill.
fn drills(running: &[ProcessRecord], report: &mut Report) {
    let name = "processes.drill";
    let allowing = running.iter().filter(|process| process.allows_drill);
    let places: Vec<&str> = allowing.map(|process| process.place.as_str()).collect();
    let places = places.join(", ");
    if places.is_empty() {
        report.ok(name, "no process allows a drill");
    } else {
        let text = format!("onsale drill may cause failures here: {places}");
        let advice = "remove ONSALE_ALLOW_DRILL, unless this is staging";
        report.warn(name, text, advice).value("places", places);
    }
}

/// The places of the processes for which `differs` holds; empty if there is none.
fn places(all: &[&ProcessRecord], differs: impl Fn(&ProcessRecord) -> bool) -> String {
    let found = all.iter().filter(|process| differs(process));
    found.map(|process| process.place.clone()).collect::<Vec<_>>().join(", ")
}

fn jwt_secrets(all: &[&ProcessRecord], report: &mut Report) {
    let name = "processes.jwt_secret";
    let different = places(all, |process| process.jwt_secret != all[0].jwt_secret);
    if different.is_empty() {
        report.ok(name, "equal on all");
    } else {
        let text = format!("{} and {different} have different ones", all[0].place);
        let advice = "give all processes the same ONSALE_JWT_SECRET and restart them";
        report.fail(name, text, advice).value("places", different);
    }
}

fn queue_secrets(all: &[&ProcessRecord], report: &mut Report) {
    let name = "processes.queue_secrets";
    let advice = "give all processes the same ONSALE_QUEUE_SECRETS, in the steps of \
                  docs/OPERATIONS.md (rotating secrets)";
    let refusing = places(all, |process| {
        let mut signing = all.iter().filter_map(|other| other.queue_secrets.first());
        signing.any(|secret| !process.queue_secrets.contains(secret))
    });
    let different = places(all, |process| process.queue_secrets != all[0].queue_secrets);
    if !refusing.is_empty() {
        let text = format!("{refusing} cannot verify the tickets of all others");
        report.fail(name, text, advice).value("places", refusing);
    } else if different.is_empty() {
        report.ok(name, "equal on all");
    } else {
        let text = format!("{different} and {} differ, as during a rotation", all[0].place);
        report.warn(name, text, advice).value("places", different);
    }
}

/// Each process measured its clock against Redis's when it wrote its record.
fn clocks_of(running: &[ProcessRecord], report: &mut Report) {
    if let Some(worst) = running.iter().max_by_key(|process| process.ahead_ms.unsigned_abs()) {
        let clocks = format!("all processes and Redis, at most ({})", worst.place);
        clocks::add(report, "processes.clocks", &clocks, worst.ahead_ms);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::report::Level;
    use super::*;

    fn process(place: &str, queue_secrets: &[&str]) -> ProcessRecord {
        ProcessRecord {
            id: Uuid::now_v7(),
            place: place.to_owned(),
            version: "1".to_owned(),
            db_pool: 16,
            jwt_secret: Some("jwt".to_owned()),
            queue_secrets: queue_secrets.iter().map(|it| (*it).to_owned()).collect(),
            allows_drill: false,
            ahead_ms: 0,
            written_ms: 0,
        }
    }

    fn level(running: &[ProcessRecord], own: &ProcessRecord, name: &str) -> Option<Level> {
        let mut report = Report::default();
        check(own, running, &mut report);
        let finding = report.findings.iter().find(|finding| finding.name == name);
        finding.map(|finding| finding.level)
    }

    #[test]
    fn each_step_of_a_rotation_is_a_warning_and_a_skipped_step_a_failure() {
        let name = "processes.queue_secrets";
        let pair = |one: &[&str], other: &[&str]| {
            level(&[process("a", one), process("b", other)], &process("c", one), name).unwrap()
        };
        assert_eq!(pair(&["old"], &["old"]), Level::Ok);
        assert_eq!(pair(&["old"], &["old", "new"]), Level::Warning);
        assert_eq!(pair(&["old", "new"], &["new", "old"]), Level::Warning);
        assert_eq!(pair(&["new", "old"], &["new"]), Level::Warning);
        assert_eq!(pair(&["old"], &["new", "old"]), Level::Failure);
        assert_eq!(pair(&["old", "new"], &["new"]), Level::Failure);
    }

    #[test]
    fn a_process_that_differs_is_found() {
        let own = process("own", &["one"]);
        let other = process("other", &["one"]);
        let of = |change: &dyn Fn(&mut ProcessRecord), name| {
            let mut changed = other.clone();
            change(&mut changed);
            level(&[changed], &own, name).unwrap()
        };
        let secret = "processes.jwt_secret";
        assert_eq!(of(&|_| {}, secret), Level::Ok);
        assert_eq!(of(&|it| it.jwt_secret = Some("other".into()), secret), Level::Failure);
        assert_eq!(of(&|it| it.jwt_secret = None, secret), Level::Failure);
        assert_eq!(of(&|it| it.version = "2".into(), "processes.version"), Level::Warning);
        assert_eq!(of(&|_| {}, "processes.drill"), Level::Ok);
        assert_eq!(of(&|it| it.allows_drill = true, "processes.drill"), Level::Warning);
        for (ahead, expected) in
            [(20, Level::Ok), (-700, Level::Warning), (-60_000, Level::Failure)]
        {
            assert_eq!(of(&|it| it.ahead_ms = ahead, "processes.clocks"), expected);
        }
        assert_eq!(level(&[], &own, "processes.running"), Some(Level::Warning));
    }
}
