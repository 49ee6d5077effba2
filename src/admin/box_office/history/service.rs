//! Reads histories, page by page.

use super::model::HistoryEvent;
use super::pg::{self, Found};
use crate::admin::box_office::error::BoxOfficeError;
use crate::admin::box_office::find::pg as find;
use crate::pagination::{Page, TimePaging};
use crate::store::id::{SeatId, UserId};
use crate::store::pg::Pg;

/// Reads what happened to buyers and seats; cheap to clone.
#[derive(Debug, Clone)]
pub struct Histories {
    pg: Pg,
}

impl Histories {
    /// Creates the service.
    #[must_use]
    pub(in crate::admin::box_office) fn new(pg: Pg) -> Self {
        Self { pg }
    }

    /// A page of what happened to a buyer, oldest first.
    pub async fn of_buyer(
        &self,
        id: UserId,
        paging: TimePaging,
    ) -> Result<Page<HistoryEvent>, BoxOfficeError> {
        find::buyer::find(&self.pg, id).await?.ok_or(BoxOfficeError::NoUser)?;
        Ok(page(paging, pg::of_buyer(&self.pg, id, paging).await?))
    }

    /// A page of what happened to a seat, oldest first.
    pub async fn of_seat(
        &self,
        id: SeatId,
        paging: TimePaging,
    ) -> Result<Page<HistoryEvent>, BoxOfficeError> {
        find::seat(&self.pg, id).await?.ok_or(BoxOfficeError::NoSeat)?;
        Ok(page(paging, pg::of_seat(&self.pg, id, paging).await?))
    }
}

fn page(paging: TimePaging, found: Vec<Found>) -> Page<HistoryEvent> {
    paging.page(found, |(end, _)| *end).map(|(_, event)| event)
}
