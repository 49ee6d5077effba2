//! A sale under load: some users wait, some hold seats and release them, and new users keep
//! joining. At the end everything is checked.
//!
//! These clients measure refusals, so they retry sooner than `Retry-After` says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::client::{Answer, Client};
use super::crowd::{create_users, join_in_order, run_all};
use super::faults::assert_consistent;
use super::sale::{self, Sale};
use super::wait::until;
use super::world::{Process, World};

/// Users who hold and release seats.
const TRADERS: usize = 6;
/// Users who wait from the start.
const WAITING: usize = 20;
/// Users who join during the run.
const NEWCOMERS: u32 = 400;
/// Pause before each new join, and after a hold that was refused.
const PAUSE: Duration = Duration::from_millis(25);
/// Further pause after a refused join: each user has a rate limit.
const RETRY_PAUSE: Duration = Duration::from_millis(250);
/// Time in which every trader must have paid at the end.
const PAY_LIMIT: Duration = Duration::from_mins(1);

/// The times at which calls of one kind succeeded or were refused.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    pub succeeded: Vec<Instant>,
    pub refused: Vec<Instant>,
    /// The text of the last refusal.
    last: String,
}

impl Calls {
    fn note(&mut self, succeeded: bool, answer: &Answer) {
        if succeeded {
            self.succeeded.push(Instant::now());
        } else {
            self.refused.push(Instant::now());
            self.last.clone_from(&answer.text);
        }
    }

    /// How long after `moment` the next call succeeded.
    pub fn next_after(&self, moment: Instant) -> Option<Duration> {
        self.succeeded.iter().find(|at| **at > moment).map(|at| *at - moment)
    }

    /// How long after `moment` a call succeeded that came after a refusal. A call in progress at
    /// `moment` may still succeed, so the first success alone proves nothing.
    pub fn back_after(&self, moment: Instant) -> Option<Duration> {
        let refused = self.refused.iter().find(|at| **at > moment)?;
        self.next_after(*refused).map(|wait| *refused + wait - moment)
    }

    /// The longest time between two calls that succeeded.
    pub fn longest_gap(&self) -> Duration {
        let mut all = self.succeeded.clone();
        all.sort();
        all.windows(2).map(|two| two[1] - two[0]).max().unwrap_or_default()
    }
}

/// The calls so far, by kind.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub joins: Calls,
    pub holds: Calls,
}

/// A running load.
pub struct Rush {
    pub processes: [Process; 2],
    pub sale: Sale,
    seen: Arc<Mutex<Seen>>,
    waiting: Vec<(Client, u64)>,
    stop: CancellationToken,
    joining: JoinHandle<Vec<(Client, u64)>>,
    trading: JoinHandle<Vec<()>>,
}

impl Rush {
    /// Starts a load on a new sale. It has so many seats that nobody holds the same one too often.
    pub async fn start(world: &World) -> Self {
        let processes = [world.start().await, world.start().await];
        let queue = json!({"capacity": TRADERS, "max_seats_per_user": 100});
        let sale = sale::open(&processes[0].admin().await, 20, 50, queue).await;
        Self::on(world, processes, sale).await
    }

    /// Starts a load on a sale that nobody has joined.
    pub async fn on(world: &World, processes: [Process; 2], sale: Sale) -> Self {
        let at = [processes[0].addr, processes[1].addr];
        let count = u32::try_from(TRADERS + WAITING).expect("few");
        let crowd = create_users(world, &at, count, 100_000).await;
        let mut crowd = join_in_order(crowd, sale.schedule).await;
        let mut waiting = Vec::new();
        for mut person in crowd.split_off(TRADERS) {
            let ticket = person.poll().await.ok(200);
            assert_eq!(ticket["status"], "WAITING");
            waiting.push((person, ticket["sequence"].as_u64().expect("a sequence")));
        }
        let newcomers = create_users(world, &at, NEWCOMERS, 0).await;
        let (stop, seen) = (CancellationToken::new(), Arc::new(Mutex::new(Seen::default())));
        let (schedule, seats) = (sale.schedule, sale.seats.clone());
        let joining =
            tokio::spawn(join_one_by_one(newcomers, schedule, seen.clone(), stop.clone()));
        let (noted, ends) = (seen.clone(), stop.clone());
        let trading = tokio::spawn(run_all(crowd, move |buyer| {
            trade(buyer, (schedule, seats.clone()), noted.clone(), ends.clone())
        }));
        Self { processes, sale, seen, waiting, stop, joining, trading }
    }

