//! A sale with staff and buyers.

use onsale::caller::Role;
use serde_json::{Value, json};

use crate::sale::refusals::active_buyer;
use crate::support::client::{Answer, Client};
use crate::support::sale::{self, Sale};
use crate::support::world::{Process, World, token};

/// Where the routes of the box office begin.
pub const BASE: &str = "/v1/admin/box-office";

/// A process with an open sale, an administrator, and one of the box office.
pub struct Scene {
    pub world: World,
    pub process: Process,
    pub admin: Client,
    pub staff: Client,
    pub sale: Sale,
}

/// What a buyer bought: the client, the answer to the hold, and the answer to the payment.
pub struct Bought {
    pub buyer: Client,
    pub hold: Value,
    pub paid: Value,
}

impl Scene {
    /// A sale with one row of this many seats at 100 points.
    pub async fn new(seats: u32) -> Self {
        let world = World::new().await;
        let process = world.start().await;
        let admin = process.admin().await;
        let mut staff = process.buyer().await;
        staff.token = Some(token(staff.user, Role::BoxOffice));
        let sale = sale::open(&admin, 1, seats, json!({"max_seats_per_user": 10})).await;
        Self { world, process, admin, staff, sale }
    }

    /// A new buyer buys the seats with these indexes.
    pub async fn buy(&self, seats: &[usize]) -> Bought {
        let buyer = active_buyer(&self.process, &self.sale).await;
        let ids: Vec<i64> = seats.iter().map(|at| self.sale.seats[*at]).collect();
        let hold = buyer.hold(self.sale.schedule, json!({ "seat_ids": ids })).await.ok(201);
        let paid = buyer.pay(&hold).await.ok(201);
        Bought { buyer, hold, paid }
    }

    /// Closes the sale: its deadline has passed.
    pub async fn close(&self) {
        let close = "update concert_schedule set deadline_at = clock_timestamp() - interval '1 s',
                       reservation_available_at = clock_timestamp() - interval '1 h',
                       queue_opens_at = clock_timestamp() - interval '2 h' where id = $1";
        let done = sqlx::query(close).bind(self.sale.schedule).execute(&self.world.pool).await;
        done.expect("the deadline has passed");
    }

    /// A call of the box office under a fresh key.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.staff.keyed().post(&format!("{BASE}{path}"), body).await
    }

    /// Reads something of the box office.
    pub async fn get(&self, path: &str) -> Value {
        self.staff.get(&format!("{BASE}{path}")).await.ok(200)
    }

    /// The state of a seat for staff.
    pub async fn seat_state(&self, at: usize) -> String {
        let seat = self.get(&format!("/seats/{}", self.sale.seats[at])).await;
        seat["state"].as_str().expect("a state").to_owned()
    }

    /// The public status of every seat, from Redis, after everything is delivered.
    pub async fn map(&self) -> Vec<String> {
        self.world.wait_for_empty_outbox().await;
        let path = format!("/v1/schedules/{}/seats", self.sale.schedule);
        // The board is at most a second old.
        tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
        let map = self.admin.get(&path).await.ok(200);
        let seats = map["seats"].as_array().expect("seats");
        seats.iter().map(|seat| seat["status"].as_str().expect("a status").to_owned()).collect()
    }

    /// Seats whose status in PostgreSQL differs from what their reservations say, and balances that
    /// differ from their history. There must be none.
    pub async fn contradictions(&self) -> i64 {
        self.world
            .number(
                "select (select count(*) from seat s where (s.status = 'UNAVAILABLE') <> exists
                          (select from reservation r where r.seat_id = s.id and r.status = 'COMPLETE'))
                      + (select count(*) from (select seat_id from reservation
                           where status in ('PAYMENT_WAITING', 'COMPLETE')
                           group by seat_id having count(*) > 1) twice)
                      + (select count(*) from point p where p.amount <> coalesce(
                           (select sum(amount) from point_history h where h.user_id = p.user_id), 0))
                      + (select count(*) from payment p join reservation r on r.id = p.reservation_id
                          where (p.status = 'REFUNDED') <> (r.status = 'REFUNDED'))",
            )
            .await
    }
}

impl Bought {
    /// The path of the box office's refund of a payment.
    pub fn refund_path(&self, at: usize) -> String {
        format!("/payments/{}/refund", self.paid["payments"][at]["id"])
    }

    /// The id of a reservation.
    pub fn reservation(&self, at: usize) -> i64 {
        self.hold["reservations"][at]["id"].as_i64().expect("an id")
    }

    /// The buyer's own refund of a payment.
    pub async fn refund(&self, at: usize) -> Answer {
        let path = format!("/v1/payments/{}/refund", self.paid["payments"][at]["id"]);
        self.buyer.keyed().post(&path, json!({})).await
    }

    /// The buyer's balance.
    pub async fn balance(&self) -> i64 {
        self.buyer.get("/v1/points").await.ok(200)["amount"].as_i64().expect("an amount")
    }
}
