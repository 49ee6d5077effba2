//! A schedule in Redis and its model, which run the same steps and are compared after every step.

use std::collections::{BTreeMap, BTreeSet};

use onsale::board::snapshot::Board;
use onsale::store::script::Script;
use onsale_dev::redis::RedisServer;
use onsale_model::queue::{Answer, COMPLETED, LEFT, QueueModel};

use super::dump::{self, QueueState, SeatsState};
use super::property::Phase;
use super::queue_model;
use super::seats_model::SeatsModel;
use super::stage::{HOUR, ScriptReply, Stage, now};

pub const SEATS: u32 = 8;
/// A sequence that no user has.
const UNUSED: u64 = (1 << 40) + 999;

/// The state in Redis, and the model of it.
pub struct World {
    pub(super) stage: Stage,
    pub(super) queue: QueueModel,
    pub(super) seats: SeatsModel,
    pub(super) phase: Phase,
    /// Every ticket that a user has received: the sequence, and the end of the slot (0: waiting).
    pub(super) tickets: BTreeMap<u64, Vec<(u64, i64)>>,
    pub(super) board: Option<Board>,
}

pub fn hold(number: usize) -> String {
    format!("0192d0a4-5a4c-5c3e-9d3f-00000000000{number}")
}

/// The numbers of a reply without its clock, and the clock.
pub fn without_clock(reply: &ScriptReply, at: usize) -> (Vec<u64>, i64) {
    let mut numbers = reply.numbers();
    let clock = if at < numbers.len() { numbers.remove(at) } else { now() };
    (numbers.into_iter().map(i64::unsigned_abs).collect(), clock)
}

impl World {
    pub async fn new(server: &RedisServer, schedule: i64) -> Self {
        let stage = Stage::bare(server, schedule).await;
        let now = stage.build().await;
        let mut world = Self {
            stage,
            queue: queue_model::built(1, now, BTreeMap::new()),
            seats: SeatsModel::default(),
            phase: Phase::Open,
            tickets: BTreeMap::new(),
            board: None,
        };
        world.fill_bucket(0, 0).await;
        world.settings(3, 2, Phase::Open).await;
        world.stage.run(Script::FinishRebuild, &["0"]).await;
        world
    }

    pub fn capacity(&self) -> usize {
        self.queue.rules.capacity
    }

    pub async fn settings(&mut self, capacity: u32, rate: u32, phase: Phase) {
        let later = now() + HOUR;
        let mut over = vec![
            ("capacity", i64::from(capacity)),
            ("rate", i64::from(rate)),
            ("seats_total", i64::from(SEATS)),
        ];
        over.extend_from_slice(match phase {
            Phase::Open => &[],
            Phase::Paused => &[("paused", 1)],
            Phase::Closed => &[("deadline_ms", 1)],
            Phase::Withdrawn => &[("available", 0)],
            Phase::Upcoming => &[("opens_ms", i64::MAX), ("queue_opens_ms", i64::MAX)],
        });
        for (_, value) in over.iter_mut().filter(|(_, value)| *value == i64::MAX) {
            *value = later;
        }
        self.stage.configure(&over).await;
        self.queue.rules = queue_model::rules(capacity as usize, f64::from(rate), now());
        self.phase = phase;
    }

