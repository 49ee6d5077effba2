//! PostgreSQL is restored to an earlier moment, as docs/OPERATIONS.md says: nothing from before is
//! given out again, and the sale goes on.

use onsale_dev::pg::PostgresServer;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::sale::refusals::active_buyer;
use crate::support::client::Client;
use crate::support::faults::{assert_consistent, holder};
use crate::support::restored::{Restorable, name, run, until_nothing_runs};
use crate::support::sale::{self, Sale};
use crate::support::servers::Servers;
use crate::support::tools::folder;
use crate::support::wait::until;
use crate::support::world::{Process, World};

/// The buyers and the sale of a test, from before a loss.
pub struct Scene {
    pub stage: Restorable,
    pub sale: Sale,
    /// Has a seat from before the backup, and bought seat 4 since.
    early: Client,
    /// Signed up after the backup and bought seat 2. Seat 3 is held.
    lost: Client,
}

/// Joins, holds a seat by its place in the list, and pays it.
pub async fn buy(buyer: &mut Client, sale: &Sale, seat: usize) -> Value {
    buyer.join_with_retries(sale.schedule).await;
    let held = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[seat]]})).await.ok(201);
    buyer.pay(&held).await.ok(201);
    held
}

impl Scene {
    /// A sale with a backup, after which seats 2 and 4 were sold and seat 3 was held.
    pub async fn set() -> Self {
        let mut stage = Restorable::new().await;
        let process = stage.world.start().await;
        let queue = json!({"max_seats_per_user": 100});
        let sale = sale::open(&process.admin().await, 2, 5, queue).await;
        let mut early = active_buyer(&process, &sale).await;
        buy(&mut early, &sale, 0).await;
        stage.world.wait_for_empty_outbox().await;
        process.stop().await;
        stage.back_up().await;

        let process = stage.world.start().await;
        let mut early = early.at(process.addr);
        buy(&mut early, &sale, 3).await;
        let mut lost = active_buyer(&process, &sale).await;
        buy(&mut lost, &sale, 1).await;
        lost.join(sale.schedule).await.ok(201);
        lost.hold(sale.schedule, json!({"seat_ids": [sale.seats[2]]})).await.ok(201);
        stage.world.wait_for_empty_outbox().await;
        process.stop().await;
        Self { stage, sale, early, lost }
    }

    /// Checks the lists of `onsale restore compare` after the restore.
    async fn lost_seats_are_listed(&self) {
        assert_eq!(self.differing().await, (vec![2, 4], vec![]));
        let (_, listed) = self.stage.compare().await;
        let seat = &listed["schedules"][0]["only_in_redis"][0];
        assert_eq!(
            (&seat["section"], &seat["row"], &seat["now"]),
            (&json!("A"), &json!("1"), &json!("free"))
        );
        assert_eq!(
            (&seat["user"], &seat["seat_id"]),
            (&json!(self.lost.user), &json!(self.sale.seats[1]))
        );
        assert_eq!(listed["schedules"][0]["lost_holds"], json!([3]));
    }

    /// Checks that a lost user's token and ticket name nobody, and that a kept user's token is as good
    /// as before; returns a new user.
    async fn tokens_name_who_they_named(&self, process: &Process) -> Client {
        let [early, lost] = [&self.early, &self.lost].map(|client| client.at(process.addr));
        // A lost user's token and ticket name nobody. A kept user's token is as good as before.
        lost.get("/v1/users/me").await.refused(401, "unauthenticated");
        lost.get("/v1/queue/ticket").await.refused(401, "ticket_invalid");
        assert_eq!(early.get("/v1/users/me").await.ok(200)["id"], early.user);
        let new = sign_up(process).await;
        assert!(new.user > lost.user + 1_000_000, "{} {}", new.user, lost.user);
        lost.get("/v1/users/me").await.refused(401, "unauthenticated");
        assert_eq!(new.get("/v1/users/me").await.ok(200)["id"], new.user);
        new
    }

