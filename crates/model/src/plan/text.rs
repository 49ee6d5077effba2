//! A plan as text.

use std::fmt;

use super::Plan;
use crate::number::grouped;

/// A rate or a number of cores: whole from 100 on, else with as many digits as matter.
fn short(number: f64) -> String {
    match number {
        number if number >= 100.0 => grouped(crate::number::count(number)),
        number if number >= 1.0 => format!("{number:.1}"),
        number => format!("{number:.2}"),
    }
}

fn bits(per_second: f64) -> String {
    match per_second {
        bits if bits >= 1e9 => format!("{:.1} Gbit/s", bits / 1e9),
        bits => format!("{:.1} Mbit/s", bits / 1e6),
    }
}

fn bytes(bytes: f64) -> String {
    match bytes {
        bytes if bytes >= 1e9 => format!("{:.1} GB", bytes / 1e9),
        bytes => format!("{:.0} MB", (bytes / 1e6).max(1.0)),
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

struct Line<'a>(&'a str, String, String);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name, value, note) = self;
        let line = format!("  {name:<32}{value:>14}  {note}");
        writeln!(f, "{}", line.trim_end())
    }
}

impl Plan {
    fn assumptions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let input = &self.input;
        writeln!(
            f,
            "Assumed: {} of the people join before the opening, all within {} minutes. {} seats \
             for each buyer; {} of the admitted buy, within {} minutes, and the others keep a slot \
             for {}. {} refused holds for each purchase. {} cores for each process, used to {}.\n",
            percent(input.early_share),
            input.arrive_minutes,
            input.seats_per_buyer,
            percent(input.share_that_pays),
            input.buy_minutes,
            input.slot_minutes,
            input.refusals_per_purchase,
            input.cores_per_process,
            percent(input.utilization),
        )
    }

    fn load_lines(&self) -> Vec<Line<'_>> {
        let load = &self.load;
        let line =
            |name, per_second: f64, note: &str| Line(name, short(per_second), note.to_owned());
        vec![
            line("joins per second", load.joins, ""),
            Line("people in the queue", grouped(load.waiting), String::new()),
            line(
                "polls per second",
                load.polls,
                "after pacing, if each client polls with its ticket",
            ),
            line("polls in the whole sale", load.polls_in_total, ""),
            line("  near the front only", load.polls_near_front, "if the others read the board"),
            line(
                "  board reads at the CDN",
                load.board_reads,
                "about one a second reaches a process",
            ),
            Line("  share that a CDN takes", percent(load.cdn_share), String::new()),
            line("holds per second", load.admissions, ""),
            line("refused holds per second", load.refusals, "assumed"),
            line("purchases per second", load.purchases, ""),
        ]
    }

    fn need_lines(&self) -> Vec<Line<'_>> {
        let needs = &self.needs;
        let each = format!(
            "of {} cores each; {} with a CDN; two at least",
            self.input.cores_per_process, needs.processes_with_cdn,
        );
        let with = |text: String| format!("with a CDN {text}");
        let waiting = bytes(crate::number::float(needs.redis_waiting_bytes));
        let streams = bytes(needs.stream_bytes);
        vec![
            Line("processes", grouped(needs.processes), each),
            Line(
                "cores of onsale",
                short(needs.onsale_cores),
                with(short(needs.onsale_cores_with_cdn)),
            ),
            Line(
                "cores of Redis",
                short(needs.redis_cores),
                "of one: a sale is on one thread".to_owned(),
            ),
            Line(
                "maxmemory of Redis",
                bytes(crate::number::float(needs.redis_bytes)),
                format!("the queue itself: {waiting}"),
            ),
            Line("cores of PostgreSQL", short(needs.postgresql_cores), String::new()),
            Line(
                "its transactions per second",
                short(needs.postgresql_transactions),
                "holds and payments".to_owned(),
            ),
            Line(
                "its rows of the queue per second",
                short(needs.postgresql_queue_rows),
                "in batches".to_owned(),
            ),
            Line(
                "sent by the processes",
                bits(needs.sent_bits),
                with(bits(needs.sent_bits_with_cdn)),
            ),
            Line("sent by the CDN", bits(needs.cdn_bits), "the board".to_owned()),
            Line(
                "streams in place of polls",
                short(needs.stream_cores),
                format!("cores, and {streams} of memory"),
            ),
        ]
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (input, settings) = (&self.input, self.settings);
        let (people, seats) = (grouped(input.people), grouped(input.seats));
        writeln!(f, "{people} people, {seats} seats, sold in {} minutes\n", input.minutes)?;
        self.assumptions(f)?;
        writeln!(f, "Settings")?;
        write!(
            f,
            "{}",
            Line("admit_per_second", grouped(settings.admit_per_second), String::new())
        )?;
        write!(f, "{}", Line("capacity", grouped(settings.capacity), String::new()))?;
        writeln!(f, "\nLoad at the peak")?;
        self.load_lines().iter().try_for_each(|line| write!(f, "{line}"))?;
        writeln!(f, "\nNeeded for it")?;
        self.need_lines().iter().try_for_each(|line| write!(f, "{line}"))?;
        for warning in &self.warnings {
            writeln!(f, "\nWARNING: {warning}")?;
        }
        writeln!(f, "\nThe same calculation beside measurements (docs/performance.toml)")?;
        for point in &self.comparisons {
            let (predicted, measured) = (short(point.predicted), short(point.measured));
            let error = point.error * 100.0;
            writeln!(
                f,
                "  predicted {predicted:>8}, measured {measured:>8} ({error:+.0} %): {}",
                point.what
            )?;
        }
        writeln!(f, "\nNever measured")?;
        let mut missing = self.missing.iter();
        missing.try_for_each(|missing| writeln!(f, "  {}: {}", missing.what, missing.instead))
    }
}
