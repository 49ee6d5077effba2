//! The synthetic buyers of a rehearsal: real requests over HTTP, at a bounded rate, by the same model
//! of people as the forecast.

mod buyer;
mod client;
pub(super) mod latencies;
pub(super) mod observations;
pub(super) mod steps;

use std::sync::Arc;
use std::time::Duration;

use onsale_model::simulation::Person;
use reqwest::Url;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::buyer::{Buyer, BuyerSale};
use self::client::Caller;
use self::observations::Observations;
use super::error::RehearsalError;
use crate::store::id::ScheduleId;

/// What the generator needs.
#[derive(Debug)]
pub(super) struct GeneratorParts {
    /// URL at which the buyers call the service.
    pub(super) base: Url,
    /// The shadow.
    pub(super) schedule: ScheduleId,
    /// Whether the order of admission is drawn: then sequences change at the opening.
    pub(super) is_drawn: bool,
    /// The pass of each buyer.
    pub(super) passes: Vec<String>,
    /// What each buyer does.
    pub(super) people: Vec<Person>,
    /// When the sale of the shadow opens.
    pub(super) opens_at: Instant,
    /// Requests per second, at most.
    pub(super) requests_per_second: u32,
    /// Duration of a hold.
    pub(super) hold: Duration,
    /// Ends all buyers.
    pub(super) stop: CancellationToken,
}

/// The running buyers, and what they saw.
#[derive(Debug)]
pub(super) struct Generator {
    buyers: JoinSet<()>,
    pub(super) seen: Arc<Observations>,
}

impl Generator {
    /// Starts one task for each buyer.
    ///
    /// # Errors
    /// [`RehearsalError::Generator`] if the client cannot be made.
    pub(super) fn start(parts: GeneratorParts) -> Result<Self, RehearsalError> {
        let seen = Arc::new(Observations::default());
        let failed = |error: reqwest::Error| RehearsalError::Generator(error.to_string());
        let rate = parts.requests_per_second;
        let caller = Caller::new(&parts.base, rate, Arc::clone(&seen)).map_err(failed)?;
        let mut buyers = JoinSet::new();
        let GeneratorParts { schedule, is_drawn, opens_at, hold, .. } = parts;
        let sale = BuyerSale { schedule, is_drawn, opens_at, hold };
        for (number, (pass, person)) in (1..).zip(parts.passes.into_iter().zip(parts.people)) {
            let buyer = Buyer::new(caller.clone(), number, pass, person, sale);
            let stop = parts.stop.clone();
            buyers.spawn(async move {
                // A buyer who is stopped leaves everything as it is: the shadow is removed.
                let _ = stop.run_until_cancelled(buyer.act()).await;
            });
        }
        Ok(Self { buyers, seen })
    }

    /// Waits until all buyers are done.
    pub(super) async fn finish(&mut self) {
        while let Some(ended) = self.buyers.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a synthetic buyer has failed");
                self.seen.note_error("a synthetic buyer has failed");
            }
        }
    }
}
