//! The phase of a sale, which the scripts and the read model each compute.

use std::collections::BTreeSet;

use onsale::concert::model::{Phase, SaleState};
use onsale::store::script::Script;
use onsale_dev::redis::RedisServer;

use super::stage::{HOUR, Stage, now};

#[tokio::test]
async fn the_scripts_and_the_read_model_agree_on_the_phase_of_a_sale() {
    let server = RedisServer::throwaway().await.expect("a Redis");
    let stage = Stage::open(&server, 1).await;
    let mut found = BTreeSet::new();
    for case in 0..32 {
        let is = |bit: u32| case >> bit & 1 == 1;
        let time = |is_past: bool| if is_past { now() - HOUR } else { now() + HOUR };
        let (opens_ms, deadline_ms, paused) = (time(is(0)), time(is(1)), is(2));
        let (seats, gone) = (if is(3) { 3 } else { 0 }, if is(4) { 3 } else { 0 });
        let settings = [
            ("opens_ms", opens_ms),
            ("deadline_ms", deadline_ms),
            ("paused", i64::from(paused)),
            ("seats_total", i64::from(seats)),
        ];
        stage.configure(&settings).await;
        stage.touch::<()>("HSET", "meta", &["gone", &gone.to_string()]).await;
        let sale = SaleState { opens_ms, deadline_ms, paused, gone, seats };
        // Why `queue/list_next` admits nobody: the phase, and in an open sale that nobody waits.
        let expected = match sale.phase(now()) {
            Phase::Closed => "CLOSED",
            Phase::Upcoming if seats == 0 => "NO_SEATS",
            Phase::Upcoming => "UPCOMING",
            Phase::Paused => "PAUSED",
            Phase::SoldOut => "SOLD_OUT",
            Phase::Open => "EMPTY",
        };
        let reply = stage.run(Script::ListNext, &["1"]).await;
        assert_eq!(reply.get::<String>(0), expected, "{sale:?}");
        found.insert(expected);
    }
    assert_eq!(found.len(), 6, "{found:?}");
}
