//! The SQL that puts a history in order. Each part finds its rows by an index of the buyer or of the
//! seat; they are then sorted, and one page of them is returned.
//!
//! An event is found again by its time and its key: the id of its row times 16, plus the part that it
//! comes from.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::model::{HistoryEvent, HistoryKind};
use crate::admin::box_office::model::{Person, SeatColumns};
use crate::pagination::{TimeCursor, TimePaging};
use crate::queue::model::Sequence;
use crate::store::StoreError;
use crate::store::id::{PaymentId, ReservationId, ScheduleId, SeatId, UserId};
use crate::store::pg::Pg;

/// One event with the names of its people and seats.
struct EventRow {
    at: DateTime<Utc>,
    key: i64,
    kind: String,
    user_id: Option<i64>,
    user_name: Option<String>,
    schedule_id: Option<i64>,
    seat_id: Option<i64>,
    seat_schedule: Option<i64>,
    seat_number: Option<i32>,
    seat_section: Option<String>,
    seat_row: Option<String>,
    to_id: Option<i64>,
    to_schedule: Option<i64>,
    to_number: Option<i32>,
    to_section: Option<String>,
    to_row: Option<String>,
    ticket_id: Option<Uuid>,
    sequence: Option<i64>,
    hold_id: Option<Uuid>,
    reservation_id: Option<i64>,
    payment_id: Option<i64>,
    amount: Option<i64>,
    balance_after: Option<i64>,
    admin: Option<i64>,
    admin_name: Option<String>,
    reason: Option<String>,
    detail: Option<serde_json::Value>,
}

/// An event, and where the next page begins after it.
pub type Found = (TimeCursor, HistoryEvent);

impl TryFrom<EventRow> for Found {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        let seat = SeatColumns {
            id: row.seat_id,
            schedule: row.seat_schedule,
            number: row.seat_number,
            section: row.seat_section,
            row: row.seat_row,
        };
        let to_seat = SeatColumns {
            id: row.to_id,
            schedule: row.to_schedule,
            number: row.to_number,
            section: row.to_section,
            row: row.to_row,
        };
        let event = HistoryEvent {
            at: row.at,
            kind: HistoryKind::parse(&row.kind)?,
            user: Person::of(row.user_id, row.user_name),
            schedule_id: row.schedule_id.map(ScheduleId),
            seat: seat.into(),
            to_seat: to_seat.into(),
            ticket_id: row.ticket_id,
            sequence: row.sequence.map(|number| Sequence(number.cast_unsigned())),
            hold_id: row.hold_id,
            reservation_id: row.reservation_id.map(ReservationId),
            payment_id: row.payment_id.map(PaymentId),
            amount: row.amount,
            balance_after: row.balance_after,
            admin: Person::of(row.admin, row.admin_name),
            reason: row.reason,
            detail: row.detail,
        };
        Ok((TimeCursor { time: row.at, id: row.key }, event))
    }
}

/// A history: the parts in common table expressions, whose union has the columns of an event.
macro_rules! history {
    ($parts:literal, $id:expr, $paging:expr) => {
        sqlx::query_as!(
            EventRow,
            $parts
                + r#", page as (
             select * from event
             where $2::timestamptz is null or (at, key) > ($2, $3) order by at, key limit $4)
           select e.at as "at!", e.key as "key!", e.kind as "kind!", e.user_id,
                  u.name as "user_name?", e.schedule_id, s.id as "seat_id?",
                  s.concert_schedule_id as "seat_schedule?", s.seat_number as "seat_number?",
                  s.section as "seat_section?", s."row" as "seat_row?", n.id as "to_id?",
                  n.concert_schedule_id as "to_schedule?", n.seat_number as "to_number?",
                  n.section as "to_section?", n."row" as "to_row?", e.ticket_id, e.sequence,
                  e.hold_id, e.reservation_id, e.payment_id, e.amount, e.balance_after, e.admin,
                  a.name as "admin_name?", e.reason, e.detail
           from page e left join "user" u on u.id = e.user_id left join "user" a on a.id = e.admin
           left join seat s on s.id = e.seat_id left join seat n on n.id = e.to_seat_id
           order by e.at, e.key"#,
            $id,
            $paging.after.map(|after| after.time),
            $paging.after.map_or(0, |after| after.id),
            $paging.fetch()
        )
    };
}

