//! What holds, payments and charges store: the answer under the key, and outbox entries. It equals
//! what a call returns, and processes of the release before can read it.

use onsale::idempotency::model::Request;
use onsale::idempotency::pg as key;
use onsale::outbox::model::Recorded;
use onsale::payment::model::{Paid, PayRefusal};
use onsale::payment::pg::{PayReply, settle_payment};
use onsale::point::model::{Charged, Kind};
use onsale::point::pg as points;
use onsale::point::pg::{ChargeReply, charge_points};
use onsale::queue::model::Sequence;
use onsale::reservation::pg::hold::{HoldReply, NewHold, write_hold};
use onsale::store::StoreError;
use onsale::store::id::{ScheduleId, SeatId, UserId};
use onsale::store::pg::single::{Call, Single};
use onsale::store::pg::{Tx, Work};
use serde_json::{Value, json};
use uuid::Uuid;

use super::sql_functions::run;
use crate::support::sale;
use crate::support::world::World;

/// What is stored under the key of a payment.
type PayOutcome = Result<Paid, PayRefusal>;

/// One call of `write_hold`.
pub struct Holding<'a>(pub NewHold<'a>);

impl Call for Holding<'_> {
    type Output = HoldReply;
    const FUNCTION: &'static str = "write_hold";

    async fn run(&self, on: &mut Single) -> Result<HoldReply, StoreError> {
        write_hold(on, self.0).await
    }
}

/// One call of `settle_payment`, with the most points to charge.
pub struct Paying<'a>(pub &'a Request, pub Uuid, pub Option<i64>);

impl Call for Paying<'_> {
    type Output = PayReply;
    const FUNCTION: &'static str = "settle_payment";

    async fn run(&self, on: &mut Single) -> Result<PayReply, StoreError> {
        settle_payment(on, self.0, self.1, self.2).await
    }
}

/// One call of `charge_points`, with the points to add.
pub struct Charging<'a>(pub &'a Request, pub i64);

impl Call for Charging<'_> {
    type Output = ChargeReply;
    const FUNCTION: &'static str = "charge_points";

    async fn run(&self, on: &mut Single) -> Result<ChargeReply, StoreError> {
        charge_points(on, self.0, self.1).await
    }
}

/// A charge as the release before made it: four statements between BEGIN and COMMIT.
pub struct FormerCharge<'a>(pub &'a Request, pub i64);

impl Work for FormerCharge<'_> {
    type Output = Charged;
    type Error = StoreError;
    const NAME: &'static str = "charge_points";

    async fn run(&self, tx: &mut Tx) -> Result<Charged, StoreError> {
        let Self(request, amount) = *self;
        let stored = key::claim(tx, request).await.expect("the key is free");
        assert_eq!(stored, None);
        points::lock(tx, request.user).await?.expect("a user");
        let change = points::change(tx, request.user, Kind::Charge, amount, &request.key);
        let charged = Charged { amount, balance: change.await?.expect("a balance") };
        key::store(tx, request, &json!(charged)).await?;
        Ok(charged)
    }
}

/// The outcome stored under a key.
pub async fn stored(world: &World, key: &str) -> Value {
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
pub async fn sale_of_two(world: &World) -> (ScheduleId, Vec<i64>, [UserId; 2]) {
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

#[tokio::test]
async fn a_charge_stores_the_same_form_as_the_release_before() {
    let world = World::new().await;
    let (_, _, [user, _]) = sale_of_two(&world).await;
    let request = |key: &str| Request::new(user, key, "POST /v1/points/charges", &1);
    let (old, new) = (request("old"), request("new"));
    let former = world.pg.transact(&FormerCharge(&old, 30)).await.expect("a charge");
    let charged = world.pg.call(&Charging(&new, 70)).await.expect("a reply");
    let outcome = charged.outcome.expect("a charge");
    assert_eq!((charged.word.as_str(), outcome.balance), ("OK", former.balance + 70));
    for (request, charged) in [(&old, former), (&new, outcome)] {
        assert_eq!(stored(&world, &request.key).await, json!(charged));
        let again = world.pg.call(&Charging(request, charged.amount)).await.expect("a reply");
        assert_eq!((again.word.as_str(), again.outcome), ("REPLAYED", Some(charged)));
    }
    // The release before reads the new form with `key_claim`, too.
    let mut tx = world.pg.begin("former_forms").await.expect("a transaction");
    let replayed = key::claim(&mut tx, &new).await.expect("an outcome");
    assert_eq!(replayed, Some(json!(outcome)));
}
