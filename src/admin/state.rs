//! What administrators see and edit: concerts and schedules with their drafts.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::concert::model::{Concert, ConcertStatus, QueueSettings, Schedule};
use crate::store::id::{ConcertId, ScheduleId};

/// A concert as an administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AdminConcert {
    /// Id of the concert.
    pub id: ConcertId,
    /// Title, 1 to 200 characters.
    pub title: String,
    /// Description, up to 10,000 characters.
    pub description: String,
    /// Whether the concert is on sale at all.
    pub status: ConcertStatus,
    /// It is not published: only administrators see it and its schedules.
    pub draft: bool,
    /// Its removal has begun. It can no longer be changed.
    pub removing: bool,
}

/// A schedule as an administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ScheduleSettings {
    /// Id of the schedule.
    pub id: ScheduleId,
    /// Id of its concert.
    pub concert_id: ConcertId,
    /// When the sale opens.
    pub reservation_available_at: DateTime<Utc>,
    /// When the sale closes.
    pub deadline_at: DateTime<Utc>,
    /// When the doors open.
    pub concert_at: DateTime<Utc>,
    /// Queue settings.
    pub queue: QueueSettings,
    /// It is not published: only administrators see it.
    pub draft: bool,
    /// Its removal has begun. It can no longer be changed.
    pub removing: bool,
}

/// What the entity tag of a schedule covers: its times, and whether it is a draft. The queue settings
/// and the seats have tags of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ScheduleState {
    /// Id of the schedule.
    pub id: ScheduleId,
    /// When the sale opens.
    pub reservation_available_at: DateTime<Utc>,
    /// When the sale closes.
    pub deadline_at: DateTime<Utc>,
    /// When the doors open.
    pub concert_at: DateTime<Utc>,
    /// It is not published.
    pub draft: bool,
    /// Its removal has begun.
    pub removing: bool,
}

impl From<Concert> for AdminConcert {
    fn from(concert: Concert) -> Self {
        let Concert { id, title, description, status, draft, removing } = concert;
        Self { id, title, description, status, draft, removing }
    }
}

impl From<&Schedule> for ScheduleState {
    fn from(schedule: &Schedule) -> Self {
        Self {
            id: schedule.id,
            reservation_available_at: schedule.reservation_available_at,
            deadline_at: schedule.deadline_at,
            concert_at: schedule.concert_at,
            draft: schedule.hidden.draft,
            removing: schedule.hidden.removing,
        }
    }
}

impl From<&ScheduleSettings> for ScheduleState {
    fn from(settings: &ScheduleSettings) -> Self {
        Self {
            id: settings.id,
            reservation_available_at: settings.reservation_available_at,
            deadline_at: settings.deadline_at,
            concert_at: settings.concert_at,
            draft: settings.draft,
            removing: settings.removing,
        }
    }
}

impl From<Schedule> for ScheduleSettings {
    fn from(schedule: Schedule) -> Self {
        Self {
            draft: schedule.hidden.draft,
            removing: schedule.hidden.removing,
            id: schedule.id,
            concert_id: schedule.concert_id,
            reservation_available_at: schedule.reservation_available_at,
            deadline_at: schedule.deadline_at,
            concert_at: schedule.concert_at,
            queue: schedule.settings,
        }
    }
}
