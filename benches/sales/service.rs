//! onsale's own services, with one connection that may write per client, and with the loops of a process running.

use std::sync::Arc;

use onsale::app::loops::{self, LoopServices, Loops};
use onsale::board::service::Boards;
use onsale::concert::service::Catalogue;
use onsale::http::server::drain::Drain;
use onsale::idempotency::model::Request;
use onsale::outbox::model::Delivered;
use onsale::payment::service::Payments;
use onsale::point::service::Points;
use onsale::queue::draw::service::Draws;
use onsale::queue::keyspaces::Keyspaces;
use onsale::queue::service::WaitingRoom;
use onsale::queue::ticket::jwt::TicketKeys;
use onsale::reservation::model::Wanted;
use onsale::reservation::service::Reservations;
use onsale::seats::service::SeatClaims;
use onsale::store::id::{ScheduleId, SeatId, UserId};
use onsale::store::pg::Pg;
use onsale::store::redis::Redis;
use onsale::telemetry::Metrics;
use uuid::Uuid;

use super::CLIENTS;
use super::stage::{EACH, Sale, Stage};

pub struct Service {
    pub queue: WaitingRoom,
    pub reservations: Reservations,
    pub payments: Payments,
    pub points: Points,
}

impl Service {
    pub async fn new(stage: &Stage) -> Self {
        Self::named(stage, "service").await
    }

    /// Like [`Self::new`]; its connections are of the role of this name, and those of the loops of
    /// the role `loops`.
    pub async fn named(stage: &Stage, role: &str) -> Self {
        let (own, loops) = (stage.url_of(role).await, stage.url_of("loops").await);
        Self::connected(stage, &own, &loops)
    }

    /// The service with connections to these URLs.
    fn connected(stage: &Stage, own: &str, loops_url: &str) -> Self {
        // At most three quarters of a pool write.
        let clients = u32::try_from(CLIENTS + CLIENTS / 3).expect("a few");
        let pool = |url: &str| Pg::lazy(url, clients).expect("a pool");
        let pg = pool(own);
        let redis = Redis::lazy(&stage.stores.redis_url()).expect("Redis");
        let metrics = Metrics::new();
        let boards = Boards::new(redis.clone(), 30_000);
        let catalogue = Catalogue::new(pg.clone(), boards.clone());
        let (delivered, deliveries) = Delivered::channel();
        let (lines, losses) =
            Keyspaces::new(redis.clone(), pg.clone(), catalogue.clone(), delivered.clone());
        let keys = TicketKeys::new(&["a secret for tickets in a bench, long".to_owned()], "onsale");
        let draws = Draws::new(pg.clone(), catalogue.clone(), lines.clone());
        let queue = WaitingRoom::new(
            lines.clone(),
            draws.clone(),
            boards.clone(),
            catalogue.clone(),
            keys,
            delivered.clone(),
            metrics.clone(),
        );
        let claims = SeatClaims::new(lines.clone(), delivered);
        let reservations = Reservations::new(
            pg.clone(),
            boards.clone(),
            catalogue.clone(),
            queue.clone(),
            claims.clone(),
            metrics.clone(),
        );
        let payments = Payments::new(pg.clone(), queue.clone(), claims.clone(), metrics.clone());
        let points = Points::new(pg.clone(), metrics.clone());
        let (tasks, stop) = Default::default();
        let loops = Loops { tasks, stop, drain: Drain::default(), metrics };
        let parts = LoopServices {
            draws,
            pg: pool(loops_url),
            redis,
            boards,
            catalogue,
            keyspaces: lines,
            queue: queue.clone(),
            claims,
            reconcile_every: std::time::Duration::from_secs(20),
        };
        loops::start(&loops, parts, deliveries, losses);
        Self { queue, reservations, payments, points }
    }

    /// Makes Redis build the schedule's keys, with one join.
    pub async fn warm(&self, sale: &Sale) {
        self.join(sale, 0).await;
    }

    /// Lets all users join and be admitted. Returns their tickets.
    pub async fn inside(&self, sale: &Sale) -> Arc<Vec<String>> {
        let mut tickets = Vec::new();
        for user in 0..sale.count.div_ceil(EACH) {
            tickets.push(self.join(sale, user).await);
        }
        Arc::new(tickets)
    }

    async fn join(&self, sale: &Sale, user: u32) -> String {
        let user = UserId(sale.first_user + i64::from(user));
        for _ in 0..50 {
            match self.queue.join(ScheduleId(sale.schedule), user).await {
                Ok((view, _)) => return view.queue_token.expect("a ticket"),
                Err(error) => eprintln!("joining: {error}"),
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("the user was not admitted within 5 s");
    }

    /// Makes all holds of the sale, CLIENTS at a time.
    pub async fn hold(&self, sale: &Sale, tickets: &Arc<Vec<String>>) {
        let (schedule, seat, user) = (sale.schedule, sale.first_seat, sale.first_user);
        let hold = sale.first_hold;
        let tickets = Arc::clone(tickets);
        let reservations = Arc::new(self.reservations.clone());
        each(sale.count, move |n| {
            let (reservations, tickets) = (Arc::clone(&reservations), Arc::clone(&tickets));
            async move {
                let first = seat + 4 * i64::from(n);
                let wanted = Wanted::Seats((first..first + 4).map(SeatId).collect());
                let user = UserId(user + i64::from(n / EACH));
                let request =
                    Request::new(user, &format!("h{}", hold + i64::from(n)), "POST /hold", &n);
                let ticket = &tickets[usize::try_from(n / EACH).expect("a number")];
                let held = reservations.hold(ticket, ScheduleId(schedule), &request, &wanted);
                assert_eq!(held.await.expect("a hold").outcome.reservations.len(), 4);
            }
        })
        .await;
    }

    /// Makes all payments of the sale, CLIENTS at a time.
    pub async fn pay(&self, sale: &Sale) {
        let (hold, user) = (sale.first_hold, sale.first_user);
        let payments = self.payments.clone();
        each(sale.count, move |n| {
            let payments = payments.clone();
            async move {
                let user = UserId(user + i64::from(n / EACH));
                let request =
                    Request::new(user, &format!("p{}", hold + i64::from(n)), "POST /pay", &n);
                let id = format!("{:032}", hold + i64::from(n));
                let paid = payments.pay(&request, Uuid::try_parse(&id).expect("an id"), None).await;
                paid.expect("an answer").outcome.expect("a payment");
            }
        })
        .await;
    }

    /// Makes one charge for each hold of the sale, CLIENTS at a time.
    pub async fn charge(&self, sale: &Sale) {
        let (hold, user) = (sale.first_hold, sale.first_user);
        let points = self.points.clone();
        each(sale.count, move |n| {
            let points = points.clone();
            async move {
                let user = UserId(user + i64::from(n / EACH));
                let key = format!("c{}", hold + i64::from(n));
                let request = Request::new(user, &key, "POST /charge", &n);
                let charged = points.charge(&request, 10).await.expect("an answer");
                assert!(!charged.replayed);
            }
        })
        .await;
    }
}

/// Runs `act` for each number below `count`. Each client takes every CLIENTS-th number, like in the
/// pgbench scripts.
pub async fn each<F>(count: u32, act: impl Fn(u32) -> F + Clone + Send + 'static)
where
    F: Future<Output = ()> + Send,
{
    let clients = u32::try_from(CLIENTS).expect("a few");
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            let act = act.clone();
            tokio::spawn(async move {
                for n in (client..count).step_by(CLIENTS) {
                    act(n).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
}
