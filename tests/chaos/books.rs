//! What PostgreSQL has at the end of a run.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use crate::history::Moment;

/// One seat of one hold.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Reservation {
    pub id: i64,
    pub hold: String,
    pub seat: i64,
    pub user: i64,
    pub schedule: i64,
    pub status: String,
    pub amount: i64,
}

impl Reservation {
    pub fn is_live(&self) -> bool {
        self.status == "PAYMENT_WAITING" || self.status == "COMPLETE"
    }

    /// Whether it was paid, and perhaps refunded later.
    pub fn was_paid(&self) -> bool {
        self.status == "COMPLETE" || self.status == "REFUNDED"
    }
}

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Payment {
    pub id: i64,
    pub reservation: i64,
    pub user: i64,
    pub amount: i64,
    pub status: String,
}

/// One change of a balance.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Move {
    pub user: i64,
    pub kind: String,
    pub amount: i64,
    pub balance_after: i64,
    pub reference: String,
}

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Seat {
    pub id: i64,
    pub status: String,
}

/// A queue entry, and when it was admitted.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Place {
    pub schedule: i64,
    pub sequence: i64,
    pub entered: Option<DateTime<Utc>>,
}

impl Place {
    pub fn entered(&self) -> Option<Moment> {
        self.entered.map(|at| at.timestamp_micros())
    }
}

/// All rows that the checker reads.
#[derive(Debug, Clone, Default)]
pub struct Books {
    pub reservations: Vec<Reservation>,
    pub payments: Vec<Payment>,
    /// In the order in which they were made.
    pub moves: Vec<Move>,
    pub balances: HashMap<i64, i64>,
    pub seats: Vec<Seat>,
    pub places: Vec<Place>,
    /// Events in the outbox that Redis does not have yet.
    pub undelivered: i64,
}

impl Books {
    pub async fn read(pool: &PgPool) -> Result<Self, sqlx::Error> {
        let reservations = r#"select id, hold_id::text as hold, seat_id as seat, user_id as "user",
            concert_schedule_id as schedule, status, amount
            from reservation order by id"#;
        let payments = r#"select id, reservation_id as reservation, user_id as "user", amount, status
            from payment order by id"#;
        let moves = r#"select user_id as "user", kind, amount, balance_after, reference
            from point_history order by id"#;
        let seats = "select id, status from seat order by id";
        let places = "select concert_schedule_id as schedule, sequence,
            entered_at as entered from queue order by sequence";
        let balances: Vec<(i64, i64)> =
            sqlx::query_as("select user_id, amount from point").fetch_all(pool).await?;
        Ok(Self {
            reservations: sqlx::query_as(reservations).fetch_all(pool).await?,
            payments: sqlx::query_as(payments).fetch_all(pool).await?,
            moves: sqlx::query_as(moves).fetch_all(pool).await?,
            balances: balances.into_iter().collect(),
            seats: sqlx::query_as(seats).fetch_all(pool).await?,
            places: sqlx::query_as(places).fetch_all(pool).await?,
            undelivered: sqlx::query_scalar("select count(*) from outbox").fetch_one(pool).await?,
        })
    }
}
