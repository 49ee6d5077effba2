//! `onsale plan`: what a sale needs, by the measured costs.

use clap::Args;
use onsale_model::costs::{Costs, CostsError};
use onsale_model::plan::{Plan, PlanInput};

use super::units::{Minutes, Share};

/// The command line of `onsale plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// People who will come
    #[arg(long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    people: u64,
    /// Seats on sale
    #[arg(long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    seats: u64,
    /// Time from the opening within which all seats are to be sold
    #[arg(long, value_name = "TIME", default_value = "1h")]
    within: Minutes,
    /// Time within which the people join
    #[arg(long, value_name = "TIME", default_value = "10m")]
    arrive: Minutes,
    /// Share of the people who join before the opening
    #[arg(long, value_name = "SHARE", default_value = "0.5")]
    early: Share,
    /// Seats of one purchase, on average
    #[arg(long, value_name = "N", default_value = "2")]
    basket: Positive,
    /// Share of the admitted who buy
    #[arg(long, value_name = "SHARE", default_value = "0.8")]
    pays: Share,
    /// Time from admission to payment, on average
    #[arg(long, value_name = "TIME", default_value = "3m")]
    buy: Minutes,
    /// Duration of a slot
    #[arg(long, value_name = "TIME", default_value = "10m")]
    slot: Minutes,
    /// Refused holds for each purchase
    #[arg(long, value_name = "N", default_value = "4")]
    refusals: Positive,
    /// Cores of the machine of a process
    #[arg(long, value_name = "N", default_value = "4")]
    cores: Positive,
    /// Share of each core that may be used at the peak
    #[arg(long, value_name = "SHARE", default_value = "0.6")]
    utilization: Share,
    /// Print the plan as JSON
    #[arg(long)]
    json: bool,
}

/// A number above zero.
#[derive(Debug, Clone, Copy)]
struct Positive(f64);

impl std::str::FromStr for Positive {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.parse::<f64>().ok().filter(|it| it.is_finite() && *it > 0.0);
        number.map(Self).ok_or("this is no number above zero")
    }
}

/// Returns the plan as text.
pub fn run(args: &PlanArgs) -> Result<String, CostsError> {
    let input = PlanInput {
        arrive_minutes: args.arrive.0,
        early_share: args.early.0,
        seats_per_buyer: args.basket.0,
        share_that_pays: args.pays.0.max(0.01),
        buy_minutes: args.buy.0,
        slot_minutes: args.slot.0,
        refusals_per_purchase: args.refusals.0,
        cores_per_process: args.cores.0,
        utilization: args.utilization.0.max(0.01),
        ..PlanInput::new(args.people, args.seats, args.within.0)
    };
    let plan = Plan::new(input, &Costs::measured()?);
    Ok(if args.json { format!("{:#}\n", serde_json::json!(plan)) } else { plan.to_string() })
}
