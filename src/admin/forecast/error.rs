//! Why there is no forecast.

use onsale_model::costs::CostsError;

use crate::admin::error::AdminError;

/// Why there is no forecast.
#[derive(Debug, thiserror::Error)]
pub enum ForecastError {
    /// This process simulates already.
    #[error("another simulation is running")]
    Busy,
    /// The simulation did not end within its time.
    #[error("the simulation takes too long")]
    TooLong,
    /// No capacity and rate sell 99 of 100 seats in the wanted time.
    #[error("no settings sell the seats in this time")]
    NoSettings,
    /// The simulation ended without a result: a defect.
    #[error("the simulation has failed: {0}")]
    Failed(String),
    /// The costs could not be read: a defect of the build.
    #[error(transparent)]
    Costs(#[from] CostsError),
    /// The schedule could not be read, or the request contradicts itself.
    #[error(transparent)]
    Admin(#[from] AdminError),
}