    /// Checks that lost seats are not sold again, and that everything else goes on.
    async fn sale_goes_on(&self, process: &Process, mut new: Client, last_reservation: i64) {
        let mut early = self.early.at(process.addr);
        // The keys were rebuilt, and entries of the new epoch come after all of the old one.
        let joined = new.join_with_retries(self.sale.schedule).await;
        assert!(joined.body["sequence"].as_u64() >= Some(2 << 40), "{}", joined.text);
        new.wait_for_status("ACTIVE").await;
        for seat in [1, 3] {
            let refused =
                new.hold(self.sale.schedule, json!({"seat_ids": [self.sale.seats[seat]]})).await;
            refused.refused(409, "seat_taken");
        }
        let held =
            new.hold(self.sale.schedule, json!({"seat_ids": [self.sale.seats[2]]})).await.ok(201);
        assert!(held["reservations"][0]["id"].as_i64() > Some(last_reservation + 1_000_000));
        new.pay(&held).await.ok(201);
        early.join_with_retries(self.sale.schedule).await;
        early.wait_for_status("ACTIVE").await;
        let held = early.hold(self.sale.schedule, json!({"quantity": 1})).await.ok(201);
        early.pay(&held).await.ok(201);
    }

    /// The numbers of the seats that are sold in one store only.
    async fn differing(&self) -> (Vec<u64>, Vec<u64>) {
        let (code, answer) = self.stage.compare().await;
        if code == Some(0) {
            assert_eq!(answer["equal"], true);
            return (Vec::new(), Vec::new());
        }
        assert_eq!(code, Some(3), "{answer}");
        let schedule = &answer["schedules"][0];
        assert_eq!(schedule["schedule"], self.sale.schedule);
        let numbers = |list: &str| -> Vec<u64> {
            let seats = schedule[list].as_array().expect("seats").iter();
            seats.map(|seat| seat["seat_number"].as_u64().expect("a number")).collect()
        };
        (numbers("only_in_redis"), numbers("only_in_postgresql"))
    }
}

/// A new user with points.
pub async fn sign_up(process: &Process) -> Client {
    process.rich_buyer().await
}

#[tokio::test]
async fn after_a_restore_nothing_is_given_out_twice_and_the_sale_goes_on() {
    let mut scene = Scene::set().await;
    let last_reservation = "select max(id) from reservation";
    let last_reservation = scene.stage.world.number(last_reservation).await;
    let known = scene.stage.prepare().await;
    let of_sale = &known["schedules"][0];
    assert_eq!((&of_sale["epoch"], &of_sale["complete"]), (&json!(1), &json!(true)));
    let states: Vec<(u64, &str)> = of_sale["seats"]
        .as_array()
        .expect("seats")
        .iter()
        .map(|seat| (seat["number"].as_u64().unwrap(), seat["state"].as_str().unwrap()))
        .collect();
    assert_eq!(states, [(1, "sold"), (2, "sold"), (3, "held"), (4, "sold")]);
    assert_eq!(scene.differing().await, (vec![], vec![]), "before the restore");

    scene.stage.restore().await;
    scene.lost_seats_are_listed().await;

    let undecided = scene.stage.finish(&[]).await;
    assert_eq!(undecided.code, Some(1));
    assert!(undecided.errors.contains("2 seats that were sold are free"), "{undecided:?}");
    assert_eq!(scene.stage.world.number("select count(*) from restore").await, 0);
    let finished = scene.stage.finish(&["--block-missing", "--operator", "Kim"]).await;
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.text.contains("2 seats were blocked"), "{finished:?}");
    let audit = "select count(*) from audit a join \"user\" u on u.id = a.admin
                 where action = 'restore.finish' and u.name = 'Kim'";
    assert_eq!(scene.stage.world.number(audit).await, 1);
    let feed = scene.stage.world.number("select position from event_position").await;
    assert!(feed > last_reservation + 1_000_000, "the feed repeats no position: {feed}");

    let Scene { stage, sale, .. } = &scene;
    let process = stage.world.start().await;
    let new = scene.tokens_name_who_they_named(&process).await;
    scene.sale_goes_on(&process, new, last_reservation).await;
    assert_consistent(&stage.world).await;
    stage.world.wait_for_empty_outbox().await;
    let blocked = holder(&mut stage.world.raw_redis().await, sale.schedule, 2).await;
    assert!(blocked.contains(" BLOCK "), "{blocked}");
    process.stop().await;
    // Until they are settled, the seats stay on the list.
    assert_eq!(scene.differing().await.0, [2, 4]);
}

