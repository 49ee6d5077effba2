//! Any order of calls, with time passing, scripts flushed and Redis lost in between, leaves the
//! state of a plain model, and never breaks the invariants of the queue and of the seats.

use std::cell::Cell;
use std::collections::BTreeSet;

use onsale::store::script::Script;
use onsale_dev::redis::RedisServer;
use onsale_model::queue::PresenceRing;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::dump::{QueueState, SeatsState};
use super::model::{SEATS, World};

/// Whether users may join and are admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Open,
    Paused,
    Closed,
    Withdrawn,
    Upcoming,
}

const USERS: u64 = 5;

/// One call, or an event. `pick` chooses among the tickets that a user has received.
#[derive(Debug, Clone)]
enum Op {
    Join(u64),
    JoinMany(Vec<u64>),
    Show(u64, usize),
    ShowMany(Vec<(u64, usize)>),
    Leave(u64, usize),
    Complete(u64, usize),
    Admit,
    MarkPresent(u64, usize),
    Merge(&'static str, u64, usize, bool),
    MergerDies(&'static str),
    Take(u64, usize, usize, Vec<u32>),
    GiveUp(usize, Vec<u32>),
    Decide(&'static str, (usize, u64), i64, Vec<(u32, i64)>),
    Sweep,
    Settings(u32, u32, Phase),
    Bucket(u32, i64),
    SlotEnds(u64),
    ClaimEnds(u64),
    GraceEnds(u64),
    WindowsPass(i64),
    SeatExpires(u32),
    FlushScripts,
    Loss,
}

fn queue_call() -> impl Strategy<Value = Op> {
    let (user, pick) = (|| 1u64..=USERS, || 0usize..8);
    let process = || prop::sample::select(vec!["one", "two"]);
    prop_oneof![
        12 => user().prop_map(Op::Join),
        6 => prop::collection::vec(user(), 1..7).prop_map(Op::JoinMany),
        8 => (user(), pick()).prop_map(|(user, pick)| Op::Show(user, pick)),
        5 => prop::collection::vec((user(), pick()), 1..7).prop_map(Op::ShowMany),
        2 => (user(), pick()).prop_map(|(user, pick)| Op::Leave(user, pick)),
        2 => (user(), pick()).prop_map(|(user, pick)| Op::Complete(user, pick)),
        10 => Just(Op::Admit),
        2 => (user(), pick()).prop_map(|(user, pick)| Op::MarkPresent(user, pick)),
        2 => (process(), user(), pick(), prop::bool::weighted(0.3))
            .prop_map(|(process, user, pick, leaves)| Op::Merge(process, user, pick, leaves)),
        1 => process().prop_map(Op::MergerDies),
        5 => (0u32..6000, 0i64..3000).prop_map(|(tokens, ago)| Op::Bucket(tokens, ago)),
        2 => user().prop_map(Op::SlotEnds),
        2 => user().prop_map(Op::ClaimEnds),
        2 => user().prop_map(Op::GraceEnds),
        3 => (1i64..4).prop_map(Op::WindowsPass),
    ]
}

fn seats() -> impl Strategy<Value = Op> {
    let numbers = || prop::collection::btree_set(1..=SEATS, 1..4).prop_map(Vec::from_iter);
    let fenced = prop::collection::vec((1..=SEATS, 1i64..9), 1..5);
    let state = prop::sample::select(vec!["KEEP", "SELL", "FREE", "BLOCK"]);
    // 5,000: past its end, and still kept from others.
    let left = prop::sample::select(vec![super::stage::HOUR, 5_000, 0, -7]);
    prop_oneof![
        6 => (1..=USERS, 0usize..8, 0usize..4, numbers())
            .prop_map(|(user, pick, hold, seats)| Op::Take(user, pick, hold, seats)),
        2 => (0usize..4, numbers()).prop_map(|(hold, seats)| Op::GiveUp(hold, seats)),
        4 => (state, (0usize..4, 0..=USERS), left, fenced)
            .prop_map(|(state, of, left, seats)| Op::Decide(state, of, left, seats)),
        1 => Just(Op::Sweep),
        2 => (1..=SEATS).prop_map(Op::SeatExpires),
    ]
}

fn anything() -> impl Strategy<Value = Op> {
    use Phase::{Closed, Open, Paused, Upcoming, Withdrawn};
    let phases = vec![Open, Open, Open, Open, Open, Paused, Closed, Withdrawn, Upcoming];
    let settings = (0u32..5, 1u32..5, prop::sample::select(phases));
    prop_oneof![
        40 => queue_call(),
        15 => seats(),
        4 => settings.prop_map(|(capacity, rate, phase)| Op::Settings(capacity, rate, phase)),
        2 => Just(Op::FlushScripts),
        1 => Just(Op::Loss),
    ]
}

/// Sequences that chance rarely produces: a round with tokens for all, absent users in it, and
/// their return.
fn story() -> impl Strategy<Value = Vec<Op>> {
    let user = || 1u64..=USERS;
    let round = || vec![Op::Bucket(4000, 0), Op::Admit];
    let seats = || vec![1, 2];
    prop_oneof![
        1 => (user(), 0usize..8, 1..=USERS).prop_map(|(user, pick, other)| {
            vec![Op::SlotEnds(other), Op::Loss, Op::Show(user, pick), Op::Show(other, pick)]
        }),
        2 => (user(), 0usize..8, 0usize..3).prop_map(move |(user, pick, hold)| {
            let expired_hold = Op::Decide("KEEP", (hold, user), 5_000, vec![(1, 7), (2, 7)]);
            let join = [Op::Bucket(4000, 0), Op::Join(user), expired_hold];
            let take = [Op::Take(user, pick, hold + 1, seats()), Op::GiveUp(hold + 1, vec![1])];
            let others = [Op::Take(user, pick, hold + 1, vec![3, 4])];
            join.into_iter().chain(take).chain(others).collect()
        }),
        2 => (user(), 0usize..8, 0usize..4).prop_map(move |(user, pick, hold)| {
            let take = Op::Take(user, pick, hold, seats());
            vec![take, Op::SeatExpires(1), Op::SeatExpires(2), Op::Sweep]
        }),
        1 => (0u32..2, 0usize..8).prop_map(|(capacity, pick)| {
            let all = (1..=USERS).map(|user| Op::Show(user, pick));
            [Op::Settings(capacity, 4, Phase::Open), Op::Loss].into_iter().chain(all).collect()
        }),
        2 => (user(), user(), 0usize..8).prop_map(|(one, other, pick)| {
            let away = [Op::Settings(0, 4, Phase::Open), Op::Join(one), Op::Admit];
            let away = away.into_iter().chain([Op::WindowsPass(1), Op::Admit, Op::WindowsPass(3)]);
            let back = [Op::Bucket(4000, 0), Op::Admit, Op::Join(one), Op::Leave(other, pick)];
            let open = [Op::Settings(5, 4, Phase::Open)];
            let join = [Op::Bucket(4000, 0), Op::Join(other)];
            away.chain(open).chain(back).chain(join).collect()
        }),
        1 => (user(), 0usize..8)
            .prop_map(|(user, pick)| vec![Op::Loss, Op::Join(user), Op::Leave(user, pick)]),
        2 => Just(round()),
        3 => Just([vec![Op::WindowsPass(3), Op::Admit, Op::WindowsPass(1)], round()].concat()),
        2 => user().prop_map(move |user| [vec![Op::ClaimEnds(user)], round()].concat()),
        2 => (user(), user()).prop_map(|(one, other)| {
            vec![Op::Show(one, 0), Op::Bucket(4000, 0), Op::Join(other)]
        }),
    ]
}

fn sequence() -> impl Strategy<Value = Vec<Op>> {
    let part = prop_oneof![3 => anything().prop_map(|op| vec![op]), 1 => story()];
    prop::collection::vec(part, 20..60).prop_map(|parts| parts.concat())
}

async fn play(world: &mut World, op: &Op) {
    world.wait_past_deadlines().await;
    match op.clone() {
        Op::Join(user) => world.join(user).await,
        Op::JoinMany(users) => world.join_many(&users).await,
        Op::Show(user, pick) => world.show(user, pick).await,
        Op::ShowMany(tickets) => world.show_many(&tickets).await,
        Op::Leave(user, pick) => world.finish(Script::Leave, user, pick).await,
        Op::Complete(user, pick) => world.finish(Script::Complete, user, pick).await,
        Op::Admit => drop(world.admit().await),
        Op::MarkPresent(user, pick) => world.mark_present(user, pick).await,
        Op::Merge(process, user, pick, leaves) => world.merge(process, user, pick, leaves).await,
        Op::MergerDies(process) => world.end_merger(process).await,
        Op::Take(user, pick, hold, seats) => world.take(user, pick, hold, &seats).await,
        Op::GiveUp(hold, seats) => world.give_up(hold, &seats).await,
        Op::Decide(state, of, left, seats) => world.decide(state, of, left, &seats).await,
        Op::Sweep => world.sweep().await,
        Op::Settings(capacity, rate, phase) => world.settings(capacity, rate, phase).await,
        Op::Bucket(thousandths, ago) => world.fill_bucket(thousandths, ago).await,
        Op::SlotEnds(user) => world.end_slot(user).await,
        Op::ClaimEnds(user) => world.end_claim(user).await,
        Op::GraceEnds(user) => world.end_grace(user).await,
        Op::WindowsPass(halves) => world.pass_windows(halves).await,
        Op::SeatExpires(seat) => world.expire_seat(seat).await,
        Op::FlushScripts => world.flush_scripts().await,
        Op::Loss if world.epoch() < 5 => world.lose().await,
        Op::Loss => {}
    }
}

/// Checks the invariants that hold after every call.
fn check_invariants(old: &QueueState, new: &QueueState, capacity: usize) {
    if new.active.len() > old.active.len() {
        assert!(new.active.len() <= capacity, "more active slots than the capacity");
    }
    let lines = new.waiting.iter().chain(&new.returned).map(|(_, user)| user);
    let users: Vec<&u64> = lines.chain(new.active.keys()).chain(new.parked.keys()).collect();
    assert_eq!(users.iter().collect::<BTreeSet<_>>().len(), users.len(), "two entries of one user");
    let entries = new.place.values().map(|entry| entry.split(' ').next().expect("an entry"));
    let waiting = new.waiting.iter().map(|(sequence, _)| *sequence);
    let sequences: Vec<u64> =
        entries.map(|sequence| sequence.parse().expect("a sequence")).chain(waiting).collect();
    let unique = sequences.iter().collect::<BTreeSet<_>>().len();
    assert_eq!(unique, sequences.len(), "one entry of two users");
    assert_eq!(sequences.len(), users.len());
    assert!(sequences.iter().all(|one| !new.done.contains_key(one)), "an ended entry is back");
    assert!(old.done.iter().all(|(sequence, how)| new.done.get(sequence) == Some(how)));
}

/// Checks that a round of admission admits in order: returned entries first, then waiting ones.
fn check_admission_order(old: &QueueState, new: &QueueState) {
    let event = |event: &String| {
        let rest = event.strip_prefix("A ")?;
        rest.split(' ').next()?.parse::<u64>().ok()
    };
    let admitted: Vec<u64> = new.log[old.log.len()..].iter().filter_map(event).collect();
    let tokens: f64 = old.tokens.0.parse().expect("tokens");
    let most = if old.tokens.1 < new.tokens.1 { 4.0f64 } else { tokens };
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    let count = admitted.len() as f64;
    assert!(count <= most.max(tokens).min(4.0), "more than a second's tokens");
    let returned: Vec<u64> = old.returned.iter().map(|(sequence, _)| *sequence).collect();
    let (first, then): (Vec<u64>, Vec<u64>) =
        admitted.iter().partition(|sequence| returned.contains(sequence));
    assert_eq!(admitted, [first.clone(), then.clone()].concat(), "returned entries go first");
    assert!(first.is_sorted() && then.is_sorted(), "in order of their sequences");
    if let Some(last) = then.last() {
        // The script first turns the ring of bitmaps, so those after it are the ones it read.
        let marked =
            |sequence| new.present.iter().any(|one| one.contains(&PresenceRing::bit(sequence)));
        assert!(
            new.returned.iter().all(|(sequence, _)| !marked(*sequence)),
            "no present entry is left in returned"
        );
        assert!(new.waiting.iter().all(|(sequence, _)| sequence > last), "nobody is overtaken");
    }
}

fn check_fences(old: &SeatsState, new: &SeatsState) {
    let fence = |owner: &String| owner.split(' ').next().and_then(|it| it.parse::<i64>().ok());
    for (seat, owner) in &old.holder {
        assert!(new.holder.get(seat).and_then(fence) >= fence(owner), "seat {seat}");
    }
}

async fn run(server: &RedisServer, schedule: i64, ops: &[Op]) {
    let mut world = World::new(server, schedule).await;
    let mut old = world.compare().await;
    for op in ops {
        play(&mut world, op).await;
        let new = world.compare().await;
        check_invariants(&old.0, &new.0, world.capacity());
        if !matches!(op, Op::Loss) {
            check_fences(&old.1, &new.1);
        }
        if matches!(op, Op::Admit) {
            check_admission_order(&old.0, &new.0);
        }
        old = new;
    }
}

/// `PROPTEST_CASES` runs more.
#[test]
fn any_order_of_script_calls_matches_a_plain_model() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let server = runtime.block_on(RedisServer::throwaway()).expect("a Redis");
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let config = Config {
        cases: cases.unwrap_or(40),
        failure_persistence: None,
        max_shrink_time: 30_000,
        ..Config::default()
    };
    let schedule = Cell::new(0);
    let outcome = TestRunner::new(config).run(&sequence(), |ops| {
        schedule.set(schedule.get() + 1);
        runtime.block_on(run(&server, schedule.get(), &ops));
        Ok(())
    });
    if let Err(failed) = outcome {
        panic!("{failed}");
    }
}
