//! A schedule in Redis and its model, moved side by side and compared after every step.

use std::collections::BTreeMap;

use onsale::board::snapshot::Board;
use onsale::dev::redis::RedisServer;
use onsale::hold::redis::load_buyers;
use onsale::queue::model::{Ended, Sequence};
use onsale::store::id::UserId;
use onsale::store::script::Script;

use super::dump::{self, LineState, SeatsState};
use super::line_model::{Answer, At, LineModel};
use super::property::Phase;
use super::seats_model::{SeatsModel, Shown};
use super::stage::{HOUR, Said, Stage, now};

pub const SEATS: u32 = 8;
/// A place that nobody was ever given.
const NOBODYS: u64 = (1 << 40) + 999;

/// What Redis has, and what it should have.
pub struct World {
    stage: Stage,
    line: LineModel,
    seats: SeatsModel,
    phase: Phase,
    /// Every ticket that a user was ever given: the place, and the end of the slot (0: waiting).
    tickets: BTreeMap<u64, Vec<(u64, i64)>>,
    board: Option<Board>,
}

fn hold(number: usize) -> String {
    format!("0192d0a4-5a4c-5c3e-9d3f-00000000000{number}")
}

/// The numbers of a reply without its clock, and the clock.
fn without_clock(said: &Said, at: usize) -> (Vec<u64>, i64) {
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

    fn ticket(&self, user: u64, pick: usize) -> (u64, i64) {
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
        Self::agree(&said, self.line.finish(user, shown, reason));
    }

    fn agree(said: &Said, answer: Answer) {
        assert_eq!((said.word.as_str(), without_clock(said, usize::MAX).0), answer);
    }

    pub async fn admit(&mut self) {
        self.look_at_the_sale();
        let said = self.stage.say(Script::Admit, &[]).await;
        let (numbers, now) = without_clock(&said, 5);
        assert_eq!((said.word.as_str(), numbers), self.line.admit(now));
    }

    pub async fn hear(&mut self, user: u64, pick: usize) {
        let (shown, _) = self.ticket(user, pick);
        self.stage.tell(Script::Here, &[shown.cast_signed()]).await.is("OK", &[1]);
        self.line.hear(shown, now());
    }

    pub async fn take(&mut self, user: u64, pick: usize, number: usize, seats: &[u32]) {
        let (shown, _) = self.ticket(user, pick);
        let mut args = vec![user.to_string(), shown.to_string(), hold(number)];
        args.extend(seats.iter().map(ToString::to_string));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let said = self.stage.say(Script::Take, &args).await;
        let at = if said.word == "OK" { 1 } else { usize::MAX };
        let (numbers, now) = without_clock(&said, at);
        let version = self.seats.version;
        let place = self.line.places.get_mut(&user).filter(|place| place.sequence == shown);
        let active = place
            .as_ref()
            .is_some_and(|place| matches!(place.at, At::Active { until, .. } if until > now));
        let answer = self.seats.take((user, active), &hold(number), seats, now);
        assert_eq!((said.word.as_str(), numbers), answer);
        if let Some(place) = place
            && let At::Active { until, .. } = place.at
            && self.seats.version > version
        {
            place.at = At::Active { until, claim_by: None };
        }
        self.compare().await;
        // Claims last 5 s: from here on they last until an operation lets them lapse.
        for (seat, state) in &mut self.seats.seats {
            if state.claim.is_some() && matches!(state.shown, Shown::Held(until) if until > 1) {
                state.shown = Shown::Held(now + HOUR);
                let (until, seat) = ((now + HOUR).to_string(), seat.to_string());
                self.stage.touch::<()>("ZADD", "held", &[&until, &seat]).await;
            }
        }
    }

    pub async fn give_up(&mut self, number: usize, seats: &[u32]) {
        let mut args = vec![hold(number)];
        args.extend(seats.iter().map(ToString::to_string));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let said = self.stage.say(Script::Drop, &args).await;
        Self::agree(&said, self.seats.give_up(&hold(number), seats));
    }

    pub async fn sweep(&mut self) {
        let said = self.stage.say(Script::Sweep, &[]).await;
        Self::agree(&said, self.seats.sweep(now()));
    }

    pub async fn apply(
        &mut self,
        state: &'static str,
        hold: &str,
        left: i64,
        seats: &[(u32, i64)],
    ) {
        let mut args = vec![state.to_owned(), hold.to_owned(), left.to_string()];
        args.extend(seats.iter().flat_map(|(seat, fence)| [seat.to_string(), fence.to_string()]));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let before = now();
        let said = self.stage.say(Script::Apply, &args).await;
        let after = now();
        let newer = |(seat, fence): &&(u32, i64)| {
            let decided = self.seats.seats.get(seat).and_then(|seat| seat.decided.as_ref());
            decided.is_none_or(|decided| decided.0 < *fence)
        };
        let mut until = None;
        if let (Some((seat, _)), "KEEP", 1..) = (seats.iter().find(newer), state, left) {
            let score: i64 = self.stage.touch("ZSCORE", "held", &[&seat.to_string()]).await;
            assert!((before + left..=after + left).contains(&score));
            until = Some(score);
        }
        Self::agree(&said, self.seats.apply((state, hold), until, seats));
    }

    pub async fn decide(
        &mut self,
        state: &'static str,
        number: usize,
        left: i64,
        seats: &[(u32, i64)],
    ) {
        let hold = if let "KEEP" | "SELL" = state { hold(number) } else { "-".to_owned() };
        self.apply(state, &hold, left, seats).await;
    }

    /// Sets how many tokens there are, and how long ago that was.
    pub async fn fill_bucket(&mut self, thousandths: u32, ago: i64) {
        let (tokens, at) = (f64::from(thousandths) / 1000.0, now() - ago);
        (self.line.tokens, self.line.tokens_at) = (tokens, at);
        let (tokens, at) = (format!("{tokens:.6}"), at.to_string());
        self.stage.touch::<()>("HSET", "meta", &["tokens", &tokens, "tokens_at", &at]).await;
    }

    /// Lets the slots of a user be over: the one that they have, and those on their tickets.
    pub async fn end_slot(&mut self, user: u64) {
        let tickets = self.tickets.get_mut(&user).into_iter().flatten();
        tickets.for_each(|(_, until)| *until = (*until).min(1));
        if let Some(place) = self.line.places.get_mut(&user)
            && let At::Active { claim_by, .. } = place.at
        {
            place.at = At::Active { until: 1, claim_by };
            self.stage.touch::<()>("ZADD", "active", &["1", &user.to_string()]).await;
        }
    }

    /// Lets the claim window of a user be over.
    pub async fn end_claim(&mut self, user: u64) {
        if let Some(place) = self.line.places.get_mut(&user)
            && let At::Active { until, claim_by: Some(_) } = place.at
        {
            place.at = At::Active { until, claim_by: Some(1) };
            self.stage.touch::<()>("ZADD", "called", &["1", &user.to_string()]).await;
        }
    }

    /// Lets the grace of a user be over.
    pub async fn end_grace(&mut self, user: u64) {
        let Some(place) = self.line.places.get_mut(&user).filter(|place| place.grace.is_some())
        else {
            return;
        };
        place.grace = Some(1);
        let (user, text) = (user.to_string(), format!("{} 1", place.sequence));
        self.stage.touch::<()>("HSET", "place", &[&user, &text]).await;
        if place.at == At::Parked {
            self.stage.touch::<()>("ZADD", "parked", &["1", &user]).await;
        }
    }

    /// Lets half presence windows pass.
    pub async fn pass_windows(&mut self, halves: i64) {
        self.line.since -= halves * (HOUR / 2);
        let since = self.line.since.to_string();
        self.stage.touch::<()>("HSET", "meta", &["here_since", &since]).await;
    }

    /// Lets the deadline of a seat pass.
    pub async fn lapse(&mut self, seat: u32) {
        if let Some(state) = self.seats.seats.get_mut(&seat)
            && matches!(state.shown, Shown::Held(_))
        {
            state.shown = Shown::Held(1);
            self.stage.touch::<()>("ZADD", "held", &["1", &seat.to_string()]).await;
        }
    }

    pub async fn flush_scripts(&mut self) {
        redis::cmd("SCRIPT").arg("FLUSH").query_async::<()>(&mut self.stage.raw).await.expect("OK");
    }

    /// Redis loses everything, and is rebuilt from what PostgreSQL knows.
    pub async fn lose(&mut self) {
        let (old, kept) = (self.line.clone(), std::mem::take(&mut self.seats));
        self.stage.at_epoch(old.epoch + 1);
        let now = self.stage.build().await;
        let line = self.stage.line();
        let ended = |(sequence, reason): (&u64, &u8)| {
            (Sequence(*sequence), Ended::from_bits(*reason).expect("a reason"))
        };
        let ended: Vec<_> = old.done.iter().map(ended).collect();
        line.load_ended(&ended, 0).await.expect("ended places");
        let buyers: Vec<UserId> =
            kept.buyers.iter().map(|user| UserId(user.cast_signed())).collect();
        load_buyers(&line, &buyers).await.expect("buyers");
        self.seats.buyers = kept.buyers;
        self.line = LineModel::new(old.epoch + 1, now, old.done);
        for (seat, state) in kept.seats {
            if let (None, Some((fence, word, hold))) = (state.claim, state.decided)
                && !matches!(state.shown, Shown::Free | Shown::Held(1))
            {
                self.apply(word, &hold, HOUR, &[(seat, fence)]).await;
            }
        }
        self.fill_bucket(0, 0).await;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small rate"
        )]
        self.settings(old.capacity as u32, old.rate as u32, self.phase).await;
        self.stage.say(Script::Ready, &["0"]).await;
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
