//! The SQL that reads a buyer: the user, the reservations and the queue entries.

use crate::admin::box_office::find::model::{BuyerEntry, BuyerProfile, BuyerReservation};
use crate::admin::box_office::model::NamedSeat;
use crate::pagination::Paging;
use crate::payment::model::PaymentStatus;
use crate::queue::model::{Sequence, TicketStatus};
use crate::reservation::model::ReservationStatus;
use crate::store::StoreError;
use crate::store::id::{PaymentId, ReservationId, ScheduleId, SeatId, UserId};
use crate::store::pg::Pg;

/// Reads a user.
pub async fn find(pg: &Pg, id: UserId) -> Result<Option<BuyerProfile>, StoreError> {
    let row = sqlx::query!(
        r#"select u.id, u.name, u.created_at, u.issuer is not null as "elsewhere!",
                  coalesce(p.amount, 0) as "balance!", c.created_at as "code_at?"
           from "user" u left join point p on p.user_id = u.id
           left join recovery_code c on c.user_id = u.id where u.id = $1"#,
        id.0
    )
    .fetch_optional(pg.pool())
    .await?;
    Ok(row.map(|row| BuyerProfile {
        id: UserId(row.id),
        name: row.name,
        created_at: row.created_at,
        balance: row.balance,
        signs_in_elsewhere: row.elsewhere,
        recovery_code_at: row.code_at,
    }))
}

/// Lists a user's reservations, newest first.
pub async fn reservations(
    pg: &Pg,
    user: UserId,
    paging: Paging,
) -> Result<Vec<BuyerReservation>, StoreError> {
    let rows = sqlx::query!(
        r#"select r.id, r.hold_id, r.status, r.guest, r.amount, r.reservation_at, r.expires_at,
                  s.id as seat_id, s.concert_schedule_id, s.seat_number, s.section, s."row",
                  p.id as "payment_id?", p.status = 'REFUNDED' as "is_refunded?"
           from reservation r join seat s on s.id = r.seat_id
           left join payment p on p.reservation_id = r.id
           where r.user_id = $1 and r.id < $2 order by r.id desc limit $3"#,
        user.0,
        paging.after.unwrap_or(i64::MAX),
        paging.fetch()
    )
    .fetch_all(pg.pool())
    .await?;
    let payment = |is_refunded| {
        if is_refunded { PaymentStatus::Refunded } else { PaymentStatus::Complete }
    };
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        found.push(BuyerReservation {
            id: ReservationId(row.id),
            hold_id: row.hold_id,
            seat: NamedSeat {
                id: SeatId(row.seat_id),
                schedule_id: ScheduleId(row.concert_schedule_id),
                seat_number: row.seat_number.unsigned_abs(),
                section: row.section,
                row: row.row,
            },
            status: ReservationStatus::parse(&row.status)?,
            guest: row.guest,
            amount: row.amount,
            reservation_at: row.reservation_at,
            expires_at: row.expires_at,
            payment_id: row.payment_id.map(PaymentId),
            payment_status: row.is_refunded.map(payment),
        });
    }
    Ok(found)
}

/// Lists a user's queue entries with the ids of their rows, newest first.
pub async fn entries(
    pg: &Pg,
    user: UserId,
    paging: Paging,
) -> Result<Vec<(i64, BuyerEntry)>, StoreError> {
    let rows = sqlx::query!(
        "select id, concert_schedule_id, token, status, sequence, created_at, entered_at, expired_at
         from queue where user_id = $1 and id < $2 order by id desc limit $3",
        user.0,
        paging.after.unwrap_or(i64::MAX),
        paging.fetch()
    )
    .fetch_all(pg.pool())
    .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let entry = BuyerEntry {
            schedule_id: ScheduleId(row.concert_schedule_id),
            ticket_id: row.token,
            status: parse_status(&row.status)?,
            sequence: Sequence(row.sequence.cast_unsigned()),
            joined_at: row.created_at,
            admitted_at: row.entered_at,
            ended_at: row.expired_at,
        };
        found.push((row.id, entry));
    }
    Ok(found)
}

fn parse_status(status: &str) -> Result<TicketStatus, StoreError> {
    match status {
        "WAITING" => Ok(TicketStatus::Waiting),
        "ACTIVE" => Ok(TicketStatus::Active),
        "COMPLETED" => Ok(TicketStatus::Completed),
        "EXPIRED" => Ok(TicketStatus::Expired),
        "LEFT" => Ok(TicketStatus::Left),
        other => Err(StoreError::Inconsistent(format!("unknown status of an entry {other}"))),
    }
}
