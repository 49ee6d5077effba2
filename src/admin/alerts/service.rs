//! Lists the alerts of a sale.

use super::model::{Alert, AlertQuery};
use super::pg;
use crate::admin::error::AdminError;
use crate::concert::service::Catalogue;
use crate::pagination::{Page, Paging};
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;

/// Lists alerts; cheap to clone.
#[derive(Debug, Clone)]
pub struct Alerts {
    pg: Pg,
    catalogue: Catalogue,
}

impl Alerts {
    /// Creates the service.
    #[must_use]
    pub fn new(pg: Pg, catalogue: Catalogue) -> Self {
        Self { pg, catalogue }
    }

    /// Lists the alerts of a sale and of the stores, newest first.
    pub async fn list(
        &self,
        id: ScheduleId,
        query: AlertQuery,
        paging: Paging,
    ) -> Result<Page<Alert>, AdminError> {
        self.catalogue.schedule(id).await?;
        let alerts = pg::list(&self.pg, id, query.open, paging).await?;
        Ok(paging.page(alerts, |alert| alert.id))
    }
}
