//! A schedule in Redis and its model, moved side by side and compared after every step.

use std::collections::BTreeMap;

use onsale::board::snapshot::Board;
use onsale::dev::redis::RedisServer;
use onsale::store::script::Script;

use super::dump::{self, LineState, SeatsState};
use super::line_model::{Answer, LineModel};
use super::property::Phase;
use super::seats_model::SeatsModel;
use super::stage::{HOUR, Said, Stage, now};

pub const SEATS: u32 = 8;
/// A place that nobody was ever given.
const NOBODYS: u64 = (1 << 40) + 999;

/// What Redis has, and what it should have.
pub struct World {
    pub(super) stage: Stage,
    pub(super) line: LineModel,
    pub(super) seats: SeatsModel,
    pub(super) phase: Phase,
    /// Every ticket that a user was ever given: the place, and the end of the slot (0: waiting).
    pub(super) tickets: BTreeMap<u64, Vec<(u64, i64)>>,
    pub(super) board: Option<Board>,
}

pub fn hold(number: usize) -> String {
    format!("0192d0a4-5a4c-5c3e-9d3f-00000000000{number}")
}

/// The numbers of a reply without its clock, and the clock.
pub fn without_clock(said: &Said, at: usize) -> (Vec<u64>, i64) {
    let mut numbers = said.numbers();
    let clock = if at < numbers.len() { numbers.remove(at) } else { now() };
    (numbers.into_iter().map(i64::unsigned_abs).collect(), clock)
}

impl World {
    pub async fn new(server: &RedisServer, schedule: i64) -> Self {
        let stage = Stage::bare(server, schedule).await;
        let now = stage.build().await;
        let mut world = Self {
            stage,
            line: LineModel::new(1, now, BTreeMap::new()),
            seats: SeatsModel::default(),
            phase: Phase::Open,
            tickets: BTreeMap::new(),
            board: None,
        };
        world.fill_bucket(0, 0).await;
        world.settings(3, 2, Phase::Open).await;
        world.stage.say(Script::Ready, &["0"]).await;
        world
    }

    pub fn capacity(&self) -> usize {
        self.line.capacity
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
        (self.line.capacity, self.line.rate) = (capacity as usize, f64::from(rate));
        self.phase = phase;
    }

    fn look_at_the_sale(&mut self) -> Option<&'static str> {
        let sold_out = self.seats.gone() == SEATS as usize;
        self.line.open = self.phase == Phase::Open && !sold_out;
        match self.phase {
            Phase::Withdrawn => Some("UNAVAILABLE"),
            Phase::Upcoming => Some("NOT_OPEN"),
            Phase::Closed => Some("CLOSED"),
            Phase::Open if sold_out => Some("SOLD_OUT"),
            Phase::Open | Phase::Paused => None,
        }
    }

    fn keep_ticket(&mut self, user: u64, said: &Said) {
        if let "WAITING" | "RETURNED" | "ACTIVE" = said.word.as_str() {
            let until = if said.word == "ACTIVE" { said.get(1) } else { 0 };
            let tickets = self.tickets.entry(user).or_default();
            if !tickets.contains(&(said.get(0), until)) {
                tickets.push((said.get(0), until));
            }
        }
    }

    pub fn ticket(&self, user: u64, pick: usize) -> (u64, i64) {
        let tickets = self.tickets.get(&user);
        tickets.map_or((NOBODYS + user, 0), |tickets| tickets[pick % tickets.len()])
    }

    pub async fn join(&mut self, user: u64) {
        let refusal = self.look_at_the_sale();
        let said = self.stage.tell(Script::Join, &[user.cast_signed()]).await;
        let (numbers, now) = without_clock(&said, 2);
        let answer = self.line.join(user, refusal, now);
        if refusal == Some(answer.0) {
            assert_eq!(said.word, answer.0);
        } else {
            assert_eq!((said.word.as_str(), numbers), answer);
        }
        self.keep_ticket(user, &said);
    }

    /// Nobody shows a ticket that they were not given: it is signed.
    pub async fn show(&mut self, user: u64, pick: usize) {
        if !self.tickets.contains_key(&user) {
            return;
        }
        let (shown, until) = self.ticket(user, pick);
        let args = [user.cast_signed(), shown.cast_signed(), until];
        let said = self.stage.tell(Script::Ticket, &args).await;
        let (numbers, now) = without_clock(&said, if said.word == "ENDED" { 1 } else { 2 });
        assert_eq!((said.word.as_str(), numbers), self.line.ticket(user, shown, until, now));
        self.keep_ticket(user, &said);
    }

    pub async fn finish(&mut self, script: Script, user: u64, pick: usize) {
        let (shown, _) = self.ticket(user, pick);
        let said = self.stage.tell(script, &[user.cast_signed(), shown.cast_signed()]).await;
        let reason = if script == Script::Leave { 2 } else { 3 };
        Self::agree(&said, &self.line.finish(user, shown, reason));
    }

    pub fn agree(said: &Said, answer: &Answer) {
        assert_eq!((said.word.as_str(), without_clock(said, usize::MAX).0), *answer);
    }

    pub async fn admit(&mut self) {
        self.look_at_the_sale();
        let said = self.stage.say(Script::Admit, &[]).await;
        let (mut numbers, now) = without_clock(&said, 5);
        numbers.truncate(5); // What was given out and changed so far is for `store::seen`.
        assert_eq!((said.word.as_str(), numbers), self.line.admit(now));
    }

    pub async fn hear(&mut self, user: u64, pick: usize) {
        let (shown, _) = self.ticket(user, pick);
        let args = ["", "0", "0", &shown.to_string()];
        self.stage.say(Script::MarkPresent, &args).await.is("OK", &[1]);
        self.line.hear(shown, now());
    }

    /// A process states that it has merged whom it heard from up to a ticket's sequence; with
    /// `leaves` that it serves no longer.
    pub async fn merge(&mut self, process: &str, user: u64, pick: usize, leaves: bool) {
        let (upto, _) = self.ticket(user, pick);
        let lease = if leaves { "0" } else { "3600000" };
        let args = [process, &upto.to_string(), lease];
        self.stage.say(Script::MarkPresent, &args).await.is("OK", &[0]);
        self.line.turn_ring(now());
        if leaves {
            self.line.mergers.remove(process);
        } else {
            self.line.mergers.insert(process.to_owned(), Some(upto));
        }
    }

    pub fn epoch(&self) -> u64 {
        self.line.epoch
    }

    /// Fails unless Redis and the read model say what the model says; gives what Redis has.
    pub async fn compare(&mut self) -> (LineState, SeatsState) {
        let (line, seats) = tokio::join!(dump::line(&self.stage), dump::seats(&self.stage));
        assert_eq!(line, self.line.state());
        assert_eq!(seats, self.seats.state());
        let board = Board::read(&self.stage.redis, self.stage.schedule, self.board.as_ref()).await;
        let board = board.expect("a board");
        assert_eq!(board.line.waiting(), line.waiting.len() as u64);
        for (rank, (sequence, _)) in line.waiting.iter().enumerate() {
            assert_eq!(board.line.ahead(*sequence), Some(rank as u64));
        }
        for sequence in self.tickets.values().flatten().map(|ticket| ticket.0) {
            let waits = line.bits.contains(&sequence);
            assert_eq!(board.line.ahead(sequence).is_some(), waits, "{sequence}");
        }
        for seat in 1..=SEATS {
            assert_eq!(board.seats.state(seat), seats.map.get(&seat).copied().unwrap_or(0));
        }
        self.board = Some(board);
        (line, seats)
    }
}
