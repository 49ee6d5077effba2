//! Scenarios for settings, epochs and hand-off codes, one for each subject. See `replies`.

use onsale::store::script::Script;

use super::replies_queue::{number, sequence};
use super::stage::{Stage, now};

pub async fn older_settings_and_older_epochs_change_nothing(stage: &mut Stage) {
    stage.configure(&[("capacity", 7)]).await;
    for version in ["2", "1"] {
        let reply = stage.run(Script::Configure, &[version, "capacity", "3"]).await;
        reply.is("OLD", &[2]);
    }
    stage.run(Script::Configure, &["3", "rate", "5"]).await.is("OK", &[]);
    assert_eq!((number(stage, "capacity").await, number(stage, "rate").await), (7, 5));

    let run_id = stage.run_id.clone();
    stage.run(Script::BeginRebuild, &[&run_id, "30000"]).await.is("BEHIND", &[1]);
    assert_eq!(number(stage, "capacity").await, 7);
    let reply = stage.run(Script::Inspect, &[]).await;
    assert_eq!((reply.word.as_str(), reply.get::<i64>(0), reply.get::<i64>(3)), ("OK", 1, 0));
    assert_eq!((reply.get::<String>(1), reply.get::<String>(2)), (run_id.clone(), run_id));
}

pub async fn a_hand_off_code_is_used_once_and_not_after_a_loss(stage: &mut Stage) {
    let soon = (now() + 60_000).to_string();
    let code = |id: &'static str| [id, soon.as_str(), "1"].map(str::to_owned);
    for (id, word) in [("a", "OK"), ("a", "USED"), ("b", "OK"), ("a", "USED"), ("b", "USED")] {
        let args = code(id);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        stage.run(Script::RedeemHandOff, &args).await.is(word, &[]);
    }
    stage.run(Script::RedeemHandOff, &["c", "1", "1"]).await.is("OVER", &[]);
    // The next code removes the marks of expired codes.
    let _: i64 = stage.touch("ZADD", "handed", &["5", "old"]).await;
    stage.run(Script::RedeemHandOff, &["d", &soon, "1"]).await.is("OK", &[]);
    let marks: Vec<String> = stage.touch("ZRANGE", "handed", &["0", "-1"]).await;
    assert_eq!(marks, ["a", "b", "d"]);

    stage.at_epoch(2);
    stage.build().await;
    stage.configure(&[]).await;
    stage.run(Script::FinishRebuild, &["0"]).await;
    stage.run(Script::RedeemHandOff, &["e", &soon, "1"]).await.is("OVER", &[]);
    stage.run(Script::RedeemHandOff, &["e", &soon, "2"]).await.is("OK", &[]);
}

pub async fn keys_that_are_lost_stale_or_loading_serve_no_requests(stage: &mut Stage) {
    let first = sequence(1, 1).to_string();
    let first = first.as_str();
    let calls: [(Script, &[&str], bool); 23] = [
        (Script::Join, &["7"], true),
        (Script::JoinMany, &["7", "0", "8", "1"], true),
        (Script::ResolveTicket, &["7", first, "0"], true),
        (Script::ResolveMany, &["7", first], true),
        (Script::Admit, &[], true),
        (Script::MarkPresent, &["p", first, "5000", first], true),
        (Script::ListNext, &["5"], true),
        (Script::Leave, &["7", first], true),
        (Script::RedeemHandOff, &["code", "9000000000000", "1"], true),
        (Script::BeginDraw, &[], true),
        (Script::MoveDrawn, &["1", "7", first], true),
        (Script::FinishDraw, &[], true),
        (Script::ClaimSeats, &["7", first, "hold", "4", "1"], true),
        (Script::ReleaseClaims, &["hold", "1"], true),
        (Script::FindClaims, &["7", "hold"], true),
        (Script::SweepSeats, &[], true),
        (Script::RecountSeats, &["1"], true),
        // These run while the keys are loading too.
        (Script::ApplySeats, &["BLOCK", "-", "0", "1", "1", "0"], false),
        (Script::LoadSeats, &["30000", "2", "1", "FREE", "-", "0", "0"], false),
        (Script::LoadEntries, &["30000", "COUNT", "1"], false),
        (Script::Configure, &["9", "capacity", "1"], false),
        (Script::Complete, &["7", first], false),
        (Script::FinishRebuild, &["0"], false),
    ];
    stage.at_epoch(2);
    stage.build().await;
    // STALE first: then the scripts are cached, and the replies after it are their own.
    for (word, epoch) in [("STALE", 1), ("LOST", 3), ("LOADING", 2)] {
        stage.at_epoch(epoch);
        for (script, args, waits) in calls {
            let word = if word == "LOADING" && !waits { "OK" } else { word };
            assert_eq!(stage.run(script, args).await.word, word, "{script:?}");
        }
        let keys: i64 = redis::cmd("DBSIZE").query_async(&mut stage.raw).await.expect("a size");
        assert_eq!(keys, if word == "LOADING" { 6 } else { 1 }, "meta, and the loaded keys");
    }
}
