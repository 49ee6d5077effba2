//! Reads exports page by page.

use super::model::{Export, ExportFile, ExportPage, Format};
use super::pg;
use super::record::{Admission, Buyer, PaymentRow, PointRow, Record, ReservationRow, head, render};
use crate::admin::error::AdminError;
use crate::concert::service::Catalogue;
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;

/// Rows of a page. It takes some milliseconds, and a few hundred kilobytes.
const PAGE: i64 = 1000;

/// Reads exports; cheap to clone.
#[derive(Debug, Clone)]
pub struct Exports {
    pg: Pg,
    catalogue: Catalogue,
}

impl Exports {
    /// Creates the service.
    #[must_use]
    pub fn new(pg: Pg, catalogue: Catalogue) -> Self {
        Self { pg, catalogue }
    }

    /// Checks that there is such a schedule.
    pub async fn find(&self, schedule: ScheduleId) -> Result<(), AdminError> {
        self.catalogue.schedule(schedule).await?;
        Ok(())
    }

    /// The first line of a file; empty for formats without one.
    #[must_use]
    pub fn head(file: ExportFile) -> String {
        match file.export {
            Export::Buyers => head::<Buyer>(file.format),
            Export::Reservations => head::<ReservationRow>(file.format),
            Export::Payments => head::<PaymentRow>(file.format),
            Export::Points => head::<PointRow>(file.format),
            Export::Admissions => head::<Admission>(file.format),
        }
    }

    /// The next page of a file after a cursor. Each page is a statement of its own, so it shows the
    /// rows as they are then.
    pub async fn page(
        &self,
        file: ExportFile,
        schedule: ScheduleId,
        after: i64,
    ) -> Result<ExportPage, StoreError> {
        let ExportFile { export, format } = file;
        let pg = &self.pg;
        Ok(match export {
            Export::Buyers => text(&pg::buyers(pg, schedule, after, PAGE).await?, format),
            Export::Reservations => {
                text(&pg::reservations(pg, schedule, after, PAGE).await?, format)
            }
            Export::Payments => text(&pg::payments(pg, schedule, after, PAGE).await?, format),
            Export::Points => text(&pg::points(pg, schedule, after, PAGE).await?, format),
            Export::Admissions => text(&pg::admissions(pg, schedule, after, PAGE).await?, format),
        })
    }
}

fn text<R: Record>(rows: &[R], format: Format) -> ExportPage {
    render(rows, format, PAGE)
}