    fn update_open(&mut self) -> Option<&'static str> {
        let sold_out = self.seats.gone() == SEATS as usize;
        self.queue.open = self.phase == Phase::Open && !sold_out;
        match self.phase {
            Phase::Withdrawn => Some("UNAVAILABLE"),
            Phase::Upcoming => Some("NOT_OPEN"),
            Phase::Closed => Some("CLOSED"),
            Phase::Open if sold_out => Some("SOLD_OUT"),
            Phase::Open | Phase::Paused => None,
        }
    }

    fn keep_ticket(&mut self, user: u64, reply: &ScriptReply) {
        if let "WAITING" | "RETURNED" | "ACTIVE" = reply.word.as_str() {
            let until = if reply.word == "ACTIVE" { reply.get(1) } else { 0 };
            let tickets = self.tickets.entry(user).or_default();
            if !tickets.contains(&(reply.get(0), until)) {
                tickets.push((reply.get(0), until));
            }
        }
    }

    pub fn ticket(&self, user: u64, pick: usize) -> (u64, i64) {
        let tickets = self.tickets.get(&user);
        tickets.map_or((UNUSED + user, 0), |tickets| tickets[pick % tickets.len()])
    }

    pub async fn join(&mut self, user: u64) {
        let refusal = self.update_open();
        let reply = self.stage.run_numbers(Script::Join, &[user.cast_signed()]).await;
        let (numbers, now) = without_clock(&reply, 2);
        let answer = self.queue.join(user, refusal, now);
        if refusal == Some(answer.0) {
            assert_eq!(reply.word, answer.0);
        } else {
            assert_eq!((reply.word.as_str(), numbers), answer);
        }
        self.keep_ticket(user, &reply);
    }

    /// Users join in one call. Those whom the script leaves to `queue/join` stay as they are.
    pub async fn join_many(&mut self, users: &[u64]) {
        let refusal = self.update_open();
        let args: Vec<i64> = users.iter().flat_map(|user| [user.cast_signed(), 0]).collect();
        let reply = self.stage.run_numbers(Script::JoinMany, &args).await;
        let outcomes: String = reply.get(0);
        let is_ok = reply.word == "OK";
        assert!(is_ok || Some(reply.word.as_str()) == refusal, "{reply:?}");
        let now = if is_ok { reply.get(1) } else { now() };
        let (mut expected, mut joined, mut named) = (String::new(), Vec::new(), BTreeSet::new());
        for user in users {
            let is_known = self.queue.entries.get(*user).is_some() || !named.insert(*user);
            if is_known {
                expected.push('S');
                continue;
            }
            let (word, numbers) = self.queue.join(*user, refusal, now);
            expected.push(match word {
                "ACTIVE" => 'A',
                "WAITING" => 'W',
                _ => 'R',
            });
            if is_ok {
                let until = if word == "ACTIVE" { numbers[1].cast_signed() } else { 0 };
                self.tickets.entry(*user).or_default().push((numbers[0], until));
                joined.push((word, numbers));
            }
        }
        assert_eq!(outcomes, expected, "{users:?}");
        for (place, (word, numbers)) in (0..).zip(&joined) {
            assert_eq!(numbers[0], reply.get::<u64>(2) + place, "consecutive sequences");
            let waiting =
                joined.iter().position(|(word, _)| *word == "WAITING").unwrap_or(0) as u64;
            match *word {
                "ACTIVE" => assert_eq!(numbers[1], reply.get::<u64>(4)),
                _ => assert_eq!(numbers[1], reply.get::<u64>(3) + place - waiting),
            }
        }
    }

    /// Users show tickets in one call. Those that the script leaves to `queue/resolve_ticket` stay
    /// as they are.
    pub async fn show_many(&mut self, shown: &[(u64, usize)]) {
        let has_tickets = |(user, _): &&(u64, usize)| self.tickets.contains_key(user);
        let tickets: Vec<(u64, u64)> = (shown.iter().filter(has_tickets))
            .map(|(user, pick)| (*user, self.ticket(*user, *pick)))
            .filter(|(_, (_, until))| *until == 0)
            .map(|(user, (sequence, _))| (user, sequence))
            .collect();
        if tickets.is_empty() {
            return;
        }
        self.update_open();
        let args = tickets.iter().flat_map(|(user, at)| [user.cast_signed(), at.cast_signed()]);
        let reply = self.stage.run_numbers(Script::ResolveMany, &args.collect::<Vec<_>>()).await;
        let now: i64 = reply.get(1);
        let outcomes: Vec<char> = reply.get::<String>(0).chars().collect();
        let mut named = BTreeSet::new();
        // First all are restored, then their places are counted.
        let plain: Vec<bool> = (tickets.iter())
            .map(|(user, sequence)| {
                let is_plain = self.queue.is_plain(*user, *sequence) && !named.contains(user);
                named.insert(*user);
                is_plain
            })
            .collect();
        for ((user, sequence), _) in tickets.iter().zip(&plain).filter(|(_, plain)| **plain) {
            self.queue.restore_waiting(*user, *sequence, now);
        }
        for (index, ((user, _), is_plain)) in tickets.iter().zip(&plain).enumerate() {
            assert_eq!(outcomes[index] == 'W', *is_plain, "{tickets:?} {outcomes:?}");
            let ahead: u64 = reply.get(index + 2);
            assert_eq!(ahead, if *is_plain { self.queue.entries.ahead(*user) } else { 0 });
        }
    }

    /// A user shows only tickets that they have received, because tickets are signed.
    pub async fn show(&mut self, user: u64, pick: usize) {
        if !self.tickets.contains_key(&user) {
            return;
        }
        let (shown, until) = self.ticket(user, pick);
        let args = [user.cast_signed(), shown.cast_signed(), until];
        let reply = self.stage.run_numbers(Script::ResolveTicket, &args).await;
        let (numbers, now) = without_clock(&reply, if reply.word == "ENDED" { 1 } else { 2 });
        assert_eq!((reply.word.as_str(), numbers), self.queue.ticket(user, shown, until, now));
        self.keep_ticket(user, &reply);
    }

    pub async fn finish(&mut self, script: Script, user: u64, pick: usize) {
        let (shown, _) = self.ticket(user, pick);
        let reply =
            self.stage.run_numbers(script, &[user.cast_signed(), shown.cast_signed()]).await;
        let reason = if script == Script::Leave { LEFT } else { COMPLETED };
        Self::agree(&reply, &self.queue.finish(user, shown, reason));
    }

    pub fn agree(reply: &ScriptReply, answer: &Answer) {
        assert_eq!((reply.word.as_str(), without_clock(reply, usize::MAX).0), *answer);
    }

    /// Runs a round; returns the first word of its reply.
    pub async fn admit(&mut self) -> String {
        self.update_open();
        let reply = self.stage.run(Script::Admit, &[]).await;
        let (mut numbers, now) = without_clock(&reply, 5);
        numbers.truncate(5); // The last sequence and seat version are not part of the model.
        assert_eq!((reply.word.as_str(), numbers), self.queue.admit(now));
        reply.word
    }

    pub async fn mark_present(&mut self, user: u64, pick: usize) {
        let (shown, _) = self.ticket(user, pick);
        let args = ["", "0", "0", &shown.to_string()];
        self.stage.run(Script::MarkPresent, &args).await.is("OK", &[1]);
        self.queue.mark_present(shown, now());
    }

    /// A process states that it has merged presence up to a ticket's sequence; with `leaves` it
    /// states that it no longer answers polls.
    pub async fn merge(&mut self, process: &str, user: u64, pick: usize, leaves: bool) {
        let (upto, _) = self.ticket(user, pick);
        let lease = if leaves { "0" } else { "3600000" };
        let args = [process, &upto.to_string(), lease];
        self.stage.run(Script::MarkPresent, &args).await.is("OK", &[0]);
        self.queue.presence.turn(HOUR, now());
        if leaves {
            self.queue.mergers.remove(process);
        } else {
            self.queue.mergers.insert(process.to_owned(), Some(upto));
        }
    }

    pub fn epoch(&self) -> u64 {
        self.queue.epoch
    }

    /// Fails unless Redis and the board agree with the model; returns the state in Redis.
    pub async fn compare(&mut self) -> (QueueState, SeatsState) {
        let (queue, seats) = tokio::join!(dump::queue(&self.stage), dump::seats(&self.stage));
        assert_eq!(queue, queue_model::expected(&self.queue));
        assert_eq!(seats, self.seats.state());
        let board = Board::read(&self.stage.redis, self.stage.schedule, self.board.as_ref()).await;
        let board = board.expect("a board");
        assert_eq!(board.waiting.count(), queue.waiting.len() as u64);
        for (rank, (sequence, _)) in queue.waiting.iter().enumerate() {
            assert_eq!(board.waiting.ahead(*sequence), Some(rank as u64));
        }
        for sequence in self.tickets.values().flatten().map(|ticket| ticket.0) {
            let waits = queue.bits.contains(&sequence);
            assert_eq!(board.waiting.ahead(sequence).is_some(), waits, "{sequence}");
        }
        for seat in 1..=SEATS {
            assert_eq!(board.seats.state(seat), seats.map.get(&seat).copied().unwrap_or(0));
        }
        self.board = Some(board);
        (queue, seats)
    }
}
