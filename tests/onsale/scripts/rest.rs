//! For how long `queue/admit` says that nothing is due, for each cause.

use onsale::store::script::Script;
use onsale_dev::redis::RedisServer;

use super::replies_queue::{sequence, silence};
use super::stage::{HOUR, Stage, now};

/// The longest rests of an open sale and before the opening, in ms.
const LONGEST: i64 = 1000;
const LONGEST_BEFORE_OPENING: i64 = 2000;
/// `notice_ms` of `lua/lib/presence` with a long presence window.
const NOTICE_MS: i64 = 10_000;

/// What ends a rest by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cause {
    SlotEnd,
    ClaimEnd,
    GraceEnd,
    Opening,
    PauseEnd,
    Token,
    Notice,
}

impl Cause {
    const ALL: [Self; 7] = [
        Self::SlotEnd,
        Self::ClaimEnd,
        Self::GraceEnd,
        Self::Opening,
        Self::PauseEnd,
        Self::Token,
        Self::Notice,
    ];

    /// Whether it matters only while somebody waits.
    fn needs_waiting(self) -> bool {
        matches!(self, Self::Opening | Self::PauseEnd | Self::Token | Self::Notice)
    }

    /// Makes it due at `due`.
    async fn arrange(self, stage: &Stage, due: i64) {
        let put = async |key: &str| {
            stage.touch::<()>("ZADD", key, &[&due.to_string(), "9"]).await;
        };
        let meta = async |field: &str, value: i64| {
            stage.touch::<()>("HSET", "meta", &[field, &value.to_string()]).await;
        };
        let place = sequence(1, 9).to_string();
        stage.touch::<()>("HSET", "place", &["9", &place]).await;
        match self {
            Self::SlotEnd => put("active").await,
            Self::ClaimEnd => put("called").await,
            Self::GraceEnd => put("parked").await,
            Self::Opening => stage.configure(&[("opens_ms", due)]).await,
            Self::PauseEnd => meta("pause_until", due).await,
            Self::Token => {
                stage.configure(&[("rate", 1)]).await;
                meta("tokens", 0).await;
                meta("tokens_at", due - 1000).await;
            }
            Self::Notice => {
                stage.configure(&[("capacity", 0)]).await;
                meta("notice_at", due - NOTICE_MS).await;
            }
        }
    }
}

/// The time of a round, and the rest that it replies.
async fn round(stage: &Stage) -> (i64, i64) {
    let reply = stage.run(Script::Admit, &[]).await;
    (reply.get(5), reply.get(9))
}

/// An open sale where nothing is due soon; with or without somebody who waits for a slot.
async fn quiet(server: &RedisServer, schedule: i64, waits: bool) -> Stage {
    let stage = Stage::open(server, schedule).await;
    if waits {
        stage.configure(&[("capacity", 0)]).await;
        stage.run_numbers(Script::Join, &[1]).await;
        stage.run(Script::Admit, &[]).await;
        stage.configure(&[]).await;
    }
    stage
}

