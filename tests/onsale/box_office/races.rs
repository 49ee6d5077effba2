//! Races of the box office with buyers: moves and guests against holds, and moves against refunds. Each
//! guard has a control that takes it out.

use serde_json::{Value, json};

use super::scene::{Bought, Scene};
use crate::money::sql_functions::run;
use crate::sale::refusals::active_buyer;
use crate::support::patch::Patch;
use crate::support::wait::until;

/// A transaction that keeps the lock of a seat, so that others wait for it.
struct SeatLock(sqlx::Transaction<'static, sqlx::Postgres>);

impl SeatLock {
    async fn take(scene: &Scene, at: usize) -> Self {
        let mut tx = scene.world.pool.begin().await.expect("a transaction");
        let lock = "select id from seat where id = $1 for no key update";
        sqlx::query(lock).bind(scene.sale.seats[at]).execute(&mut *tx).await.expect("a lock");
        Self(tx)
    }

    async fn release(self) {
        self.0.rollback().await.expect("the end");
    }
}

/// Waits until this many statements of the service wait for locks of rows.
async fn until_waiting(scene: &Scene, count: i64) {
    until("statements that wait for the seat", async || {
        let ask = "select count(*) from pg_stat_activity
                   where wait_event_type = 'Lock' and datname = current_database()";
        (scene.world.number(ask).await >= count).then_some(())
    })
    .await;
}

fn move_path(bought: &Bought) -> String {
    format!("/reservations/{}/move", bought.reservation(0))
}

fn to(seat: i64) -> Value {
    json!({"seat_id": seat, "reason": "Race"})
}

#[tokio::test]
async fn a_seat_that_a_buyer_holds_and_staff_move_to_at_once_goes_to_one_of_them() {
    let scene = Scene::new(12).await;
    let (mut moved, mut held) = (0, 0);
    for at in 0..6 {
        let bought = scene.buy(&[at]).await;
        let rival = active_buyer(&scene.process, &scene.sale).await;
        let seat = scene.sale.seats[at + 6];
        let path = move_path(&bought);
        let (one, other) = tokio::join!(
            scene.post(&path, to(seat)),
            rival.hold(scene.sale.schedule, json!({"seat_ids": [seat]}))
        );
        match (one.status, other.status) {
            (200, 409) => moved += 1,
            (409, 201) => held += 1,
            both => panic!("{both:?}: {} {}", one.text, other.text),
        }
        assert_eq!(scene.contradictions().await, 0);
    }
    assert_eq!(moved + held, 6);
}

#[tokio::test]
async fn a_seat_that_a_buyer_holds_and_a_guest_gets_at_once_goes_to_one_of_them() {
    let scene = Scene::new(6).await;
    let path = format!("/schedules/{}/guests", scene.sale.schedule);
    for seat in scene.sale.seats.clone() {
        let rival = active_buyer(&scene.process, &scene.sale).await;
        let guest = json!({"name": "Lee", "seat_ids": [seat], "reason": "Race"});
        let (one, other) = tokio::join!(
            scene.post(&path, guest),
            rival.hold(scene.sale.schedule, json!({"seat_ids": [seat]}))
        );
        assert!(
            matches!((one.status, other.status), (201, 409) | (409, 201)),
            "{} {}",
            one.text,
            other.text
        );
        assert_eq!(scene.contradictions().await, 0);
    }
}

/// Moves a reservation to a held seat, and gives that seat to a guest, with the looks at taken seats
/// taken out. Returns both statuses.
async fn take_held_seat(scene: &Scene) -> (u16, u16) {
    let bought = scene.buy(&[0]).await;
    let waiting = active_buyer(&scene.process, &scene.sale).await;
    let seat = scene.sale.seats[1];
    waiting.hold(scene.sale.schedule, json!({"seat_ids": [seat]})).await.ok(201);
    for patch in [
        Patch::of("move_reservation").replace("taken_seat", "v_taken := false;"),
        Patch::of("give_seats").replace("taken_seats", "taken := null;"),
    ] {
        patch.apply(&scene.world.pool).await;
    }
    let moved = scene.post(&move_path(&bought), to(seat)).await;
    let path = format!("/schedules/{}/guests", scene.sale.schedule);
    let guest = json!({"name": "Lee", "seat_ids": [seat], "reason": "Race"});
    (moved.status, scene.post(&path, guest).await.status)
}

#[tokio::test]
async fn without_the_look_at_taken_seats_the_unique_index_refuses_a_second_owner() {
    let scene = Scene::new(3).await;
    assert_eq!(take_held_seat(&scene).await, (500, 500));
    assert_eq!(scene.contradictions().await, 0);
}

#[tokio::test]
async fn without_the_look_and_the_unique_index_a_seat_has_two_owners() {
    let scene = Scene::new(3).await;
    run(&scene.world, "drop index reservation_one_live_per_seat").await;
    assert_eq!(take_held_seat(&scene).await, (200, 201));
    assert!(scene.contradictions().await > 0, "the checks of these tests find it");
}

/// A move gets the lock of the seat first, and a refund that has read the old seat waits behind it.
async fn refund_behind_a_move(scene: &Scene, bought: &Bought, seat: i64) -> (u16, u16) {
    let lock = SeatLock::take(scene, 0).await;
    let path = move_path(bought);
    let moving = scene.post(&path, to(seat));
    let refunding = async {
        until_waiting(scene, 1).await;
        bought.refund(0).await
    };
    let releasing = async {
        until_waiting(scene, 2).await;
        lock.release().await;
    };
    let (moved, refunded, ()) = tokio::join!(moving, refunding, releasing);
    (moved.status, refunded.status)
}

#[tokio::test]
async fn a_refund_that_waits_behind_a_move_frees_the_new_seat() {
    let scene = Scene::new(3).await;
    let bought = scene.buy(&[0]).await;
    let seat = scene.sale.seats[2];
    assert_eq!(refund_behind_a_move(&scene, &bought, seat).await, (200, 200));
    assert_eq!(scene.contradictions().await, 0);
    assert_eq!(bought.balance().await, 1_000_000);
    assert_eq!(scene.map().await, ["AVAILABLE"; 3]);
}

/// What a refund reads of its payments; then it waits until the test lets it go on.
const PAUSED: &str = "select array_agg(p.id) as payments, array_agg(r.id) as reservations,
    array_agg(r.seat_id) as seats, array_agg(p.amount) as amounts, array_agg(p.payment_at) as paid_at
    into v_due from payment p join reservation r on r.id = p.reservation_id
    where p.id = any (p_payments) and p.status || '' = 'COMPLETE';
    perform set_config('lock_timeout', '3000', true);
    perform pg_advisory_xact_lock(99);";

#[tokio::test]
async fn without_the_look_for_a_move_a_refund_frees_a_seat_that_another_buyer_owns() {
    let scene = Scene::new(3).await;
    let patch = Patch::of("refund_payments")
        .replace("moved_seats", "v_moved := false;")
        .replace("refunded_before", PAUSED);
    patch.apply(&scene.world.pool).await;
    let bought = scene.buy(&[0]).await;
    let next = active_buyer(&scene.process, &scene.sale).await;
    let mut gate = scene.world.pool.acquire().await.expect("a session");
    sqlx::query("select pg_advisory_lock(99)").execute(&mut *gate).await.expect("a lock");
    let (seats, path) = (&scene.sale.seats, move_path(&bought));
    let between = async {
        let waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted
                       and database = (select oid from pg_database where datname = current_database())";
        until("the refund has read the seat", async || {
            (scene.world.number(waiting).await == 1).then_some(())
        })
        .await;
        // It has locked the first seat only: the second is left, and sold to another buyer.
        scene.post(&path, to(seats[1])).await.ok(200);
        let hold = next.hold(scene.sale.schedule, json!({"seat_ids": [seats[2]]})).await.ok(201);
        next.pay(&hold).await.ok(201);
        sqlx::query("select pg_advisory_unlock(99)").execute(&mut *gate).await.expect("unlocked");
    };
    let (statuses, ()) = tokio::join!(refund_behind_a_move(&scene, &bought, seats[2]), between);
    assert_eq!(statuses, (200, 200));
    assert!(scene.contradictions().await > 0, "the other buyer's seat is for sale");
}
