//! The numeric settings of a sale: name, unit, default, bounds, Redis field. This table decides:
//! the API's validation and defaults use its constants. `tests/onsale/admin/sale_settings.rs`
//! compares the copies in SQL, the API description, the console and docs/API.md with it.
//!
//! The column of `concert_schedule` has the setting's name. Every numeric setting may change at any
//! time.

/// A numeric setting of a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumericSetting {
    /// Field in the API, column in SQL.
    pub name: &'static str,
    /// Unit, as the console's texts name it.
    pub unit: &'static str,
    /// Value in new schedules.
    pub default: u32,
    /// Smallest value.
    pub min: u32,
    /// Largest value.
    pub max: u32,
    /// Field of the Redis hash `meta`, if scripts need the setting. Seconds are milliseconds there.
    pub redis: Option<&'static str>,
}

/// Limit of active slots at a time.
pub const CAPACITY: NumericSetting = NumericSetting {
    name: "capacity",
    unit: "people",
    default: 500,
    min: 0,
    max: 1_000_000,
    redis: Some("capacity"),
};
/// Limit of admissions per second.
pub const ADMIT_PER_SECOND: NumericSetting = NumericSetting {
    name: "admit_per_second",
    unit: "persecond",
    default: 50,
    min: 1,
    max: 10_000,
    redis: Some("rate"),
};
/// Duration of an active slot.
pub const ACTIVE_TTL: NumericSetting = NumericSetting {
    name: "active_ttl_seconds",
    unit: "seconds",
    default: 600,
    min: 1,
    max: 86_400,
    redis: Some("active_ms"),
};
/// Time to pay for held seats.
pub const HOLD_TTL: NumericSetting = NumericSetting {
    name: "hold_ttl_seconds",
    unit: "seconds",
    default: 300,
    min: 1,
    max: 3_600,
    redis: None,
};
/// Limit of seats that one user may hold or own.
pub const MAX_SEATS_PER_USER: NumericSetting = NumericSetting {
    name: "max_seats_per_user",
    unit: "seats",
    default: 4,
    min: 1,
    max: 100,
    redis: None,
};
/// Time after admission until an owner who does not show up loses the slot.
pub const CLAIM_WINDOW: NumericSetting = NumericSetting {
    name: "claim_window_seconds",
    unit: "seconds",
    default: 60,
    min: 1,
    max: 3_600,
    redis: Some("claim_ms"),
};
/// Time without a request after which a waiting user counts as absent. At least 10 s: clients near
/// the front poll every few seconds.
pub const PRESENCE_WINDOW: NumericSetting = NumericSetting {
    name: "presence_window_seconds",
    unit: "seconds",
    default: 90,
    min: 10,
    max: 600,
    redis: Some("presence_ms"),
};
/// Time for which the entry of a user who was passed over is kept.
pub const RETURN_GRACE: NumericSetting = NumericSetting {
    name: "return_grace_seconds",
    unit: "seconds",
    default: 600,
    min: 0,
    max: 86_400,
    redis: Some("grace_ms"),
};

/// Lowest automatic admission rate.
pub const AUTO_MIN_PER_SECOND: NumericSetting = NumericSetting {
    name: "auto_min_per_second",
    unit: "persecond",
    default: 5,
    min: 1,
    max: 10_000,
    redis: None,
};
/// Highest automatic admission rate.
pub const AUTO_MAX_PER_SECOND: NumericSetting = NumericSetting {
    name: "auto_max_per_second",
    unit: "persecond",
    default: 200,
    min: 1,
    max: 10_000,
    redis: None,
};
/// Target of the automatic rate: 99th percentile of holds and payments.
pub const AUTO_P99: NumericSetting = NumericSetting {
    name: "auto_p99_ms",
    unit: "ms",
    default: 500,
    min: 10,
    max: 10_000,
    redis: None,
};
/// Target of the automatic rate: share of holds and payments that fail.
pub const AUTO_ERROR_PERCENT: NumericSetting = NumericSetting {
    name: "auto_error_percent",
    unit: "percent",
    default: 2,
    min: 1,
    max: 100,
    redis: None,
};
/// Target of the automatic rate: share of active slots in use. 100: no target.
pub const AUTO_SLOTS_PERCENT: NumericSetting = NumericSetting {
    name: "auto_slots_percent",
    unit: "percent",
    default: 100,
    min: 1,
    max: 100,
    redis: None,
};

/// All of them, in the order in which they affect a buyer.
pub const NUMERIC_SETTINGS: [NumericSetting; 13] = [
    CAPACITY,
    ADMIT_PER_SECOND,
    ACTIVE_TTL,
    HOLD_TTL,
    MAX_SEATS_PER_USER,
    CLAIM_WINDOW,
    PRESENCE_WINDOW,
    RETURN_GRACE,
    AUTO_MIN_PER_SECOND,
    AUTO_MAX_PER_SECOND,
    AUTO_P99,
    AUTO_ERROR_PERCENT,
    AUTO_SLOTS_PERCENT,
];

#[cfg(test)]
mod tests {
    use onsale_model::plan::{MAX_ADMIT_PER_SECOND, MAX_CAPACITY, PlanInput};
    use onsale_model::simulation::SimulationInput;

    use super::*;

    #[test]
    fn forecasts_begin_with_the_defaults_and_know_the_bounds() {
        assert_eq!(u64::from(CAPACITY.max), MAX_CAPACITY);
        assert_eq!(u64::from(ADMIT_PER_SECOND.max), MAX_ADMIT_PER_SECOND);
        let rules = SimulationInput::new(1, 1).rules;
        assert_eq!(rules.capacity, u64::from(CAPACITY.default));
        assert_eq!(rules.admit_per_second, u64::from(ADMIT_PER_SECOND.default));
        for (setting, seconds) in [
            (ACTIVE_TTL, rules.slot_seconds),
            (HOLD_TTL, rules.hold_seconds),
            (CLAIM_WINDOW, rules.claim_seconds),
            (PRESENCE_WINDOW, rules.presence_seconds),
            (RETURN_GRACE, rules.grace_seconds),
        ] {
            let difference = (f64::from(setting.default) - seconds).abs();
            assert!(difference < 1e-9, "{}", setting.name);
        }
        let plan = PlanInput::new(1, 1, 1.0);
        assert_eq!(plan.presence_seconds, u64::from(PRESENCE_WINDOW.default));
        assert_eq!(plan.claim_seconds, u64::from(CLAIM_WINDOW.default));
    }
}
