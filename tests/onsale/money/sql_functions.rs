//! The SQL functions in `migrations/functions`: when a migration replaces them, what stays as it
//! is, and that processes of two releases can use the same database.

use onsale::idempotency::model::Request;
use onsale::outbox::model::Recorded;
use onsale::payment::model::{Paid, PayRefusal};
use onsale::payment::pg::{PayReply, settle_payment};
use onsale::queue::model::Sequence;
use onsale::reservation::pg::hold::{HoldReply, NewHold, write_hold};
use onsale::store::StoreError;
use onsale::store::id::{ScheduleId, SeatId, UserId};
use onsale::store::pg::functions;
use onsale::store::pg::migrations;
use onsale::store::pg::single::{Call, Single};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::support::patch::{Patch, points_of};
use crate::support::sale;
use crate::support::world::World;

/// Runs SQL that tests make up.
async fn run(world: &World, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    sqlx::raw_sql(sql).execute(&world.pool).await.expect("the SQL runs");
}

/// Whether the database's `key_store` stores outcomes: false after [`forget_outcomes`].
async fn stores_outcomes(world: &World) -> bool {
    let text = "select prosrc not like '%return;%' from pg_proc
                where proname = 'key_store'";
    sqlx::query_scalar(text).fetch_one(&world.pool).await.expect("the function")
}

/// Gives `key_store` another text, as of a release with this revision and checksum.
async fn forget_outcomes(world: &World, revision: i32) {
    let patch = Patch::of("key_store").insert_before("store_outcome", "return;");
    patch.apply(&world.pool).await;
    let record = format!(
        "update sql_function set revision = {revision}, checksum = sha256('another text')
         where name = 'key_store'"
    );
    // The table refuses revision 0, the only one before 1.
    let unchecked = "alter table sql_function drop constraint sql_function_revision_check;";
    run(world, &format!("{unchecked} {record}")).await;
}

#[tokio::test]
async fn a_migration_replaces_only_functions_whose_text_is_newer() {
    let world = World::new().await;
    let again = migrations::apply(&world.pg).await.expect("it applies");
    assert_eq!(again.to_string(), "nothing to apply: the database is up to date\n");

    forget_outcomes(&world, 0).await;
    let mismatch = migrations::mismatch(&world.pg).await.expect("an answer");
    assert!(mismatch.expect("a mismatch").contains("key_store has revision 0"));
    let refused = onsale::app::start(world.settings(&[])).await.err().expect("a refusal");
    assert!(refused.to_string().contains("run onsale migrate"), "{refused}");
    let done = migrations::apply(&world.pg).await.expect("it applies");
    assert_eq!(done.to_string(), "applied function key_store, revision 1\n");
    assert!(stores_outcomes(&world).await);
    assert_eq!(migrations::mismatch(&world.pg).await.expect("an answer"), None);
}

#[tokio::test]
async fn an_older_binary_keeps_the_functions_and_migrations_of_a_newer_release() {
    let world = World::new().await;
    forget_outcomes(&world, 1000).await;
    let newer =
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                 values (9999, 'later', true, 'x', 0)";
    run(&world, newer).await;
    let done = migrations::apply(&world.pg).await.expect("it applies");
    let kept = "kept migration 9999 of a newer release\n\
                kept function key_store, revision 1000 of a newer release\n\
                nothing to apply: the database is up to date\n";
    assert_eq!(done.to_string(), kept);
    assert!(!stores_outcomes(&world).await, "the newer text stays");
    let process = world.start().await;
    assert_eq!(process.anonymous().get("/readyz").await.status, 200);
}

#[tokio::test]
async fn two_texts_under_one_revision_are_an_error_and_nothing_is_applied() {
    let world = World::new().await;
    forget_outcomes(&world, 1).await;
    run(&world, "update sql_function set revision = 0 where name = 'key_claim'").await;
    let refused = migrations::apply(&world.pg).await.expect_err("a refusal").to_string();
    assert!(refused.contains("key_store has changed since its revision 1"), "{refused}");
    let claim = "select revision::bigint from sql_function where name = 'key_claim'";
    assert_eq!(world.number(claim).await, 0, "it was applied first, and rolled back");
}

#[tokio::test]
async fn a_migration_restores_functions_that_were_dropped_or_replaced_by_hand() {
    let world = World::new().await;
    Patch::of("key_store").insert_before("store_outcome", "return;").apply(&world.pool).await;
    run(&world, "drop function write_hold").await;
    let mismatch = migrations::mismatch(&world.pg).await.expect("an answer");
    assert_eq!(mismatch.as_deref(), Some("function write_hold is not applied"));
    let done = migrations::apply(&world.pg).await.expect("it applies").functions.applied;
    assert_eq!(done, [("key_store", 1), ("write_hold", 1)]);
    assert!(stores_outcomes(&world).await);
}

