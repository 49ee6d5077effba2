//! The summary of a simulation as text.

use std::fmt;

use super::plot::time;
use super::range::Range;
use super::recommend::Recommendation;
use super::summary::Summary;
use crate::number::{count, grouped};

fn times(range: Range) -> String {
    format!("{} ({} to {})", time(range.median), time(range.low), time(range.high))
}

fn counts(range: Range) -> String {
    let [median, low, high] = [range.median, range.low, range.high].map(|n| grouped(count(n)));
    format!("{median} ({low} to {high})")
}

impl Summary {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let in_runs = |range, runs| match runs {
            0 => format!("in none of {} runs", self.runs),
            runs => format!("{}, in {runs} of {} runs", times(range), self.runs),
        };
        let (waits, later) = (&self.waits, &self.waits_from_opening);
        vec![
            ("99 of 100 seats sold after", in_runs(self.nearly_sold_seconds, self.nearly_sold)),
            ("the last seat sold after", in_runs(self.sold_out_seconds, self.sold_out)),
            ("seats sold", counts(self.sold)),
            ("wait from joining: half", times(waits.half)),
            ("  nine of ten", times(waits.nine_of_ten)),
            ("  99 of 100", times(waits.most)),
            ("wait from the opening: half", times(later.half)),
            ("  nine of ten", times(later.nine_of_ten)),
            ("  99 of 100", times(later.most)),
            ("a slot is used for", times(self.slot_seconds)),
            ("most slots in use", counts(self.peak_active)),
            ("polls", counts(self.polls)),
            ("refused holds", counts(self.refused_holds)),
        ]
    }

    fn ends(&self) -> [(&'static str, u64); 8] {
        let ends = self.ends;
        [
            ("bought", ends.bought),
            ("held and did not pay", ends.never_paid),
            ("admitted, and found too few seats", ends.found_no_seats),
            ("found everything sold", ends.sold_out),
            ("left", ends.left),
            ("closed the page while waiting", ends.gave_up),
            ("away when their turn came", ends.away),
            ("late", ends.late),
        ]
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (input, rules) = (&self.input, &self.input.rules);
        writeln!(
            f,
            "{} people, {} seats; capacity {}, admit_per_second {}",
            grouped(input.people),
            grouped(input.seats),
            grouped(rules.capacity),
            grouped(rules.admit_per_second),
        )?;
        write!(f, "{} runs; median (lowest to highest)", self.runs)?;
        if self.scale > 1.0 {
            write!(f, "; a simulated person stands for {:.1}", self.scale)?;
        }
        writeln!(f, "\n")?;
        for (name, value) in self.lines() {
            writeln!(f, "  {name:<30}{value}")?;
        }
        writeln!(f, "\nHow people ended, in the first run")?;
        for (name, simulated) in self.ends().into_iter().filter(|(_, people)| *people > 0) {
            writeln!(f, "  {name:<36}{:>12}", grouped(self.people(simulated)))?;
        }
        self.plots.iter().try_for_each(|plot| write!(f, "\n{plot}"))
    }
}

impl fmt::Display for Recommendation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Recommended: capacity {}, admit_per_second {}. Every run then sells 99 of 100 seats within {}.\n",
            grouped(self.capacity),
            grouped(self.admit_per_second),
            time(self.within_seconds),
        )?;
        write!(f, "{}", self.summary)
    }
}