    /// A copy of what was seen so far.
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }

    /// Waits until `more` further joins have succeeded.
    pub async fn wait_for_joins(&self, more: usize) {
        let before = self.seen().joins.succeeded.len();
        until("users join", async || {
            (self.seen().joins.succeeded.len() >= before + more).then_some(())
        })
        .await;
    }

    /// Waits until `more` further joins were refused.
    pub async fn wait_for_refusals(&self, more: usize) {
        let before = self.seen().joins.refused.len();
        until("joins are refused", async || {
            (self.seen().joins.refused.len() >= before + more).then_some(())
        })
        .await;
    }

    /// Waits until a join has succeeded after `moment`.
    pub async fn wait_for_join_after(&self, moment: Instant) {
        until("joins succeed again", async || self.seen().joins.next_after(moment)).await;
    }

    /// Waits until, after `moment`, a join was refused, a later one has succeeded, and a seat was
    /// held since then.
    pub async fn wait_for_recovery_after(&self, moment: Instant) {
        let back = until("joins work again", async || self.seen().joins.back_after(moment)).await;
        until("holds work again", async || {
            (self.seen().holds.succeeded.last()? > &(moment + back)).then_some(())
        })
        .await;
    }

    /// Ends the load: every trader pays for one seat. Then it checks that every sequence in an
    /// answer still belongs to its user and to nobody else, and that no rule is broken. Returns
    /// what was seen, and the number of entries that were checked.
    pub async fn finish(self, world: &World) -> (Seen, usize) {
        self.stop.cancel();
        let paid = tokio::time::timeout(PAY_LIMIT, self.trading).await.map(Result::unwrap);
        assert!(paid.is_ok(), "not every trader paid: {}", self.seen.lock().unwrap().holds.last);
        let mut entries = self.waiting;
        entries.extend(self.joining.await.expect("no panic"));
        let mut owners = HashMap::new();
        for (person, sequence) in &entries {
            let other = owners.insert(*sequence, person.user);
            assert_eq!(other, None, "sequence {sequence} was given out twice");
        }
        for (person, sequence) in &mut entries {
            let ticket = person.poll_with_retries().await.ok(200);
            assert_eq!(ticket["sequence"].as_u64(), Some(*sequence), "{ticket}");
            assert!(
                ["WAITING", "ACTIVE"].contains(&ticket["status"].as_str().unwrap()),
                "{ticket}"
            );
        }
        let paid = i64::try_from(TRADERS).expect("few");
        assert_eq!(world.number("select count(*) from payment").await, paid);
        assert_consistent(world).await;
        let seen = self.seen.lock().unwrap().clone();
        (seen, entries.len())
    }
}

/// Users join one after the other; each retries until it has an entry. Returns the users with their
/// sequences.
async fn join_one_by_one(
    users: Vec<Client>,
    schedule: i64,
    seen: Arc<Mutex<Seen>>,
    stop: CancellationToken,
) -> Vec<(Client, u64)> {
    let mut entries = Vec::new();
    for mut user in users {
        loop {
            if stop.is_cancelled() {
                return entries;
            }
            tokio::time::sleep(PAUSE).await;
            let answer = user.join(schedule).await;
            assert!([200, 201, 503].contains(&answer.status), "{}", answer.text);
            seen.lock().unwrap().joins.note(answer.status != 503, &answer);
            if let Some(sequence) = answer.body["sequence"].as_u64() {
                entries.push((user, sequence));
                break;
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }
    stop.cancelled().await;
    entries
}

/// Holds a seat and releases it, repeatedly; pays once at the end.
async fn trade(
    mut buyer: Client,
    (schedule, seats): (i64, Vec<i64>),
    seen: Arc<Mutex<Seen>>,
    stop: CancellationToken,
) {
    for call in 0usize.. {
        buyer.poll().await;
        let seat = seats[(call * 7 + usize::try_from(buyer.user).unwrap() * 3) % seats.len()];
        let held = buyer.hold(schedule, json!({"seat_ids": [seat]})).await;
        assert!([201, 403, 409, 429, 503].contains(&held.status), "{}", held.text);
        seen.lock().unwrap().holds.note(held.status == 201, &held);
        if held.status != 201 {
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        if stop.is_cancelled() {
            buyer.pay(&held.body).await.ok(201);
            return;
        }
        let hold = held.body["hold_id"].as_str().expect("an id");
        assert_eq!(buyer.delete(&format!("/v1/holds/{hold}")).await.status, 204);
    }
}
