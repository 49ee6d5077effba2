//! The result of a drill, as a table for people and as JSON for programs.

use std::fmt;

use serde::Serialize;

use super::judge::verdict::{Fault, Requests, Verdict};
use super::observations::Kind;

/// Faults of one kind that are printed below the table. JSON has all of them.
const PRINTED: usize = 5;
const HEADS: [&str; 9] = [
    "step",
    "requests",
    "what failed",
    "back after",
    "places lost",
    "sold twice",
    "paid missing",
    "payments lost as allowed",
    "passed",
];

/// The result.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether every step of the plan was carried out, and passed.
    pub passed: bool,
    /// The schedule of the drill's sale, which is withdrawn.
    pub schedule_id: i64,
    /// Steps that were not carried out, because one before them did not settle.
    pub left_out: usize,
    pub steps: Vec<Verdict>,
}

impl Report {
    /// `planned` is the number of steps in the plan. The verdicts have one more, for the time before
    /// the first step.
    pub fn new(schedule_id: i64, planned: usize, steps: Vec<Verdict>) -> Self {
        let left_out = (planned + 1).saturating_sub(steps.len());
        let passed = left_out == 0 && steps.iter().all(|step| step.passed);
        Self { passed, schedule_id, left_out, steps }
    }
}

/// What failed, such as `holds: 12 503, 1 connection broken; 2 again`.
fn failures(verdict: &Verdict) -> String {
    let of_kind = |(kind, requests): (&Kind, &Requests)| {
        let counts = requests.failures.iter().map(|(label, count)| format!("{count} {label}"));
        let counts: Vec<String> = counts.collect();
        let again = match requests.failed_twice {
            0 => String::new(),
            count => format!("; {count} again"),
        };
        (!counts.is_empty()).then(|| format!("{}: {}{again}", kind.name(), counts.join(", ")))
    };
    let all: Vec<String> = verdict.requests.iter().filter_map(of_kind).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(" | ") }
}

/// When each kind that failed worked again, such as `joins 4.2 s`.
fn back(verdict: &Verdict) -> String {
    let of_kind = |(kind, requests): (&Kind, &Requests)| {
        let back = match requests.back_after_ms {
            Some(back) => format!("{}.{} s", back / 1000, back % 1000 / 100),
            None if requests.failures.is_empty() => return None,
            None => "never".to_owned(),
        };
        Some(format!("{} {back}", kind.name()))
    };
    let all: Vec<String> = verdict.requests.iter().filter_map(of_kind).collect();
    if all.is_empty() { "-".to_owned() } else { all.join(", ") }
}

fn row(verdict: &Verdict) -> [String; 9] {
    let count = |faults: &[Fault]| {
        faults.iter().map(|fault| verdict.count(*fault)).sum::<usize>().to_string()
    };
    let sent: usize = verdict.requests.values().map(|requests| requests.sent).sum();
    [
        verdict.step.clone(),
        sent.to_string(),
        failures(verdict),
        back(verdict),
        count(&[Fault::PlaceLost, Fault::WentBack]),
        count(&[Fault::SoldTwice]),
        count(&[Fault::PaidMissing, Fault::HoldLost]),
        verdict.lost_payments.to_string(),
        if verdict.passed { "yes" } else { "NO" }.to_owned(),
    ]
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = std::iter::once(HEADS.map(str::to_owned)).chain(self.steps.iter().map(row));
        let rows: Vec<[String; 9]> = rows.collect();
        let width =
            |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        for row in &rows {
            let cells =
                row.iter().enumerate().map(|(column, cell)| format!("{cell:0$}", width(column)));
            writeln!(f, "{}", cells.collect::<Vec<_>>().join(" | ").trim_end())?;
        }
        for verdict in &self.steps {
            for (fault, texts) in &verdict.faults {
                for text in texts.iter().take(PRINTED) {
                    writeln!(f, "{}: {}: {text}", verdict.step, fault.name())?;
                }
                if texts.len() > PRINTED {
                    writeln!(
                        f,
                        "{}: {}: and {} more",
                        verdict.step,
                        fault.name(),
                        texts.len() - PRINTED
                    )?;
                }
            }
        }
        if self.left_out > 0 {
            writeln!(f, "{} steps were left out", self.left_out)?;
        }
        writeln!(f, "{}", if self.passed { "the drill passed" } else { "THE DRILL FAILED" })
    }
}

impl Fault {
    fn name(self) -> &'static str {
        match self {
            Self::PlaceLost => "place lost",
            Self::WentBack => "place went back",
            Self::OverCapacity => "above capacity",
            Self::SoldTwice => "sold twice",
            Self::HoldLost => "hold lost",
            Self::PaidMissing => "paid seat missing",
            Self::SumsDiffer => "sums differ",
            Self::WrongAnswer => "wrong answer",
            Self::FailedTwice => "failed twice",
            Self::NotBack => "not back in time",
            Self::Drill => "the drill itself",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn verdict(step: &str) -> Verdict {
        let failures =
            BTreeMap::from([("503".to_owned(), 12), ("connection broken".to_owned(), 1)]);
        let holds = Requests { sent: 80, failures, failed_twice: 2, back_after_ms: Some(4230) };
        let joins = Requests { sent: 20, ..Requests::default() };
        Verdict {
            step: step.to_owned(),
            passed: true,
            settled: true,
            requests: BTreeMap::from([(Kind::Join, joins), (Kind::Hold, holds)]),
            lost_payments: 3,
            faults: BTreeMap::new(),
        }
    }

    #[test]
    fn the_table_has_a_row_for_each_step_and_the_faults_below() {
        let mut lost = verdict("Redis emptied");
        lost.passed = false;
        lost.faults.insert(Fault::WentBack, vec!["buyer 7".to_owned(); 7]);
        let report = Report::new(1, 2, vec![verdict("before"), lost.clone()]);
        let text = report.to_string();
        let lines: Vec<&str> = text.lines().collect();
        let cells = |line: usize| lines[line].split('|').map(str::trim).collect::<Vec<_>>();
        assert_eq!(cells(0), HEADS);
        let failed = "holds: 12 503, 1 connection broken; 2 again";
        assert_eq!(cells(1), ["before", "100", failed, "holds 4.2 s", "0", "0", "0", "3", "yes"]);
        let cut = ["Redis emptied", "100", failed, "holds 4.2 s", "7", "0", "0", "3", "NO"];
        assert_eq!(cells(2), cut);
        assert_eq!(lines[3], "Redis emptied: place went back: buyer 7");
        assert_eq!(lines[8], "Redis emptied: place went back: and 2 more");
        assert_eq!(lines[9..], ["1 steps were left out", "THE DRILL FAILED"]);

        assert!(!Report::new(1, 1, vec![verdict("before")]).passed, "a step is left out");
        assert!(Report::new(1, 1, vec![verdict("before"), verdict("a")]).passed);
        assert!(!Report::new(1, 1, vec![verdict("before"), lost]).passed);
    }
}
