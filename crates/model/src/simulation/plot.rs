//! Plots of a sale's course: the median of the runs, and their range.

use std::fmt::{self, Write as _};

use serde::Serialize;

use super::range::Range;
use super::run::Run;
use super::series::Sample;
use crate::number::{count, float, grouped};

/// Columns of a plot.
const COLUMNS: u32 = 64;
/// Rows of a plot in the terminal.
const ROWS: u32 = 6;
/// Size of a plot in an SVG.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 120.0;
/// What fills the eighths of a row.
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One quantity over the time of a sale.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Plot {
    /// What is plotted.
    pub name: &'static str,
    /// Time of the first column, from the opening (s).
    pub from_seconds: f64,
    /// Time of the last column (s).
    pub to_seconds: f64,
    /// The value at each time, as its range over the runs.
    pub values: Vec<Range>,
}

impl Plot {
    /// The plots of a sale.
    pub(super) fn all(runs: &[Run], has_auto_rate: bool) -> Vec<Self> {
        let plot = |name, field: fn(Sample) -> f64| Self::of(name, runs, field);
        let mut plots = vec![
            plot("people in the queue", |sample| sample.waiting),
            plot("slots in use", |sample| sample.active),
            plot("seats held", |sample| sample.held),
            plot("seats sold", |sample| sample.sold),
        ];
        if has_auto_rate {
            plots.push(plot("admission rate per second", |sample| sample.rate));
            plots.push(plot("p99 of holds and payments, ms", |sample| sample.p99_ms));
        }
        plots
    }

    fn of(name: &'static str, runs: &[Run], field: fn(Sample) -> f64) -> Self {
        let ends = |run: &Run, sample: Option<&Sample>| {
            sample.filter(|_| !run.series.samples.is_empty()).map(|sample| sample.seconds)
        };
        let first = runs.iter().filter_map(|run| ends(run, run.series.samples.first()));
        let last = runs.iter().filter_map(|run| ends(run, run.series.samples.last()));
        let (from, to) = (first.fold(0.0, f64::min), last.fold(0.0, f64::max));
        let value = |column: u32| {
            let seconds = from + (to - from) * f64::from(column) / f64::from(COLUMNS - 1);
            Range::of(runs.iter().map(|run| field(run.series.at(seconds))))
        };
        let values = (0..COLUMNS).map(value).collect();
        Self { name, from_seconds: from, to_seconds: to, values }
    }

    fn highest(&self) -> f64 {
        self.values.iter().fold(0.0, |highest: f64, value| highest.max(value.high))
    }

    /// The character of one column in one row, counted from below.
    fn character(&self, value: &Range, row: u32) -> char {
        let eighths = |value: f64| {
            let share = value / self.highest().max(1e-9);
            let eighths = count(share * f64::from(ROWS * 8)).saturating_sub(u64::from(row) * 8);
            usize::try_from(eighths.min(8)).unwrap_or(8)
        };
        match (eighths(value.median), eighths(value.high)) {
            (0, high) if high > 0 => '░',
            (median, _) => EIGHTHS[median],
        }
    }

    /// The plot as a group of an SVG, `top` below its upper edge.
    fn svg(&self, top: f64) -> String {
        let highest = self.highest().max(1e-9);
        let point = |(column, value): (usize, f64)| {
            let x = WIDTH * float(column as u64) / f64::from(COLUMNS - 1);
            format!("{x:.1},{:.1}", top + HEIGHT * (1.0 - value / highest))
        };
        let points = |of: fn(&Range) -> f64| -> Vec<String> {
            self.values.iter().map(of).enumerate().map(point).collect()
        };
        let (mut area, low) = (points(|value| value.high), points(|value| value.low));
        area.extend(low.into_iter().rev());
        format!(
            "<text x=\"0\" y=\"{:.0}\">{}, up to {}</text>\n\
             <polygon points=\"{}\" fill=\"#9ec5fe\"/>\n\
             <polyline points=\"{}\" fill=\"none\" stroke=\"#0a58ca\" stroke-width=\"2\"/>\n",
            top - 6.0,
            self.name,
            grouped(count(highest)),
            area.join(" "),
            points(|value| value.median).join(" "),
        )
    }

    /// All plots below each other, as an SVG.
    #[must_use]
    pub fn to_svg(plots: &[Self]) -> String {
        let each = HEIGHT + 40.0;
        let height = each * float(plots.len() as u64) + 20.0;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
             font-family=\"sans-serif\" font-size=\"14\">\n"
        );
        for (number, plot) in (0u32..).zip(plots) {
            svg.push_str(&plot.svg(each * f64::from(number) + 30.0));
        }
        if let Some(plot) = plots.first() {
            let (from, to) = (time(plot.from_seconds), time(plot.to_seconds));
            let ends = [(0.0, "start", from), (WIDTH, "end", to)];
            for (x, anchor, text) in ends {
                let y = height - 6.0;
                let _ = writeln!(
                    svg,
                    "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{text}</text>"
                );
            }
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// A time in the unit that fits it.
pub(super) fn time(seconds: f64) -> String {
    match seconds.abs() {
        size if size < 120.0 => format!("{seconds:.0} s"),
        size if size < 7_200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3_600.0),
    }
}

impl fmt::Display for Plot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, up to {}", self.name, grouped(count(self.highest())))?;
        for row in (0..ROWS).rev() {
            let line: String = self.values.iter().map(|value| self.character(value, row)).collect();
            writeln!(f, "  |{}", line.trim_end())?;
        }
        let (from, to) = (time(self.from_seconds), time(self.to_seconds));
        let width = usize::try_from(COLUMNS).unwrap_or_default().saturating_sub(from.len());
        writeln!(f, "   {from}{to:>width$}")
    }
}
