//! The operations of administration with their refusal codes, except those that all operations have.

use super::description::{BODY, KEY};

/// The refusals of a change of something that administrators edit.
const EDIT: &str = "forbidden changed_meanwhile being_removed";

/// Method, path, and codes.
pub const CALLS: [(&str, &str, &[&str]); 56] = [
    ("post", "/v1/admin/concerts", &["unauthenticated forbidden", BODY]),
    ("get", "/v1/admin/concerts", &["forbidden"]),
    ("get", "/v1/admin/concerts/{id}", &["forbidden concert_not_found"]),
    ("patch", "/v1/admin/concerts/{id}", &["concert_not_found", EDIT, BODY]),
    (
        "delete",
        "/v1/admin/concerts/{id}",
        &["forbidden concert_not_found has_buyers changed_meanwhile"],
    ),
    ("post", "/v1/admin/concerts/{id}/publish", &["concert_not_found", EDIT]),
    ("get", "/v1/admin/concerts/{id}/schedules", &["forbidden concert_not_found"]),
    (
        "post",
        "/v1/admin/concerts/{id}/schedules",
        &["forbidden concert_not_found invalid_times being_removed", BODY],
    ),
    ("get", "/v1/admin/schedules/{id}", &["forbidden schedule_not_found"]),
    ("patch", "/v1/admin/schedules/{id}", &["schedule_not_found invalid_times", EDIT, BODY]),
    (
        "delete",
        "/v1/admin/schedules/{id}",
        &["forbidden schedule_not_found has_buyers changed_meanwhile"],
    ),
    (
        "post",
        "/v1/admin/schedules/{id}/publish",
        &["schedule_not_found not_publishable", EDIT, BODY],
    ),
    ("get", "/v1/admin/schedules/{id}/seats", &["forbidden schedule_not_found"]),
    ("post", "/v1/admin/schedules/{id}/seats", &["schedule_not_found", EDIT, BODY]),
    ("put", "/v1/admin/schedules/{id}/seats", &["schedule_not_found seats_reserved", EDIT, BODY]),
    ("delete", "/v1/admin/schedules/{id}/seats", &["schedule_not_found seats_reserved", EDIT]),
    ("patch", "/v1/admin/schedules/{id}/seats/prices", &["schedule_not_found", EDIT, BODY]),
    ("get", "/v1/admin/schedules/{id}/seats/layout", &["forbidden schedule_not_found"]),
    ("get", "/v1/admin/schedules/{id}/seats/status", &["forbidden schedule_not_found"]),
    (
        "patch",
        "/v1/admin/schedules/{id}/seats",
        &["schedule_not_found seat_not_found seat_in_use", EDIT, BODY],
    ),
    ("get", "/v1/admin/schedules/{id}/queue", &["forbidden schedule_not_found"]),
    ("patch", "/v1/admin/schedules/{id}/queue", &["schedule_not_found line_is_open", EDIT, BODY]),
    ("get", "/v1/admin/schedules/{id}/stats", &["forbidden schedule_not_found"]),
    ("get", "/v1/admin/schedules/{id}/stats/stream", &["forbidden schedule_not_found"]),
    ("get", "/v1/admin/schedules/{id}/history", &["forbidden schedule_not_found"]),
    ("get", "/v1/admin/schedules/{id}/alerts", &["forbidden schedule_not_found"]),
    ("get", "/v1/admin/schedules/{id}/seats/blocked", &["forbidden schedule_not_found"]),
    ("get", "/v1/admin/schedules/{id}/next", &["forbidden schedule_not_found being_removed"]),
    ("get", "/v1/admin/schedules/{id}/report", &["forbidden schedule_not_found report_pending"]),
    (
        "get",
        "/v1/admin/schedules/{id}/report.csv",
        &["forbidden schedule_not_found report_pending"],
    ),
    ("get", "/v1/admin/schedules/{id}/report/entries.csv", &["forbidden schedule_not_found"]),
    ("get", "/v1/admin/schedules/{id}/readiness", &["forbidden schedule_not_found"]),
    ("post", "/v1/admin/plan", &["forbidden schedule_not_found", BODY]),
    (
        "post",
        "/v1/admin/simulations",
        &[
            "forbidden schedule_not_found simulation_busy simulation_too_long no_settings_found",
            BODY,
        ],
    ),
    (
        "post",
        "/v1/admin/schedules/{id}/rehearsals",
        &["forbidden schedule_not_found rehearsal_running sale_is_open", BODY],
    ),
    ("get", "/v1/admin/schedules/{id}/rehearsals", &["forbidden schedule_not_found"]),
    ("get", "/v1/admin/rehearsals/{id}", &["forbidden rehearsal_not_found"]),
    ("delete", "/v1/admin/rehearsals/{id}", &["forbidden rehearsal_not_found"]),
    ("get", "/v1/admin/health", &["forbidden"]),
    ("get", "/v1/admin/schedules/{id}/exports/{file}", &["forbidden schedule_not_found"]),
    ("get", "/v1/admin/schedules/{id}/refund", &["forbidden schedule_not_found"]),
    (
        "post",
        "/v1/admin/schedules/{id}/refund",
        &["forbidden schedule_not_found job_exists", KEY, BODY],
    ),
    ("get", "/v1/admin/jobs", &["forbidden"]),
    ("get", "/v1/admin/jobs/{id}", &["forbidden job_not_found"]),
    ("post", "/v1/admin/jobs/{id}/cancel", &["forbidden job_not_found job_not_cancellable"]),
    ("get", "/v1/admin/users/{id}/data", &["forbidden user_not_found"]),
    (
        "post",
        "/v1/admin/users/{id}/erase",
        &["forbidden user_not_found user_has_entitlements own_user job_exists", KEY, BODY],
    ),
    ("post", "/v1/admin/webhooks", &["forbidden webhook_limit", BODY]),
    ("get", "/v1/admin/webhooks", &["forbidden"]),
    ("get", "/v1/admin/webhooks/{id}", &["forbidden webhook_not_found"]),
    ("patch", "/v1/admin/webhooks/{id}", &["forbidden webhook_not_found", BODY]),
    ("delete", "/v1/admin/webhooks/{id}", &["forbidden webhook_not_found"]),
    ("post", "/v1/admin/webhooks/{id}/secret", &["forbidden webhook_not_found", BODY]),
    ("post", "/v1/admin/webhooks/{id}/test", &["forbidden webhook_not_found webhook_disabled"]),
    ("get", "/v1/admin/webhooks/{id}/deliveries", &["forbidden webhook_not_found"]),
    (
        "post",
        "/v1/admin/webhooks/{id}/replay",
        &["forbidden webhook_not_found event_not_found webhook_disabled", BODY],
    ),
];