/// The negative control: without `finish`, a lost user's token names the next user.
#[tokio::test]
async fn without_it_a_lost_users_token_names_another_person() {
    let mut scene = Scene::set().await;
    scene.stage.restore().await;
    let process = scene.stage.world.start().await;
    let new = sign_up(&process).await;
    assert_eq!(new.user, scene.lost.user, "the id is given out again");
    let lost = scene.lost.at(process.addr);
    assert_eq!(lost.get("/v1/points").await.ok(200)["amount"], 1_000_000, "of the new user");
}

/// Cuts a standby off: it lacks every later change.
pub async fn stop_receiving(standby: &PostgresServer) {
    let mut conn = PgConnection::connect(&standby.url("postgres")).await.expect("the standby");
    for statement in ["alter system set primary_conninfo = ''", "select pg_reload_conf()"] {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut conn).await.expect(statement);
    }
    until("it no longer receives changes", async || {
        let count = "select count(*) from pg_stat_wal_receiver";
        let count: i64 = sqlx::query_scalar(count).fetch_one(&mut conn).await.expect("a count");
        (count == 0).then_some(())
    })
    .await;
}

/// A standby without the last transactions is promoted, and processes go on at once.
#[tokio::test]
async fn after_an_asynchronous_failover_lost_sales_are_blocked_and_listed() {
    let mut primary = PostgresServer::throwaway().await.expect("PostgreSQL");
    let mut world = World::beside(&primary.url("postgres"), Servers::new().await).await;
    let (_, database) = world.database_url.rsplit_once('/').expect("a URL");
    let database = database.to_owned();
    let standby = PostgresServer::standby(&primary).await.expect("a standby");
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 5, json!({"max_seats_per_user": 100})).await;
    let mut early = active_buyer(&process, &sale).await;
    buy(&mut early, &sale, 0).await;
    standby.wait_for(&primary).await.expect("it has everything");
    stop_receiving(&standby).await;
    buy(&mut early, &sale, 1).await;
    world.wait_for_empty_outbox().await;
    primary.kill().await.expect("it ends");
    process.stop().await;
    standby.promote().await.expect("it is promoted");

    world.database_url = standby.url(&database);
    world.pool = sqlx::PgPool::connect(&world.database_url).await.expect("the new primary");
    let process = world.start_with(&["--reconcile-every=300ms"]).await;
    until("the reconciler finds the lost sale", async || {
        let found = "select count(*) from lost_sale where seat_number = 2";
        (world.number(found).await == 1).then_some(())
    })
    .await;
    let new = active_buyer(&process, &sale).await;
    let hold = json!({"seat_ids": [sale.seats[1]]});
    new.hold(sale.schedule, hold).await.refused(409, "seat_taken");
    process.stop().await;
    until_nothing_runs(&world).await;

    let folder = folder("failover");
    let file = folder.join("known.json");
    let prepared = run(&world, &["prepare", "--to", name(&file)], &[]).await;
    assert_eq!(prepared.code, Some(0), "{prepared:?}");
    let compared = run(&world, &["compare", "--from", name(&file)], &[]).await;
    assert_eq!(compared.code, Some(3), "{compared:?}");
    let line = format!("  seat 2, section A, row 1, user {}, hold ", early.user);
    assert!(compared.text.lines().any(|text| text.starts_with(&line)), "{compared:?}");
    assert!(compared.text.contains(": now blocked"), "{compared:?}");
    let finished = run(&world, &["finish", "--from", name(&file)], &[]).await;
    assert_eq!(finished.code, Some(0), "the seat is blocked already: {finished:?}");
    // Users may have signed up on the promoted server under ids of lost users.
    assert!(finished.text.contains("all earlier access tokens and tickets are refused"));
    let process = world.start().await;
    early.at(process.addr).get("/v1/users/me").await.refused(401, "unauthenticated");
    let mut later = sign_up(&process).await;
    assert_eq!(later.get("/v1/users/me").await.ok(200)["id"], later.user);
    later.join_with_retries(sale.schedule).await;
    later.wait_for_status("ACTIVE").await;
    assert_consistent(&world).await;
    std::fs::remove_dir_all(folder).expect("the folder");
}
