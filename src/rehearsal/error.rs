//! Why there is no rehearsal.

use crate::admin::error::AdminError;
use crate::admin::forecast::error::ForecastError;
use crate::concert::service::CatalogueError;
use crate::store::StoreError;
use crate::store::id::ScheduleId;

/// Why a rehearsal was refused, or did not take place.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// There is no such rehearsal.
    #[error("there is no such rehearsal")]
    NotFound,
    /// Another rehearsal runs, or is being removed.
    #[error("another rehearsal is not over")]
    Running,
    /// Other sales are open, and the caller has not confirmed that they may become slower.
    #[error("other sales are open")]
    SaleIsOpen(Vec<ScheduleId>),
    /// The synthetic buyers cannot be made, or cannot reach the service.
    #[error("the generator: {0}")]
    Generator(String),
    /// Another process has ended this rehearsal, or an operator stopped it.
    #[error("the rehearsal was ended")]
    Ended,
    /// The forecast could not be made.
    #[error(transparent)]
    Forecast(#[from] ForecastError),
    /// The schedule, or the request.
    #[error(transparent)]
    Admin(#[from] AdminError),
}

impl From<StoreError> for RehearsalError {
    fn from(error: StoreError) -> Self {
        Self::Admin(error.into())
    }
}

impl From<CatalogueError> for RehearsalError {
    fn from(error: CatalogueError) -> Self {
        Self::Admin(error.into())
    }
}
