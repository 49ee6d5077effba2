//! A sale in full swing: some wait, some hold seats and give them back, and new people come all the
//! while, until it is over and everything is looked at.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::client::{Answer, Client};
use super::crowd::{all, join_in_turn, people};
use super::faults::sound;
use super::sale::{self, Sale};
use super::wait::until;
use super::world::{Process, World};

const TRADERS: usize = 6;
const WAITING: usize = 20;
const NEW: u32 = 400;
/// How often somebody new comes.
const EVERY: Duration = Duration::from_millis(25);
/// When somebody who was refused tries again: there is a limit on how often one person asks.
const AGAIN: Duration = Duration::from_millis(250);
/// How long those who trade may take to pay at the end.
const LAST: Duration = Duration::from_mins(1);

/// When calls of one kind succeeded, and when they were refused.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    pub succeeded: Vec<Instant>,
    pub refused: Vec<Instant>,
    /// What the last refusal said.
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

    /// How long after `moment` one succeeded.
    pub fn next_after(&self, moment: Instant) -> Option<Duration> {
        self.succeeded.iter().find(|at| **at > moment).map(|at| *at - moment)
    }

    /// How long after `moment` one succeeded that came after a refusal: what was under way at that
    /// moment may have succeeded still.
    pub fn back_after(&self, moment: Instant) -> Option<Duration> {
        let refused = self.refused.iter().find(|at| **at > moment)?;
        self.next_after(*refused).map(|wait| *refused + wait - moment)
    }

    /// The longest time from one that succeeded to the next.
    pub fn longest_gap(&self) -> Duration {
        let mut all = self.succeeded.clone();
        all.sort();
        all.windows(2).map(|two| two[1] - two[0]).max().unwrap_or_default()
    }
}

/// The calls so far, by what they were for.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub joins: Calls,
    pub holds: Calls,
}

/// People at work.
pub struct Rush {
    pub processes: [Process; 2],
    pub sale: Sale,
    seen: Arc<Mutex<Seen>>,
    waiting: Vec<(Client, u64)>,
    stop: CancellationToken,
    coming: JoinHandle<Vec<(Client, u64)>>,
    trading: JoinHandle<Vec<()>>,
}

impl Rush {
    /// Starts one on a new sale, with more seats than anybody can hold too often meanwhile.
    pub async fn start(world: &World) -> Self {
        let processes = [world.start().await, world.start().await];
        let queue = json!({"capacity": TRADERS, "max_seats_per_user": 100});
        let sale = sale::open(&processes[0].admin().await, 20, 50, queue).await;
        Self::on(world, processes, sale).await
    }

    /// Starts one on a sale where nobody is yet.
    pub async fn on(world: &World, processes: [Process; 2], sale: Sale) -> Self {
        let at = [processes[0].addr, processes[1].addr];
        let count = u32::try_from(TRADERS + WAITING).expect("few");
        let mut crowd = join_in_turn(people(world, &at, count, 100_000).await, sale.schedule).await;
        let mut waiting = Vec::new();
        for mut person in crowd.split_off(TRADERS) {
            let ticket = person.poll().await.ok(200);
            assert_eq!(ticket["status"], "WAITING");
            waiting.push((person, ticket["sequence"].as_u64().expect("a place")));
        }
        let newcomers = people(world, &at, NEW, 0).await;
        let (stop, seen) = (CancellationToken::new(), Arc::new(Mutex::new(Seen::default())));
        let (schedule, seats) = (sale.schedule, sale.seats.clone());
        let coming = tokio::spawn(come(newcomers, schedule, seen.clone(), stop.clone()));
        let (noted, ends) = (seen.clone(), stop.clone());
        let trading = tokio::spawn(all(crowd, move |buyer| {
            trade(buyer, (schedule, seats.clone()), noted.clone(), ends.clone())
        }));
        Self { processes, sale, seen, waiting, stop, coming, trading }
    }

    /// What was seen so far.
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }

    /// Returns once so many more have joined.
    pub async fn joined(&self, more: usize) {
        let before = self.seen().joins.succeeded.len();
        until("people join", async || {
            (self.seen().joins.succeeded.len() >= before + more).then_some(())
        })
        .await;
    }

    /// Returns once so many more were not let join.
    pub async fn refused(&self, more: usize) {
        let before = self.seen().joins.refused.len();
        until("people are refused", async || {
            (self.seen().joins.refused.len() >= before + more).then_some(())
        })
        .await;
    }

    /// Returns once somebody joined after `moment`, when nobody could have until then.
    pub async fn goes_on_after(&self, moment: Instant) {
        until("joins go on", async || self.seen().joins.next_after(moment)).await;
    }

    /// Returns once somebody joined after others could not, after `moment`; and a seat was held
    /// since.
    pub async fn is_back_after(&self, moment: Instant) {
        let back = until("joins work again", async || self.seen().joins.back_after(moment)).await;
        until("holds work again", async || {
            (self.seen().holds.succeeded.last()? > &(moment + back)).then_some(())
        })
        .await;
    }

    /// Ends it, everybody who trades having paid for a seat, and looks at all that was promised: every
    /// place that anybody was told is theirs still and nobody else's, and no rule is broken. Gives
    /// what was seen, and how many places were looked at.
    pub async fn over(self, world: &World) -> (Seen, usize) {
        self.stop.cancel();
        let paid = tokio::time::timeout(LAST, self.trading).await.map(Result::unwrap);
        assert!(paid.is_ok(), "not everybody paid: {}", self.seen.lock().unwrap().holds.last);
        let mut told = self.waiting;
        told.extend(self.coming.await.expect("no panic"));
        let mut owners = HashMap::new();
        for (person, sequence) in &told {
            let other = owners.insert(*sequence, person.user);
            assert_eq!(other, None, "place {sequence} was given out twice");
        }
        for (person, sequence) in &mut told {
            let ticket = until("a poll is answered", async || {
                let answer = person.poll().await;
                (answer.status != 503).then_some(answer)
            })
            .await;
            let ticket = ticket.ok(200);
            assert_eq!(ticket["sequence"].as_u64(), Some(*sequence), "{ticket}");
            assert!(
                ["WAITING", "ACTIVE"].contains(&ticket["status"].as_str().unwrap()),
                "{ticket}"
            );
        }
        let paid = i64::try_from(TRADERS).expect("few");
        assert_eq!(world.number("select count(*) from payment").await, paid);
        sound(world).await;
        let seen = self.seen.lock().unwrap().clone();
        (seen, told.len())
    }
}

/// New people, one after the other; each tries until a place is theirs. All with their places.
async fn come(
    people: Vec<Client>,
    schedule: i64,
    seen: Arc<Mutex<Seen>>,
    stop: CancellationToken,
) -> Vec<(Client, u64)> {
    let mut told = Vec::new();
    for mut person in people {
        loop {
            if stop.is_cancelled() {
                return told;
            }
            tokio::time::sleep(EVERY).await;
            let answer = person.join(schedule).await;
            assert!([200, 201, 503].contains(&answer.status), "{}", answer.text);
            seen.lock().unwrap().joins.note(answer.status != 503, &answer);
            if let Some(sequence) = answer.body["sequence"].as_u64() {
                told.push((person, sequence));
                break;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
    stop.cancelled().await;
    told
}

/// Holds a seat and gives it back, again and again; and pays once, at the end.
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
            tokio::time::sleep(EVERY).await;
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
