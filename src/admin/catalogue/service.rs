//! Reads the catalogue with drafts.

use std::sync::Arc;

use super::model::AdminSchedule;
use crate::admin::error::AdminError;
use crate::admin::state::{AdminConcert, ScheduleState};
use crate::board::snapshot::Board;
use crate::concert::layout::Layout;
use crate::concert::service::Catalogue;
use crate::pagination::{Page, Paging};
use crate::store::id::{ConcertId, ScheduleId};

/// The catalogue for administrators; cheap to clone.
#[derive(Debug, Clone)]
pub struct AdminCatalogue {
    catalogue: Catalogue,
}

impl AdminCatalogue {
    /// Reads from `catalogue`, which is one with drafts.
    #[must_use]
    pub fn new(catalogue: Catalogue) -> Self {
        Self { catalogue }
    }

    /// Lists all concerts in order of their ids.
    pub async fn concerts(&self, paging: Paging) -> Result<Page<AdminConcert>, AdminError> {
        Ok(self.catalogue.concerts(None, paging).await?.map(AdminConcert::from))
    }

    /// Reads a concert.
    pub async fn concert(&self, id: ConcertId) -> Result<AdminConcert, AdminError> {
        Ok(self.catalogue.concert(id).await?.into())
    }

    /// Lists the schedules of a concert in order of their ids.
    pub async fn schedules(
        &self,
        concert: ConcertId,
        paging: Paging,
    ) -> Result<Page<AdminSchedule>, AdminError> {
        let page = self.catalogue.schedule_rows(concert, paging).await?;
        let mut items = Vec::with_capacity(page.items.len());
        for schedule in &page.items {
            items.push(AdminSchedule::new(schedule, self.catalogue.view_of(schedule).await?));
        }
        Ok(Page { items, next_cursor: page.next_cursor })
    }

    /// Reads a schedule, and the state that its tag covers.
    pub async fn schedule(
        &self,
        id: ScheduleId,
    ) -> Result<(AdminSchedule, ScheduleState), AdminError> {
        let schedule = self.catalogue.schedule(id).await?;
        let view = self.catalogue.view_of(&schedule).await?;
        Ok((AdminSchedule::new(&schedule, view), ScheduleState::from(&*schedule)))
    }

    /// Reads all seats of a schedule.
    pub async fn layout(&self, id: ScheduleId) -> Result<Arc<Layout>, AdminError> {
        Ok(self.catalogue.layout(id).await?)
    }

    /// Reads all seats of a schedule, and the board with their states.
    pub async fn seats(&self, id: ScheduleId) -> Result<(Arc<Layout>, Arc<Board>), AdminError> {
        Ok(self.catalogue.seats(id).await?)
    }
}
