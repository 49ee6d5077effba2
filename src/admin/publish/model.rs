//! What keeps a draft from being published, and what its administrator should know before.

use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::concert::model::{ConcertStatus, EntryOrder, Schedule};

/// How to publish a schedule.
#[derive(Debug, Clone, Copy, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PublishSchedule {
    /// True to publish the schedule's concert as well, if it is a draft.
    #[garde(skip)]
    pub concert: bool,
    /// True to change nothing, and to answer what keeps the schedule from being published.
    #[garde(skip)]
    pub dry_run: bool,
}

/// A reason why the sale of a schedule would be impossible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// The concert is a draft, and is not to be published as well.
    ConcertIsDraft,
    /// The concert is withdrawn: joins and holds are refused.
    ConcertUnavailable,
    /// There are no seats.
    NoSeats,
    /// All seats are blocked.
    AllSeatsBlocked,
    /// `deadline_at` is in the past.
    SaleIsOver,
    /// `capacity` is 0: nobody would be admitted.
    NoCapacity,
}

/// Something that is allowed, and may be a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Warning {
    /// `reservation_available_at` is in the past: the sale is open at once.
    OpensAtOnce,
    /// `queue_opens_at` is in the past, and the sale is not open yet: the queue is open at once.
    QueueOpensAtOnce,
    /// Admission is paused.
    Paused,
    /// The entry order is a draw, and the sale is open at once: the draw has no entrants.
    DrawWithoutEntrants,
}

/// Whether something is still a draft, and what concerns its publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Publication {
    /// It is not published.
    pub draft: bool,
    /// What keeps it from being published, or would.
    pub obstacles: Vec<Obstacle>,
    /// What is allowed, and may be a mistake.
    pub warnings: Vec<Warning>,
}

/// The seats of a schedule, as far as publishing depends on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeatsFound {
    /// There are seats.
    pub any: bool,
    /// There are seats that are not blocked.
    pub unblocked: bool,
}

/// Lists every obstacle to the publication of `schedule` at `now`. `with_concert` says that its
/// concert is published as well.
#[must_use]
pub fn obstacles(
    schedule: &Schedule,
    seats: SeatsFound,
    with_concert: bool,
    now: DateTime<Utc>,
) -> Vec<Obstacle> {
    let found = [
        (Obstacle::ConcertIsDraft, schedule.hidden.concert_draft && !with_concert),
        (Obstacle::ConcertUnavailable, schedule.concert_status != ConcertStatus::Available),
        (Obstacle::NoSeats, !seats.any),
        (Obstacle::AllSeatsBlocked, seats.any && !seats.unblocked),
        (Obstacle::SaleIsOver, now >= schedule.deadline_at),
        (Obstacle::NoCapacity, schedule.settings.capacity == 0),
    ];
    found.into_iter().filter_map(|(obstacle, there)| there.then_some(obstacle)).collect()
}

/// Lists every warning about the publication of `schedule` at `now`.
#[must_use]
pub fn warnings(schedule: &Schedule, now: DateTime<Utc>) -> Vec<Warning> {
    let settings = &schedule.settings;
    let opens = now >= schedule.reservation_available_at && now < schedule.deadline_at;
    let queue_opens = now >= settings.queue_opens_at && now < schedule.reservation_available_at;
    let found = [
        (Warning::OpensAtOnce, opens),
        (Warning::QueueOpensAtOnce, queue_opens),
        (Warning::Paused, settings.paused),
        (Warning::DrawWithoutEntrants, opens && settings.entry_order == EntryOrder::Draw),
    ];
    found.into_iter().filter_map(|(warning, there)| there.then_some(warning)).collect()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::concert::audience::Hidden;
    use crate::concert::model::{AdmissionMode, QueueSettings};
    use crate::store::id::{ConcertId, ScheduleId};

    const SEATS: SeatsFound = SeatsFound { any: true, unblocked: true };

    /// A draft in a draft concert whose sale opens an hour after `now`.
    fn draft(now: DateTime<Utc>) -> Schedule {
        let opens = now + TimeDelta::hours(1);
        Schedule {
            id: ScheduleId(1),
            concert_id: ConcertId(1),
            concert_status: ConcertStatus::Available,
            reservation_available_at: opens,
            deadline_at: opens + TimeDelta::hours(1),
            concert_at: opens + TimeDelta::hours(2),
            settings: QueueSettings {
                capacity: 500,
                admit_per_second: 50,
                admission_mode: AdmissionMode::Fixed,
                auto_min_per_second: 5,
                auto_max_per_second: 200,
                auto_p99_ms: 500,
                auto_error_percent: 2,
                auto_slots_percent: 100,
                active_ttl_seconds: 600,
                claim_window_seconds: 60,
                presence_window_seconds: 90,
                return_grace_seconds: 600,
                hold_ttl_seconds: 300,
                max_seats_per_user: 4,
                entry_order: EntryOrder::Fifo,
                queue_opens_at: opens - TimeDelta::minutes(30),
                paused: false,
                message: None,
            },
            auto_rate: None,
            settings_version: 1,
            queue_epoch: 0,
            layout_version: 1,
            seats_version: 1,
            over: false,
            hidden: Hidden { draft: true, concert_draft: true, removing: false },
            seats_total: 1,
        }
    }

    #[test]
    fn a_complete_draft_has_no_obstacle_and_no_warning() {
        let now = Utc::now();
        assert_eq!(obstacles(&draft(now), SEATS, true, now), []);
        assert_eq!(warnings(&draft(now), now), []);
    }

    #[test]
    fn all_obstacles_are_listed_at_once() {
        let now = Utc::now();
        let mut schedule = draft(now);
        schedule.concert_status = ConcertStatus::Unavailable;
        schedule.settings.capacity = 0;
        let none = SeatsFound { any: false, unblocked: false };
        let later = schedule.deadline_at;
        assert_eq!(
            obstacles(&schedule, none, false, later),
            [
                Obstacle::ConcertIsDraft,
                Obstacle::ConcertUnavailable,
                Obstacle::NoSeats,
                Obstacle::SaleIsOver,
                Obstacle::NoCapacity
            ]
        );
        let blocked = SeatsFound { any: true, unblocked: false };
        assert_eq!(obstacles(&draft(now), blocked, true, now), [Obstacle::AllSeatsBlocked]);
    }

    #[test]
    fn what_begins_at_once_is_warned_of() {
        let now = Utc::now();
        let mut schedule = draft(now);
        schedule.settings.paused = true;
        schedule.settings.entry_order = EntryOrder::Draw;
        let queue = schedule.settings.queue_opens_at;
        assert_eq!(warnings(&schedule, queue), [Warning::QueueOpensAtOnce, Warning::Paused]);
        assert_eq!(
            warnings(&schedule, schedule.reservation_available_at),
            [Warning::OpensAtOnce, Warning::Paused, Warning::DrawWithoutEntrants]
        );
    }
}
