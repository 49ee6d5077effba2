//! `onsale simulate`: how a sale goes, by the rules of admission and an assumed crowd.

mod auto;

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use onsale_model::simulation::{Arrivals, Curve, Plot, SimulationInput, Takes, recommend, rush};

use self::auto::AutoArgs;
use super::units::{Minutes, Share};

/// The command line of `onsale simulate`.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// People who will come
    #[arg(long, value_name = "N", required_unless_present = "rush")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    people: Option<u64>,
    /// Seats on sale
    #[arg(long, value_name = "N", required_unless_present = "rush")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    seats: Option<u64>,
    /// Limit of active slots [default: 500]
    #[arg(long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    capacity: Option<u64>,
    /// Limit of admissions per second [default: 50]
    #[arg(long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=10_000))]
    rate: Option<u64>,
    /// Recommend capacity and rate with which 99 of 100 seats are sold in this time
    #[arg(long, value_name = "TIME")]
    within: Option<Minutes>,
    /// Duration of a slot
    #[arg(long, value_name = "TIME", default_value = "10m")]
    slot: Minutes,
    /// Time to pay for held seats
    #[arg(long, value_name = "TIME", default_value = "5m")]
    hold: Minutes,
    #[command(flatten)]
    crowd: CrowdArgs,
    #[command(flatten)]
    auto: AutoArgs,
    /// Runs, each with another seed
    #[arg(long, value_name = "N", default_value = "5")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=100))]
    seeds: u64,
    /// Simulate the load test `rush` in its size `load` (docs/LOADTEST.md): its times and its crowd,
    /// and its other settings unless they are given
    #[arg(long)]
    rush: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    /// Write the plots to this file, as an SVG
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// When people come, and how they behave.
#[derive(Debug, Args)]
struct CrowdArgs {
    /// Share of the people who come before the opening
    #[arg(long, value_name = "SHARE", default_value = "0.5")]
    early: Share,
    /// Time before the opening within which these come
    #[arg(long, value_name = "TIME", default_value = "30m")]
    early_within: Minutes,
    /// Time after the opening within which nearly all others come
    #[arg(long, value_name = "TIME", default_value = "10m")]
    late_within: Minutes,
    /// How arrivals are spread: most around the opening, or evenly
    #[arg(long, value_enum, default_value = "rush")]
    arrivals: ArrivalCurve,
    /// Mean time after which a waiting person closes the page; without it, nobody does
    #[arg(long, value_name = "TIME")]
    patience: Option<Minutes>,
    /// Share of the people who are away when their turn comes, with the page open
    #[arg(long, value_name = "SHARE", default_value = "0.05")]
    no_shows: Share,
    /// Seats that people want: the weights of one, two, three …
    #[arg(long, value_name = "WEIGHTS", default_value = "30,50,10,10", value_delimiter = ',')]
    baskets: Vec<Weight>,
    /// Time from admission to the hold, at the median
    #[arg(long, value_name = "TIME", default_value = "1m")]
    choose: Minutes,
    /// Time from the hold to the payment, at the median
    #[arg(long, value_name = "TIME", default_value = "1m")]
    pay: Minutes,
    /// Share of the people with held seats who pay
    #[arg(long, value_name = "SHARE", default_value = "0.85")]
    pays: Share,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ArrivalCurve {
    Rush,
    Even,
}

#[derive(Debug, Clone, Copy)]
struct Weight(f64);

impl FromStr for Weight {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let weight = text.trim().parse::<f64>().ok().filter(|it| (0.0..=1e6).contains(it));
        weight.map(Self).ok_or("a weight is a number that is not negative")
    }
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// No capacity and rate are enough.
    #[error(
        "no capacity and rate sell 99 of 100 seats in this time: too few people buy, or too late"
    )]
    NoSettings,
    /// The file of the plots cannot be written.
    #[error("{0}: {1}")]
    Unwritten(PathBuf, std::io::Error),
}

impl SimulateArgs {
    fn input(&self) -> SimulationInput {
        let mut input = if self.rush { rush::input() } else { SimulationInput::new(1, 1) };
        input.people = self.people.unwrap_or(input.people);
        input.seats = self.seats.unwrap_or(input.seats);
        let rules = &mut input.rules;
        rules.capacity = self.capacity.unwrap_or(rules.capacity);
        rules.admit_per_second = self.rate.unwrap_or(rules.admit_per_second);
        if !self.rush {
            self.set_crowd(&mut input);
        }
        input.auto = self.auto.sale(input.rules.admit_per_second);
        input
    }

    fn set_crowd(&self, input: &mut SimulationInput) {
        let (from, seconds) = (&self.crowd, |minutes: Minutes| minutes.0 * 60.0);
        input.rules.slot_seconds = seconds(self.slot);
        input.rules.hold_seconds = seconds(self.hold);
        input.arrivals = Arrivals {
            early_share: from.early.0,
            early_seconds: seconds(from.early_within),
            late_seconds: seconds(from.late_within),
            curve: match from.arrivals {
                ArrivalCurve::Rush => Curve::Rush,
                ArrivalCurve::Even => Curve::Even,
            },
        };
        let crowd = &mut input.crowd;
        crowd.patience_seconds = from.patience.map(seconds);
        (crowd.no_shows, crowd.pays) = (from.no_shows.0, from.pays.0);
        crowd.baskets = from.baskets.iter().map(|weight| weight.0).collect();
        crowd.choose = Takes::About(seconds(from.choose));
        crowd.pay = Takes::About(seconds(from.pay));
    }
}

/// Simulates, writes the plots if asked to, and returns the text to print.
pub fn run(args: &SimulateArgs) -> Result<String, SimulateError> {
    let input = args.input();
    let (summary, text, json) = if let Some(within) = args.within {
        let found = recommend(&input, within.0 * 60.0, args.seeds);
        let found = found.ok_or(SimulateError::NoSettings)?;
        (found.summary.clone(), found.to_string(), serde_json::json!(found))
    } else {
        let summary = input.summary(args.seeds);
        (summary.clone(), summary.to_string(), serde_json::json!(summary))
    };
    if let Some(path) = &args.svg {
        let svg = Plot::to_svg(&summary.plots);
        std::fs::write(path, svg).map_err(|error| SimulateError::Unwritten(path.clone(), error))?;
    }
    Ok(if args.json { format!("{json:#}\n") } else { text })
}
