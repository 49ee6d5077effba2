//! The copy of a schedule's settings in Redis.

use crate::concert::audience::Audience;
use crate::concert::model::{AdmissionMode, ConcertStatus, EntryOrder, Schedule};
use crate::concert::sale_settings::{
    ACTIVE_TTL, ADMIT_PER_SECOND, CAPACITY, CLAIM_WINDOW, PRESENCE_WINDOW, RETURN_GRACE,
};

/// Returns the arguments of `queue/configure`: the version, then fields and values.
pub(super) fn settings(schedule: &Schedule) -> Vec<String> {
    let settings = &schedule.settings;
    let seconds = |seconds: u32| (u64::from(seconds) * 1000).to_string();
    let flag = |flag: bool| u8::from(flag).to_string();
    let available = schedule.concert_status == ConcertStatus::Available
        && schedule.hidden.is_visible_to(Audience::Public);
    let fields = [
        ("available", flag(available)),
        ("opens_ms", schedule.reservation_available_at.timestamp_millis().to_string()),
        ("deadline_ms", schedule.deadline_at.timestamp_millis().to_string()),
        ("queue_opens_ms", settings.queue_opens_at.timestamp_millis().to_string()),
        ("seats_total", schedule.seats_total.to_string()),
        ("paused", flag(settings.paused)),
        ("draw", flag(settings.entry_order == EntryOrder::Draw)),
        ("auto", flag(settings.admission_mode == AdmissionMode::Auto)),
        ("message", settings.message.clone().unwrap_or_default()),
    ];
    let numbers = [
        (CAPACITY, settings.capacity.to_string()),
        (ADMIT_PER_SECOND, schedule.admission_rate().to_string()),
        (ACTIVE_TTL, seconds(settings.active_ttl_seconds)),
        (CLAIM_WINDOW, seconds(settings.claim_window_seconds)),
        (PRESENCE_WINDOW, seconds(settings.presence_window_seconds)),
        (RETURN_GRACE, seconds(settings.return_grace_seconds)),
    ];
    let numbers = numbers.into_iter().filter_map(|(setting, value)| Some((setting.redis?, value)));
    let mut args = vec![schedule.settings_version.to_string()];
    args.extend(
        fields.into_iter().chain(numbers).flat_map(|(name, value)| [name.to_owned(), value]),
    );
    args
}
