//! The SQL that reads the data of one person, in pages by the indexes of their user id.

use crate::store::StoreError;
use crate::store::id::UserId;
use crate::store::pg::Pg;

/// A row as JSON, and its id.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) id: i64,
    pub(super) json: String,
}

/// A list of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    PointHistory,
    Reservations,
    Payments,
    QueueEntries,
    BoxOfficeActions,
    Changes,
}

/// The lists in the order of the document, with their names.
pub(super) const LISTS: [(List, &str); 6] = [
    (List::PointHistory, "point_history"),
    (List::Reservations, "reservations"),
    (List::Payments, "payments"),
    (List::QueueEntries, "queue_entries"),
    (List::BoxOfficeActions, "box_office_actions"),
    (List::Changes, "changes_as_administrator"),
];

/// The user's own row with the balance, as the members of a JSON object; `None` if there is none.
pub(super) async fn user(pg: &Pg, user: UserId) -> Result<Option<String>, StoreError> {
    let row = sqlx::query_scalar!(
        r#"select json_build_object('id', u.id, 'name', u.name, 'issuer', u.issuer,
                    'subject', u.subject, 'created_at', u.created_at, 'erased_at', u.erased_at,
                    'balance', coalesce(p.amount, 0), 'recovery_code_created_at', c.created_at)::text
                  as "json!"
           from "user" u left join point p on p.user_id = u.id
           left join recovery_code c on c.user_id = u.id where u.id = $1"#,
        user.0
    );
    Ok(row.fetch_optional(pg.pool()).await?)
}

/// The next `limit` items of a list before an id, newest first.
pub(super) async fn items(
    pg: &Pg,
    list: List,
    user: UserId,
    before: i64,
    limit: i64,
) -> Result<Vec<Item>, StoreError> {
    let page = ItemPage { pg, user, before, limit };
    let items = match list {
        List::PointHistory => page.point_history().await,
        List::Reservations => page.reservations().await,
        List::Payments => page.payments().await,
        List::QueueEntries => page.queue_entries().await,
        List::BoxOfficeActions => page.box_office_actions().await,
        List::Changes => page.changes().await,
    };
    Ok(items?)
}

/// Which items are read.
struct ItemPage<'p> {
    pg: &'p Pg,
    user: UserId,
    before: i64,
    limit: i64,
}

/// The method of a list, with its statement.
macro_rules! list {
    ($name:ident, $sql:literal) => {
        impl ItemPage<'_> {
            async fn $name(&self) -> Result<Vec<Item>, sqlx::Error> {
                let &Self { pg, user, before, limit } = self;
                let items = sqlx::query_as!(Item, $sql, user.0, before, limit);
                items.fetch_all(pg.pool()).await
            }
        }
    };
}

list!(
    point_history,
    r#"select id as "id!", json_build_object('id', id, 'kind', kind, 'amount', amount,
                'balance_after', balance_after, 'reference', reference,
                'created_at', created_at)::text as "json!"
       from point_history where user_id = $1 and id < $2 order by id desc limit $3"#
);

list!(
    reservations,
    r#"select r.id as "id!", json_build_object('id', r.id, 'hold_id', r.hold_id,
                'concert', c.title, 'concert_at', h.concert_at,
                'schedule_id', r.concert_schedule_id, 'section', s.section, 'row', s."row",
                'seat_number', s.seat_number, 'amount', r.amount, 'status', r.status,
                'reservation_at', r.reservation_at, 'expires_at', r.expires_at)::text as "json!"
       from (select id, hold_id, concert_id, concert_schedule_id, seat_id, amount, status,
                    reservation_at, expires_at
             from reservation where user_id = $1 and id < $2 order by id desc limit $3) r
       join seat s on s.id = r.seat_id join concert c on c.id = r.concert_id
       join concert_schedule h on h.id = r.concert_schedule_id order by r.id desc"#
);

list!(
    payments,
    r#"select id as "id!", json_build_object('id', id, 'reservation_id', reservation_id,
                'amount', amount, 'status', status, 'payment_at', payment_at,
                'refunded_at', refunded_at)::text as "json!"
       from payment where user_id = $1 and id < $2 order by id desc limit $3"#
);

list!(
    queue_entries,
    r#"select id as "id!", json_build_object('schedule_id', concert_schedule_id,
                'ticket_id', token, 'sequence', sequence, 'status', status,
                'joined_at', created_at, 'admitted_at', entered_at,
                'ended_at', expired_at)::text as "json!"
       from queue where user_id = $1 and id < $2 order by id desc limit $3"#
);

list!(
    box_office_actions,
    r#"select id as "id!", json_build_object('id', id, 'kind', kind,
                'schedule_id', concert_schedule_id, 'reservation_id', reservation_id,
                'seat_id', seat_id, 'to_seat_id', to_seat_id, 'reason', reason,
                'created_at', created_at)::text as "json!"
       from box_office_action where user_id = $1 and id < $2 order by id desc limit $3"#
);

list!(
    changes,
    r#"select id as "id!", json_build_object('id', id, 'action', action, 'subject', subject,
                'created_at', created_at)::text as "json!"
       from audit where admin = $1 and id < $2 order by id desc limit $3"#
);