#[tokio::test]
async fn migrations_that_run_at_once_wait_for_each_other() {
    let world = World::new().await;
    run(&world, "delete from sql_function").await;
    let (one, two) = tokio::join!(migrations::apply(&world.pg), migrations::apply(&world.pg));
    let counts = [one, two].map(|done| done.expect("it applies").functions.applied.len());
    let all = functions::names().count();
    assert!(counts == [all, 0] || counts == [0, all], "{counts:?}");
}

#[tokio::test]
async fn a_function_keeps_its_signature_under_its_name() {
    let world = World::new().await;
    let ask = "select p.proname || '(' || pg_get_function_arguments(p.oid) || ') returns '
                      || pg_get_function_result(p.oid)
               from pg_proc p where pronamespace = 'public'::regnamespace";
    let mut found: Vec<String> = sqlx::query_scalar(ask).fetch_all(&world.pool).await.unwrap();
    found.sort_unstable();
    let listed = include_str!("../../../migrations/functions/signatures.txt");
    let mut listed: Vec<&str> = listed.lines().filter(|line| !line.starts_with('#')).collect();
    listed.sort_unstable();
    assert_eq!(found, listed, "add a function with a new name, and its line to signatures.txt");
    let name = |line: &&str| line.split('(').next().map(str::to_owned);
    let mut names: Vec<_> = listed.iter().map(name).collect();
    names.dedup();
    assert_eq!(names.len(), listed.len(), "two functions have one name");
}

#[test]
fn each_patch_point_exists_once() {
    let points = functions::names().flat_map(|function| {
        points_of(function).into_iter().map(move |point| format!("{function}: {point}"))
    });
    assert_eq!(
        points.collect::<Vec<_>>(),
        [
            "key_store: store_outcome",
            "point_change: write_history",
            "write_hold: lock_seats",
            "write_hold: takeover_margin",
            "write_hold: taken_seats",
            "write_hold: first_write",
            "settle_payment: lock_seats",
            "settle_payment: clock",
            "settle_payment: deadline",
        ]
    );
}

/// What is stored under the key of a payment.
type PayOutcome = Result<Paid, PayRefusal>;

/// One call of `write_hold`.
struct Holding<'a>(NewHold<'a>);

impl Call for Holding<'_> {
    type Output = HoldReply;

    async fn run(&self, on: &mut Single) -> Result<HoldReply, StoreError> {
        write_hold(on, self.0).await
    }
}

/// One call of `settle_payment`, with the most points to charge.
struct Paying<'a>(&'a Request, Uuid, Option<i64>);

impl Call for Paying<'_> {
    type Output = PayReply;

    async fn run(&self, on: &mut Single) -> Result<PayReply, StoreError> {
        settle_payment(on, self.0, self.1, self.2).await
    }
}

/// The outcome stored under a key, without what differs from call to call.
async fn stored(world: &World, key: &str) -> Value {
    let ask = "select outcome from idempotency_key where key = $1";
    sqlx::query_scalar(ask).bind(key).fetch_one(&world.pool).await.expect("an outcome")
}

/// The payload of an outbox entry.
async fn payload(world: &World, id: i64) -> Value {
    let ask = "select payload from outbox where id = $1";
    sqlx::query_scalar(ask).bind(id).fetch_one(&world.pool).await.expect("an entry")
}

/// The names in a value: objects without what they hold, for every level.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name, shape(value))).collect(),
        Value::Array(items) => items.iter().take(1).map(shape).collect(),
        _ => Value::Null,
    }
}

/// The JSON of a value as PostgreSQL stores it: times without their form.
fn plain<T: serde::Serialize + serde::de::DeserializeOwned>(json: Value) -> Value {
    let value: T = serde_json::from_value(json).expect("the stored form");
    serde_json::to_value(value).expect("JSON")
}

/// A sale with seats and two users, and no process that would empty the outbox.
async fn sale_of_two(world: &World) -> (ScheduleId, Vec<i64>, [UserId; 2]) {
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 8, json!({})).await;
    let (one, two) = (process.rich_buyer().await.user, process.rich_buyer().await.user);
    process.stop().await;
    (ScheduleId(sale.schedule), sale.seats, [UserId(one), UserId(two)])
}