#[tokio::test]
async fn a_rest_ends_when_the_next_change_is_due_and_after_one_second_at_the_latest() {
    let server = RedisServer::throwaway().await.expect("a Redis");
    for (number, cause) in Cause::ALL.into_iter().enumerate() {
        let mut schedule = 1000 * i64::try_from(number).expect("small");
        // Again on a machine that is too slow to look before it is due.
        loop {
            schedule += 1;
            let stage = quiet(&server, schedule, cause.needs_waiting()).await;
            let due = now() + LONGEST / 2;
            cause.arrange(&stage, due).await;
            let (at, rest) = round(&stage).await;
            if at < due {
                // A fraction of a token is rounded up.
                assert!((due..=due + 1).contains(&(at + rest)), "{cause:?}: {rest} at {at}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn before_the_opening_a_rest_is_twice_as_long_and_ends_at_the_opening() {
    let server = RedisServer::throwaway().await.expect("a Redis");
    let stage = quiet(&server, 1, false).await;
    stage.configure(&[("opens_ms", now() + HOUR)]).await;
    assert_eq!(round(&stage).await.1, LONGEST_BEFORE_OPENING);
    let opening = now() + LONGEST_BEFORE_OPENING - 200;
    stage.configure(&[("opens_ms", opening)]).await;
    let (at, rest) = round(&stage).await;
    assert_eq!(at + rest, opening.max(at + LONGEST));
}

#[tokio::test]
async fn what_only_waiting_entries_need_ends_no_rest_while_nobody_waits() {
    let server = RedisServer::throwaway().await.expect("a Redis");
    for (schedule, cause) in (1..).zip(Cause::ALL) {
        if cause.needs_waiting() {
            let stage = quiet(&server, schedule, false).await;
            cause.arrange(&stage, now() + LONGEST / 2).await;
            assert_eq!(round(&stage).await.1, LONGEST, "{cause:?}");
        }
    }
}

#[tokio::test]
async fn admission_that_stopped_or_has_more_to_do_does_not_rest() {
    let server = RedisServer::throwaway().await.expect("a Redis");
    let stage = quiet(&server, 1, false).await;
    assert_eq!(round(&stage).await.1, LONGEST, "an empty queue");
    stage.configure(&[("capacity", 0)]).await;
    for user in 1..=150 {
        stage.run_numbers(Script::Join, &[user]).await;
    }
    assert_eq!(round(&stage).await.1, LONGEST, "no capacity");
    stage.configure(&[]).await;
    let full = async || stage.touch::<()>("HSET", "meta", &["tokens_at", "0"]).await;
    full().await;
    let reply = stage.run(Script::Admit, &[]).await;
    assert_eq!((reply.word.as_str(), reply.get::<i64>(9)), ("MORE", 0));

    silence(&stage).await;
    stage.touch::<()>("HSET", "meta", &["noticed", "0"]).await;
    full().await;
    let reply = stage.run(Script::Admit, &[]).await;
    assert_eq!(reply.get::<i64>(8), sequence(1, 101), "the silence of the first does not count");
    assert_eq!(reply.get::<i64>(9), 0);
}

#[tokio::test]
async fn admission_replies_how_many_entries_of_the_log_are_not_archived() {
    let server = RedisServer::throwaway().await.expect("a Redis");
    let stage = quiet(&server, 1, false).await;
    let log = async |stage: &Stage| stage.run(Script::Admit, &[]).await.get::<i64>(10);
    assert_eq!(log(&stage).await, 0);
    stage.configure(&[("capacity", 0)]).await;
    stage.run_numbers(Script::Join, &[1]).await;
    assert_eq!(log(&stage).await, 1);
    stage.configure(&[("capacity", 1)]).await;
    assert_eq!(log(&stage).await, 2, "the admission of this call");
    stage.touch::<()>("XTRIM", "log", &["MAXLEN", "0"]).await;
    assert_eq!(log(&stage).await, 0);
}

#[tokio::test]
async fn a_sweep_replies_when_the_next_seat_lapses() {
    let server = RedisServer::throwaway().await.expect("a Redis");
    let stage = quiet(&server, 1, false).await;
    let next = async |stage: &Stage| stage.run(Script::SweepSeats, &[]).await.get::<i64>(2);
    assert_eq!(next(&stage).await, -1, "no seat is held");
    let before = now();
    let hour = HOUR.to_string();
    stage.run(Script::ApplySeats, &["KEEP", "a", &hour, "1", "1", "1"]).await;
    let left = next(&stage).await;
    assert!((HOUR - (now() - before)..=HOUR).contains(&left), "{left}");
    stage.touch::<()>("ZADD", "held", &["1", "2"]).await;
    let swept = stage.run(Script::SweepSeats, &[]).await;
    assert_eq!(swept.get::<i64>(0), 1);
    assert!(swept.get::<i64>(2) <= HOUR, "of the seat that is left");
    assert_eq!(swept.get::<i64>(3), 1, "the number of seats that are left");
}

#[tokio::test]
async fn a_round_replies_with_the_figures_of_its_sale() {
    let server = RedisServer::throwaway().await.expect("a Redis");
    let stage = quiet(&server, 1, false).await;
    let figures = async |stage: &Stage| {
        let reply = stage.run(Script::Admit, &[]).await;
        (11..18).map(|at| reply.get::<i64>(at)).collect::<Vec<_>>()
    };
    // capacity, paused, recovering, admits, seats, gone, blocked
    stage.configure(&[("capacity", 7)]).await;
    assert_eq!(figures(&stage).await, [7, 0, 0, 1, 20, 0, 0]);
    stage.configure(&[("capacity", 7), ("paused", 1)]).await;
    stage.run(Script::ApplySeats, &["SELL", "a", "0", "1", "1", "1"]).await;
    stage.run(Script::ApplySeats, &["BLOCK", "-", "0", "2", "1", "0"]).await;
    assert_eq!(figures(&stage).await, [7, 1, 0, 0, 20, 2, 1]);
    stage.configure(&[]).await;
    let later = (now() + HOUR).to_string();
    stage.touch::<()>("HSET", "meta", &["pause_until", &later]).await;
    assert_eq!(figures(&stage).await, [1000, 0, 1, 0, 20, 2, 1]);
}
