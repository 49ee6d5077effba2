//! The scripts themselves detect another server at the same address: they never run without that
//! check.

use onsale::store::keys::ScheduleKeys;
use onsale::store::script::{Keyspace, Script, inspect};
use onsale_dev::redis::RedisServer;
use redis::aio::MultiplexedConnection;

use super::stage::Stage;

const USED: [(Script, &[&str]); 8] = [
    (Script::Join, &["7"]),
    (Script::JoinMany, &["8", "0", "9", "0"]),
    (Script::ResolveTicket, &["7", "1099511627777", "0"]),
    (Script::ResolveMany, &["7", "1099511627777"]),
    (Script::Admit, &[]),
    (Script::ClaimSeats, &["7", "1099511627777", "hold", "4", "1"]),
    (Script::ApplySeats, &["SELL", "hold", "0", "1", "1", "7"]),
    (Script::Configure, &["9", "capacity", "1"]),
];

async fn keys_and_scripts(raw: &mut MultiplexedConnection) -> (u64, u64) {
    let keys = redis::cmd("DBSIZE").query_async(raw).await.expect("a size");
    let info: String = redis::cmd("INFO").arg("memory").query_async(raw).await.expect("INFO");
    let scripts = info.lines().find_map(|line| line.strip_prefix("number_of_cached_scripts:"));
    (keys, scripts.expect("a count").trim().parse().expect("a number"))
}

/// The value of every key, as `DUMP` has it.
async fn everything(stage: &Stage) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for key in stage.keyspace.keys.all() {
        let mut dump = redis::cmd("DUMP");
        let value: Option<Vec<u8>> =
            dump.arg(&key).query_async(&mut stage.raw.clone()).await.expect("a dump");
        all.extend(value.map(|value| (key, value)));
    }
    all
}

#[tokio::test]
async fn a_server_restarted_empty_reports_lost_and_runs_no_script() {
    let mut server = RedisServer::throwaway().await.expect("a Redis");
    let mut stage = Stage::open(&server, 1).await;
    for (script, args) in USED {
        stage.run(script, args).await;
    }
    server.kill().await.expect("it is killed");
    server.restart().await.expect("it starts");
    let back = Stage::bare(&server, 1).await;
    (stage.redis, stage.raw) = (back.redis, back.raw);
    for (script, args) in USED {
        assert_eq!(stage.run(script, args).await.word, "LOST", "{script:?}");
    }
    let (keys, scripts) = keys_and_scripts(&mut stage.raw).await;
    assert_eq!((keys, scripts), (0, 1), "only the script that inspects the keys ran");

    // A rebuild needs no proof; after it the keys belong to this server.
    stage.run_id = back.run_id;
    stage.at_epoch(2);
    stage.build().await;
    stage.configure(&[]).await;
    stage.run(Script::FinishRebuild, &["0"]).await;
    assert_eq!(stage.run(Script::Join, &["7"]).await.get::<u64>(0), (2 << 40) + 1);
}

#[tokio::test]
async fn keys_copied_to_another_server_are_reported_as_lost_there() {
    let server = RedisServer::throwaway().await.expect("a Redis");
    let stage = Stage::open(&server, 1).await;
    for (script, args) in USED {
        stage.run(script, args).await;
    }
    let other = RedisServer::throwaway().await.expect("a Redis");
    let mut copy = Stage::bare(&other, 1).await;
    for (key, value) in everything(&stage).await {
        let mut restore = redis::cmd("RESTORE");
        restore.arg(key).arg(0).arg(&value[..]);
        restore.query_async::<()>(&mut copy.raw).await.expect("a copy");
    }
    // Dumped on this server: a hash that was large once has another encoding on the other server.
    let before = everything(&copy).await;
    let theirs = copy.run_id.clone();
    for run_id in [stage.run_id.clone(), theirs] {
        // For a process that was connected before, and for a new one.
        copy.keyspace = Keyspace::new(ScheduleKeys::new(copy.schedule, 1), &run_id);
        for (script, args) in USED {
            assert_eq!(copy.run(script, args).await.word, "LOST", "{script:?}");
        }
    }
    assert_eq!(everything(&copy).await, before, "nothing was changed");
    let found = inspect(&copy.redis, &copy.keyspace.keys).await.expect("Redis answers");
    assert_eq!((found.epoch, found.built_on), (1, stage.run_id));
    assert_eq!((found.server, found.loading_until_ms), (copy.run_id, 0));
}

#[tokio::test]
async fn a_process_that_missed_a_rebuild_gets_stale() {
    let server = RedisServer::throwaway().await.expect("a Redis");
    let mut stage = Stage::open(&server, 1).await;
    stage.keyspace = Keyspace::new(ScheduleKeys::new(stage.schedule, 1), &"0".repeat(40));
    let before = everything(&stage).await;
    for (script, args) in USED {
        assert_eq!(stage.run(script, args).await.word, "STALE", "{script:?}");
    }
    assert_eq!(everything(&stage).await, before, "nothing was changed");
}
