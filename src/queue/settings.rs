//! What Redis is told of a schedule's settings.

use crate::concert::model::{ConcertStatus, EntryOrder, Schedule};

/// The copy of a schedule's settings that Redis has: the version, then fields and values.
pub(super) fn settings(schedule: &Schedule) -> Vec<String> {
    let settings = &schedule.settings;
    let seconds = |seconds: u32| (u64::from(seconds) * 1000).to_string();
    let flag = |flag: bool| u8::from(flag).to_string();
    let fields = [
        ("available", flag(schedule.concert_status == ConcertStatus::Available)),
        ("opens_ms", schedule.reservation_available_at.timestamp_millis().to_string()),
        ("deadline_ms", schedule.deadline_at.timestamp_millis().to_string()),
        ("queue_opens_ms", settings.queue_opens_at.timestamp_millis().to_string()),
        ("seats_total", schedule.seats_total.to_string()),
        ("capacity", settings.capacity.to_string()),
        ("rate", settings.admit_per_second.to_string()),
        ("active_ms", seconds(settings.active_ttl_seconds)),
        ("claim_ms", seconds(settings.claim_window_seconds)),
        ("presence_ms", seconds(settings.presence_window_seconds)),
        ("grace_ms", seconds(settings.return_grace_seconds)),
        ("paused", flag(settings.paused)),
        ("draw", flag(settings.entry_order == EntryOrder::Draw)),
        ("message", settings.message.clone().unwrap_or_default()),
    ];
    let mut args = vec![schedule.settings_version.to_string()];
    args.extend(fields.into_iter().flat_map(|(name, value)| [name.to_owned(), value]));
    args
}
