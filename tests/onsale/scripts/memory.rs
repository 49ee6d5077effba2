//! How much memory a sale takes, against what `onsale check` counts.

use onsale::store::script::Script;
use onsale_dev::redis::RedisServer;
use onsale_model::memory::{JOINER_BYTES, SEAT_BYTES};

use super::stage::{HOUR, Stage};

const BATCH: i64 = 500;

/// A user id as long as those of a large shop.
const FIRST_USER: i64 = 1_000_000_000;

async fn used(server: &RedisServer) -> u64 {
    let info: String = server.call(&["INFO", "memory"]).await.expect("Redis answers");
    let line = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
    line.and_then(|bytes| bytes.trim().parse().ok()).expect("a number")
}

/// Fails unless `count` items took at most `most` bytes each, and at least some.
fn assert_takes(what: &str, grown: u64, count: i64, most: u64) {
    let each = grown / count.unsigned_abs();
    println!("{each} bytes for each {what}");
    assert!((20..=most).contains(&each), "{each} bytes for each {what}");
}

/// All joiners become active, and no event is archived: the most that they take.
#[tokio::test]
async fn joiners_and_seats_take_no_more_memory_than_the_check_expects() {
    const JOINERS: i64 = 20_000;
    const SEATS: i64 = 20_000;
    let server = RedisServer::throwaway().await.expect("a Redis");
    let stage = Stage::open(&server, 1).await;
    let sale = [("capacity", JOINERS), ("rate", 10_000), ("seats_total", SEATS)];
    stage.configure(&[&sale[..], &[("paused", 1)]].concat()).await;
    let before = used(&server).await;
    for first in (0..JOINERS).step_by(500) {
        let users: Vec<i64> =
            (first..first + BATCH).flat_map(|user| [FIRST_USER + user, 0]).collect();
        assert_eq!(stage.run_numbers(Script::JoinMany, &users).await.word, "OK");
    }
    let waiting: i64 = stage.touch("ZCARD", "waiting", &[]).await;
    assert_eq!(waiting, JOINERS);
    assert_takes("waiting user", used(&server).await - before, JOINERS, JOINER_BYTES);
    stage.configure(&sale).await;
    let mut active: i64 = 0;
    while active < JOINERS {
        stage.run(Script::Admit, &[]).await;
        let now_active: i64 = stage.touch("ZCARD", "active", &[]).await;
        active = now_active;
    }
    assert_takes("active user", used(&server).await - before, JOINERS, JOINER_BYTES);

    let before = used(&server).await;
    for first in (1..=SEATS).step_by(500) {
        let mut args = vec![
            "SELL".to_owned(),
            "0199f3f6-7f3b-7cc3-98f1-8e8f1f0c5a11".to_owned(),
            HOUR.to_string(),
        ];
        let numbers = (first..first + BATCH).flat_map(|seat| [seat, 1, FIRST_USER + seat]);
        args.extend(numbers.map(|number| number.to_string()));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        assert_eq!(stage.run(Script::ApplySeats, &args).await.word, "OK");
    }
    assert_takes("sold seat", used(&server).await - before, SEATS, SEAT_BYTES);
}