/// What happened to a buyer: queue entries, reservations, points, actions of the box office, and other
/// changes by staff.
pub async fn of_buyer(pg: &Pg, user: UserId, paging: TimePaging) -> Result<Vec<Found>, StoreError> {
    let rows = history!(
        r#"with event as (
             select v.at, q.id * 16 + v.rank as key, v.kind, q.user_id,
                    q.concert_schedule_id as schedule_id, null::bigint as seat_id,
                    null::bigint as to_seat_id, q.token as ticket_id, q.sequence,
                    null::uuid as hold_id, null::bigint as reservation_id,
                    null::bigint as payment_id, null::bigint as amount,
                    null::bigint as balance_after, null::bigint as admin, null::text as reason,
                    null::jsonb as detail
             from queue q cross join lateral (values
                  (1, 'JOINED', q.created_at), (2, 'ADMITTED', q.entered_at),
                  (3, 'ENTRY_' || q.status, q.expired_at)) v (rank, kind, at)
             where q.user_id = $1 and v.at is not null
             union all
             select at, id * 16 + rank, kind, user_id, concert_schedule_id, seat_id, null, null, null,
                    hold_id, id, payment_id, amount, null, null, null, null
             from reservation_event where user_id = $1
             union all
             select created_at, id * 16 + 8, case kind when 'CHARGE' then 'CHARGED'
                      when 'PAYMENT' then 'POINTS_TAKEN' else 'POINTS_RETURNED' end,
                    user_id, null, null, null, null, null, null, null, null, amount, balance_after,
                    null, null, null
             from point_history where user_id = $1
             union all
             select created_at, id * 16 + 9, case kind when 'REFUND' then 'BOX_OFFICE_REFUND'
                      when 'MOVE' then 'MOVED' when 'GIVE' then 'GIVEN' when 'REVOKE' then 'REVOKED'
                      when 'REISSUE_PLACE' then 'PLACE_REISSUED' else 'CODE_REISSUED' end,
                    user_id, concert_schedule_id, seat_id, to_seat_id, null, null, null,
                    reservation_id, null, null, null, admin, reason, null
             from box_office_action where user_id = $1
             union all
             select created_at, id * 16 + 10, 'AUDIT', $1, null, null, null, null, null, null, null,
                    null, null, null, admin, null,
                    jsonb_build_object('action', action, 'before', before, 'after', after)
             from audit where subject = 'user ' || $1::bigint and action not like 'box_office.%')"#,
        user.0,
        paging
    );
    rows.fetch_all(pg.pool()).await?.into_iter().map(Found::try_from).collect()
}

/// What happened to a seat: reservations, actions of the box office, and blocking.
pub async fn of_seat(pg: &Pg, seat: SeatId, paging: TimePaging) -> Result<Vec<Found>, StoreError> {
    let rows = history!(
        r#"with had as materialized (
             select id from reservation
             where seat_id = $1 and status in ('PAYMENT_WAITING', 'COMPLETE')
             union
             select id from reservation
             where seat_id = $1 and status in ('EXPIRED', 'CANCELLED', 'REFUNDED')
             union
             select reservation_id from box_office_action where seat_id = $1
             union
             select reservation_id from box_office_action where to_seat_id = $1),
           done as materialized (
             select id from box_office_action where seat_id = $1
             union
             select id from box_office_action where to_seat_id = $1),
           event as (
             select e.at, e.id * 16 + e.rank as key, e.kind, e.user_id,
                    e.concert_schedule_id as schedule_id, e.seat_id, null::bigint as to_seat_id,
                    null::uuid as ticket_id, null::bigint as sequence, e.hold_id,
                    e.id as reservation_id, e.payment_id, e.amount, null::bigint as balance_after,
                    null::bigint as admin, null::text as reason, null::jsonb as detail
             from had join reservation_event e on e.id = had.id where e.seat_id = $1
             union all
             select a.created_at, a.id * 16 + 9, case a.kind when 'REFUND' then 'BOX_OFFICE_REFUND'
                      when 'MOVE' then 'MOVED' when 'GIVE' then 'GIVEN' else 'REVOKED' end,
                    a.user_id, a.concert_schedule_id, a.seat_id, a.to_seat_id, null, null, null,
                    a.reservation_id, null, null, null, a.admin, a.reason, null
             from done join box_office_action a on a.id = done.id
             union all
             select l.created_at, l.id * 16 + 11,
                    case l.action when 'seats.block' then 'BLOCKED' else 'UNBLOCKED' end,
                    null, s.concert_schedule_id, s.id, null, null, null, null, null, null, null,
                    null, l.admin, null, null
             from seat s join audit l on l.subject = 'schedule ' || s.concert_schedule_id
             where s.id = $1 and l.action in ('seats.block', 'seats.unblock')
               and l.after -> 'seat_ids' @> to_jsonb(s.id))"#,
        seat.0,
        paging
    );
    rows.fetch_all(pg.pool()).await?.into_iter().map(Found::try_from).collect()
}
