//! What scripts say of settings and epochs, one scenario for each subject. Named in `replies`.

use onsale::store::script::Script;

use super::replies_line::{number, place};
use super::stage::{Stage, now};

pub async fn older_settings_and_older_epochs_change_nothing(stage: &mut Stage) {
    stage.configure(&[("capacity", 7)]).await;
    for version in ["2", "1"] {
        let said = stage.say(Script::Configure, &[version, "capacity", "3"]).await;
        said.is("OLD", &[2]);
    }
    stage.say(Script::Configure, &["3", "rate", "5"]).await.is("OK", &[]);
    assert_eq!((number(stage, "capacity").await, number(stage, "rate").await), (7, 5));

    let run_id = stage.run_id.clone();
    stage.say(Script::Restore, &[&run_id, "30000"]).await.is("BEHIND", &[1]);
    assert_eq!(number(stage, "capacity").await, 7);
    let said = stage.say(Script::Inspect, &[]).await;
    assert_eq!((said.word.as_str(), said.get::<i64>(0), said.get::<i64>(3)), ("OK", 1, 0));
    assert_eq!((said.get::<String>(1), said.get::<String>(2)), (run_id.clone(), run_id));
}

pub async fn a_code_is_used_once_and_not_after_a_loss(stage: &mut Stage) {
    let soon = (now() + 60_000).to_string();
    let code = |id: &'static str| [id, soon.as_str(), "1"].map(str::to_owned);
    for (id, word) in [("a", "OK"), ("a", "USED"), ("b", "OK"), ("a", "USED"), ("b", "USED")] {
        let args = code(id);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        stage.say(Script::HandOff, &args).await.is(word, &[]);
    }
    stage.say(Script::HandOff, &["c", "1", "1"]).await.is("OVER", &[]);
    // Marks whose codes have expired are taken away by the next one.
    let _: i64 = stage.touch("ZADD", "handed", &["5", "old"]).await;
    stage.say(Script::HandOff, &["d", &soon, "1"]).await.is("OK", &[]);
    let marks: Vec<String> = stage.touch("ZRANGE", "handed", &["0", "-1"]).await;
    assert_eq!(marks, ["a", "b", "d"]);

    stage.at_epoch(2);
    stage.build().await;
    stage.configure(&[]).await;
    stage.say(Script::Ready, &["0"]).await;
    stage.say(Script::HandOff, &["e", &soon, "1"]).await.is("OVER", &[]);
    stage.say(Script::HandOff, &["e", &soon, "2"]).await.is("OK", &[]);
}

pub async fn nobody_is_served_from_keys_that_are_lost_stale_or_loading(stage: &mut Stage) {
    let place = place(1, 1).to_string();
    let place = place.as_str();
    let calls: [(Script, &[&str], bool); 20] = [
        (Script::Join, &["7"], true),
        (Script::Ticket, &["7", place, "0"], true),
        (Script::Admit, &[], true),
        (Script::MarkPresent, &["p", place, "5000", place], true),
        (Script::Next, &["5"], true),
        (Script::Leave, &["7", place], true),
        (Script::HandOff, &["code", "9000000000000", "1"], true),
        (Script::DrawBegin, &[], true),
        (Script::DrawMove, &["7", place, "1"], true),
        (Script::DrawEnd, &[], true),
        (Script::Take, &["7", place, "hold", "4", "1"], true),
        (Script::Drop, &["hold", "1"], true),
        (Script::Sweep, &[], true),
        (Script::Recount, &["1"], true),
        // Rebuilding uses these.
        (Script::Apply, &["BLOCK", "-", "0", "1", "1", "0"], false),
        (Script::LoadSeats, &["30000", "2", "1", "FREE", "-", "0", "0"], false),
        (Script::LoadPlaces, &["30000", "COUNT", "1"], false),
        (Script::Configure, &["9", "capacity", "1"], false),
        (Script::Complete, &["7", place], false),
        (Script::Ready, &["0"], false),
    ];
    stage.at_epoch(2);
    stage.build().await;
    // Stale first: it has the scripts cached, so that what follows is their own word.
    for (word, epoch) in [("STALE", 1), ("LOST", 3), ("LOADING", 2)] {
        stage.at_epoch(epoch);
        for (script, args, waits) in calls {
            let word = if word == "LOADING" && !waits { "OK" } else { word };
            assert_eq!(stage.say(script, args).await.word, word, "{script:?}");
        }
        let keys: i64 = redis::cmd("DBSIZE").query_async(&mut stage.raw).await.expect("a size");
        assert_eq!(keys, if word == "LOADING" { 6 } else { 1 }, "meta, and what was loaded");
    }
}
