//! The operations of the box office with their refusal codes, for the test of the description.

use crate::http::description::{BODY, KEY};

/// Every operation with its refusal codes, except those that all operations have.
pub const CALLS: [(&str, &str, &[&str]); 15] = [
    ("get", "/v1/admin/box-office/search", &["forbidden"]),
    ("get", "/v1/admin/box-office/buyers/{id}", &["forbidden user_not_found"]),
    ("get", "/v1/admin/box-office/buyers/{id}/reservations", &["forbidden user_not_found"]),
    ("get", "/v1/admin/box-office/buyers/{id}/entries", &["forbidden user_not_found"]),
    ("get", "/v1/admin/box-office/buyers/{id}/history", &["forbidden user_not_found"]),
    (
        "post",
        "/v1/admin/box-office/buyers/{id}/places/{schedule_id}",
        &["forbidden user_not_found schedule_not_found not_in_queue", BODY],
    ),
    (
        "post",
        "/v1/admin/box-office/buyers/{id}/recovery-code",
        &["forbidden user_not_found signs_in_elsewhere", BODY],
    ),
    ("get", "/v1/admin/box-office/seats/{id}", &["forbidden seat_not_found"]),
    ("get", "/v1/admin/box-office/seats/{id}/history", &["forbidden seat_not_found"]),
    (
        "post",
        "/v1/admin/box-office/payments/{id}/refund",
        &["forbidden payment_not_found already_refunded", KEY, BODY],
    ),
    (
        "post",
        "/v1/admin/box-office/holds/{hold_id}/refund",
        &["forbidden hold_not_found already_refunded hold_not_paid", KEY, BODY],
    ),
    (
        "post",
        "/v1/admin/box-office/reservations/{id}/move",
        &[
            "forbidden reservation_not_found seat_not_found reservation_not_complete seat_not_free same_seat other_price seat_returned",
            KEY,
            BODY,
        ],
    ),
    (
        "post",
        "/v1/admin/box-office/schedules/{id}/guests",
        &["forbidden schedule_not_found seat_not_found user_not_found seat_not_free", KEY, BODY],
    ),
    ("get", "/v1/admin/box-office/schedules/{id}/guests", &["forbidden schedule_not_found"]),
    (
        "post",
        "/v1/admin/box-office/guests/{id}/revoke",
        &["forbidden guest_not_found already_revoked", KEY, BODY],
    ),
];