#[tokio::test]
async fn the_columns_of_a_call_equal_the_outcome_it_stored() {
    let world = World::new().await;
    let (schedule, seats, [user, poor]) = sale_of_two(&world).await;
    run(&world, &format!("update point set amount = 50 where user_id = {}", poor.0)).await;
    let mut holds = Vec::new();
    for (user, seats) in [(user, &seats[0..2]), (poor, &seats[2..4])] {
        let request = Request::new(user, &format!("hold {}", user.0), "POST /hold", &1);
        let seats: Vec<SeatId> = seats.iter().rev().map(|seat| SeatId(*seat)).collect();
        let (id, sequence) = (Uuid::now_v7(), Sequence(7));
        let new = NewHold { request: &request, schedule, id, sequence, seats: &seats };
        let reply = world.pg.call(&Holding(new)).await.expect("a reply");
        let (hold, change) = (reply.outcome.expect("a hold"), reply.changed.expect("one"));
        assert_eq!(hold.reservations.len(), 2);
        let kept = stored(&world, &request.key).await;
        assert_eq!(plain::<onsale::reservation::model::Hold>(kept), json!(hold));
        let kept = payload(&world, change.id.0).await;
        assert_eq!(plain::<onsale::seats::model::SeatsChanged>(kept), json!(change.event));
        let again = world.pg.call(&Holding(new)).await.expect("a reply");
        assert_eq!((again.word.as_str(), again.outcome), ("REPLAYED", Some(hold.clone())));
        holds.push(hold);
    }
    let calls = [
        ("poor", poor, 1, None),
        ("paid", user, 0, None),
        ("paid again", user, 0, None),
        ("charged", poor, 1, Some(1_000_000)),
    ];
    for (key, user, hold, most) in calls {
        let request = Request::new(user, key, "POST /pay", &1);
        let call = Paying(&request, holds[hold].hold_id, most);
        let reply = world.pg.call(&call).await.expect("a reply");
        let outcome = reply.outcome.expect("an outcome");
        assert_eq!(outcome.is_ok(), ["paid", "charged"].contains(&key), "{outcome:?}");
        assert_eq!(
            (reply.seats.is_some(), reply.completed.is_some()),
            (outcome.is_ok(), outcome.is_ok())
        );
        assert_eq!(plain::<PayOutcome>(stored(&world, key).await), json!(outcome));
        if let Some(Recorded { id, event }) = reply.seats {
            let kept = payload(&world, id.0).await;
            assert_eq!(plain::<onsale::seats::model::SeatsChanged>(kept), json!(event));
        }
        if let Some(Recorded { id, event }) = reply.completed {
            let kept = payload(&world, id.0).await;
            assert_eq!(plain::<onsale::queue::model::Completed>(kept), json!(event));
        }
        let again = world.pg.call(&call).await.expect("a reply");
        assert_eq!((again.word.as_str(), again.outcome), ("REPLAYED", Some(outcome)));
    }
}

/// During an upgrade, processes of both releases answer repeats of each other's requests.
#[tokio::test]
async fn the_functions_of_the_release_before_store_the_same_forms() {
    let world = World::new().await;
    let (schedule, seats, [old, new]) = sale_of_two(&world).await;
    let both = format!(
        "select * from hold_seats({old}, 'old hold', sha256('h'), {schedule}, '{id}', 7, array[{}], 5, 3);
         select * from write_hold({new}, 'new hold', sha256('h'), {schedule}, '{other}', 7, array[{}], 5, 3);
         select * from pay_hold({old}, 'old pay', sha256('p'), '{id}');
         select * from settle_payment({new}, 'new pay', sha256('p'), '{other}', null);",
        seats[0],
        seats[1],
        old = old.0,
        new = new.0,
        schedule = schedule.0,
        id = Uuid::now_v7(),
        other = Uuid::now_v7()
    );
    run(&world, &both).await;
    for what in ["hold", "pay"] {
        let old = stored(&world, &format!("old {what}")).await;
        let new = stored(&world, &format!("new {what}")).await;
        assert_eq!(shape(&old), shape(&new));
    }
    let ask = "select payload from outbox order by id";
    let entries: Vec<Value> = sqlx::query_scalar(ask).fetch_all(&world.pool).await.expect("some");
    let shapes: Vec<Value> = entries.iter().rev().take(6).map(shape).collect();
    let [completed, sold, old_completed, old_sold, held, old_held] = shapes.as_slice() else {
        panic!("{shapes:?}");
    };
    assert_eq!([held, sold, completed], [old_held, old_sold, old_completed]);
}
