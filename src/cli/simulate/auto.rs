//! Feedback admission in a simulation: its rules, and the store that is assumed.

use clap::Args;
use onsale::concert::sale_settings::{
    AUTO_ERROR_PERCENT, AUTO_MAX_PER_SECOND, AUTO_MIN_PER_SECOND, AUTO_P99, AUTO_SLOTS_PERCENT,
};
use onsale_model::auto_rate::AutoRules;
use onsale_model::auto_rate::store_load::{SlowTime, StoreRules};
use onsale_model::simulation::AutoSale;

use super::super::units::Minutes;

/// Time of a hold or a payment without a wait (ms).
const CALL_MS: f64 = 20.0;

/// The command line of feedback admission.
#[derive(Debug, Args)]
pub(super) struct AutoArgs {
    /// Let the rate follow its targets, from `--rate` on (`admission_mode: AUTO`)
    #[arg(long)]
    auto: bool,
    /// Lowest automatic rate
    #[arg(long, value_name = "N", requires = "auto", default_value_t = AUTO_MIN_PER_SECOND.default)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    auto_min: u32,
    /// Highest automatic rate
    #[arg(long, value_name = "N", requires = "auto", default_value_t = AUTO_MAX_PER_SECOND.default)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    auto_max: u32,
    /// Target for the 99th percentile of holds and payments, in ms
    #[arg(long, value_name = "MS", requires = "auto", default_value_t = AUTO_P99.default)]
    #[arg(value_parser = clap::value_parser!(u32).range(10..=10_000))]
    auto_p99: u32,
    /// Holds and payments per second that the stores answer without a wait
    #[arg(long, value_name = "N", requires = "auto", default_value = "100")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    store: u32,
    /// Let the stores take this many times as long for a while
    #[arg(long, value_name = "TIMES", requires = "auto")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    slow: Option<u32>,
    /// When the stores become slow, from the opening on
    #[arg(long, value_name = "TIME", requires = "slow", default_value = "10m")]
    slow_from: Minutes,
    /// For how long they are slow
    #[arg(long, value_name = "TIME", requires = "slow", default_value = "10m")]
    slow_for: Minutes,
}

impl AutoArgs {
    /// Feedback admission that starts with a rate. `None` if it was not asked for.
    pub(super) fn sale(&self, rate: u64) -> Option<AutoSale> {
        #[expect(clippy::cast_possible_truncation, reason = "at most two weeks")]
        let ms = |minutes: f64| (minutes * 60_000.0) as i64;
        let slow = self.slow.map(|times| SlowTime {
            from_ms: ms(self.slow_from.0),
            to_ms: ms(self.slow_from.0 + self.slow_for.0),
            times: times.into(),
        });
        let rules = AutoRules {
            start: u32::try_from(rate).unwrap_or(u32::MAX),
            min: self.auto_min,
            max: self.auto_max.max(self.auto_min),
            p99_ms: self.auto_p99.into(),
            error_percent: AUTO_ERROR_PERCENT.default.into(),
            slots_percent: AUTO_SLOTS_PERCENT.default.into(),
        };
        let store = StoreRules { calls_per_second: self.store.into(), call_ms: CALL_MS, slow };
        self.auto.then_some(AutoSale { rules, store })
    }
}
