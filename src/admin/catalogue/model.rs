//! A schedule with everything that an administrator sees of it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::concert::audience::Hidden;
use crate::concert::model::Schedule;
use crate::concert::view::ScheduleView;

/// A schedule as an administrator sees it, at most 1 s old.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AdminSchedule {
    /// What everybody sees of a published schedule.
    #[serde(flatten)]
    pub view: ScheduleView,
    /// It is not published: only administrators see it.
    pub draft: bool,
    /// Its concert is not published, so neither is it.
    pub concert_draft: bool,
    /// Its removal has begun. It can no longer be changed.
    pub removing: bool,
}

impl AdminSchedule {
    /// Adds to the public view of `schedule` what only administrators see.
    #[must_use]
    pub fn new(schedule: &Schedule, view: ScheduleView) -> Self {
        let Hidden { draft, concert_draft, removing } = schedule.hidden;
        Self { view, draft, concert_draft, removing }
    }
}
