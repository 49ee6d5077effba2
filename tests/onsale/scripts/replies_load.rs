//! Scenarios for the scripts that load data in a rebuild, one for each subject. See `replies`.

use onsale::store::script::Script;

use super::replies_queue::{number, sequence};
use super::stage::{HOUR, ScriptReply, Stage, now};

/// `queue/load_entries` with these words.
async fn load_entries(stage: &Stage, kind: &str, words: &[&str]) -> ScriptReply {
    stage.run(Script::LoadEntries, &[&["30000", kind], words].concat()).await
}

/// The end of the lease, by Redis's clock.
async fn lease(stage: &Stage) -> i64 {
    number(stage, "loading_until").await
}

pub async fn seats_are_loaded_by_fence_and_only_during_a_rebuild(stage: &mut Stage) {
    stage.at_epoch(2);
    stage.build().await;
    let before = lease(stage).await;
    let seats = [
        ["1", "3", "SELL", "-", "0", "0"],
        ["2", "2", "KEEP", "hold", "3600000", "77"],
        ["3", "1", "FREE", "-", "0", "0"],
        ["4", "1", "BLOCK", "-", "0", "0"],
        ["5", "1", "KEEP", "over", "-5", "0"],
    ];
    let all = [&["90000"], seats.concat().as_slice()].concat();
    stage.run(Script::LoadSeats, &all).await.is("OK", &[5, 1]);
    assert!(lease(stage).await > before + 50_000, "loading renews the lease");
    stage.run(Script::LoadSeats, &all).await.is("OK", &[0, 1]);
    assert_eq!((number(stage, "gone").await, number(stage, "blocked").await), (2, 1));
    let held: Vec<String> = stage.touch("ZRANGE", "held", &["0", "-1"]).await;
    assert_eq!(held, ["2"], "an expired hold is not held");
    let theirs: String = stage.touch("HGET", "user_seats", &["77"]).await;
    assert_eq!(theirs, "2", "a loaded seat counts for its user");

    // A change from during the rebuild is applied first; a page that was read before it comes
    // later.
    let decided = stage.run(Script::ApplySeats, &["KEEP", "later", "3600000", "1", "5", "0"]).await;
    assert_eq!(decided.word, "OK");
    let load = async |fence, state| {
        let args = ["30000", "1", fence, state, "-", "0", "0"];
        stage.run(Script::LoadSeats, &args).await.get::<i64>(0)
    };
    assert_eq!(load("4", "SELL").await, 0);
    let owner: String = stage.touch("HGET", "holder", &["1"]).await;
    assert_eq!((owner.as_str(), number(stage, "gone").await), ("5 KEEP later", 1));
    assert_eq!(load("6", "FREE").await, 1);
    let held: Vec<String> = stage.touch("ZRANGE", "held", &["0", "-1"]).await;
    assert_eq!((held, number(stage, "gone").await), (vec!["2".to_owned()], 1));

    stage.configure(&[]).await;
    stage.run(Script::FinishRebuild, &["0"]).await;
    stage
        .run(Script::LoadSeats, &["30000", "1", "9", "SELL", "-", "0", "0"])
        .await
        .is("READY", &[]);
    let owner: String = stage.touch("HGET", "holder", &["1"]).await;
    assert_eq!(owner, "6 FREE -", "a late call loads nothing");
}

pub async fn entries_are_loaded_once_and_only_during_a_rebuild(stage: &mut Stage) {
    stage.at_epoch(2);
    stage.build().await;
    let of = |number| sequence(1, number).to_string();
    let done = async || -> Vec<u8> { stage.touch("GET", "done:1", &[]).await };
    // Two bits for each entry: 3 completed, 2 left, 1 expired. Entry 1 has completed.
    assert_eq!(load_entries(stage, "ENDED", &["1", "0", "0"]).await.word, "OK");
    assert_eq!(done().await, [0b0011_0000]);
    // Entry 2 completes meanwhile. PostgreSQL has it as left, and entry 3 as expired.
    stage.run(Script::Complete, &["7", &of(2)]).await.is("OK", &[3]);
    assert_eq!(load_entries(stage, "ENDED", &["1", "0", "\t"]).await.word, "OK");
    assert_eq!(done().await, [0b0011_1101], "an ended entry keeps its reason");
    for _ in 0..2 {
        assert_eq!(load_entries(stage, "PAID", &["8", &of(3), "9", &of(4)]).await.word, "OK");
        assert_eq!(done().await, [0b0011_1101, 0b1100_0000]);
        let events: i64 = stage.touch("XLEN", "log", &[]).await;
        assert_eq!(events, 2, "each completion is logged once");
    }
    assert_eq!(load_entries(stage, "COUNT", &["12"]).await.word, "OK");
    assert_eq!(number(stage, "joined_before").await, 12);

    stage.configure(&[]).await;
    stage.run(Script::FinishRebuild, &["0"]).await;
    load_entries(stage, "ENDED", &["1", "0", "ww"]).await.is("READY", &[]);
    assert_eq!(done().await, [0b0011_1101, 0b1100_0000], "a late call loads nothing");
}

pub async fn waiting_entries_are_loaded_in_order_and_once_for_each_user(stage: &mut Stage) {
    stage.at_epoch(2);
    stage.build().await;
    let of = |number| sequence(1, number).to_string();
    let bits = async || -> Vec<u8> { stage.touch("GET", "bits:1", &[]).await };
    let waiting = async || -> Vec<String> {
        stage.touch("ZRANGE", "waiting", &["0", "-1", "WITHSCORES"]).await
    };
    let before = lease(stage).await;
    let load = ["7", &of(1), "8", &of(2), "9", &of(5), "7", &of(6)];
    for _ in 0..2 {
        assert_eq!(load_entries(stage, "WAITING", &load).await.word, "OK");
        assert_eq!(waiting().await, ["7", &of(1), "8", &of(2), "9", &of(5)]);
        assert_eq!(bits().await, [0b0110_0100], "entries 1, 2 and 5; the later one of 7 is not");
    }
    assert!(lease(stage).await > before, "loading renews the lease");
    assert_eq!(load_entries(stage, "WAITING", &["9", &of(8), "10", &of(3)]).await.word, "OK");
    assert_eq!(waiting().await, ["7", &of(1), "8", &of(2), "10", &of(3), "9", &of(5)]);
    assert_eq!(bits().await, [0b0111_0100]);
    let events: i64 = stage.touch("XLEN", "log", &[]).await;
    assert_eq!(events, 0, "PostgreSQL has these entries");
    // Entry 2 was paid from, and Redis was lost before its admission was archived.
    assert_eq!(load_entries(stage, "PAID", &["8", &of(2)]).await.word, "OK");
    assert_eq!(waiting().await, ["7", &of(1), "10", &of(3), "9", &of(5)]);
    assert_eq!(bits().await, [0b0101_0100]);

    stage.configure(&[("capacity", 5)]).await;
    stage.run(Script::FinishRebuild, &["0"]).await;
    load_entries(stage, "WAITING", &["11", &of(9)]).await.is("READY", &[]);
    assert_eq!(waiting().await.len(), 6, "a late call loads nothing");
    // Tickets of slots that are not in PostgreSQL: a running one, and one that is over.
    let show = async |user, number, until_ms| {
        stage.run_numbers(Script::ResolveTicket, &[user, sequence(1, number), until_ms]).await
    };
    let ends = now() + HOUR;
    let reply = show(7, 1, ends).await;
    assert_eq!((reply.word.as_str(), reply.get::<i64>(1)), ("ACTIVE", ends));
    let reply = show(10, 3, 1).await;
    assert_eq!((reply.word.as_str(), reply.get::<i64>(0)), ("ENDED", 1), "the slot was over");
    // The slot of a later entry: it holds, and the older entry ends.
    let reply = show(9, 7, ends).await;
    assert_eq!((reply.word.as_str(), reply.get::<i64>(0)), ("ACTIVE", sequence(1, 7)));
    let reply = show(9, 5, 0).await;
    assert_eq!((reply.word.as_str(), reply.get::<i64>(0)), ("ENDED", 2), "as if the user had left");
    assert_eq!((waiting().await, bits().await), (Vec::new(), vec![0]));
}

pub async fn a_rebuild_restores_running_and_ended_slots(stage: &mut Stage) {
    stage.at_epoch(2);
    stage.build().await;
    let (of, ends) = (|number| sequence(1, number), now() + HOUR / 2);
    let slots = [of(1), ends, of(2), ends, of(3), 1].map(|it| it.to_string());
    let slots: Vec<&str> = slots.iter().map(String::as_str).collect();
    assert_eq!(load_entries(stage, "SLOTS", &slots).await.word, "OK");
    stage.configure(&[("capacity", 1)]).await;
    stage.run(Script::FinishRebuild, &["0"]).await;
    // All users show tickets from before their admission.
    let show =
        async |user, number| stage.run_numbers(Script::ResolveTicket, &[user, of(number), 0]).await;
    let reply = show(7, 1).await;
    assert_eq!(
        (reply.word.as_str(), reply.get::<i64>(1)),
        ("ACTIVE", ends),
        "the same end of the slot"
    );
    assert_eq!(show(8, 2).await.word, "RETURNED", "returned first, without free capacity");
    let reply = show(9, 3).await;
    assert_eq!((reply.word.as_str(), reply.get::<i64>(0)), ("ENDED", 1), "the slot was over");
    assert_eq!(show(10, 4).await.word, "WAITING", "never admitted");
    let log: Vec<(String, Vec<String>)> = stage.touch("XRANGE", "log", &["-", "+"]).await;
    let admitted =
        log.iter().flat_map(|(_, events)| events).filter(|event| event.starts_with("A "));
    let admitted: Vec<&str> = admitted.filter_map(|event| event.rsplit(' ').next()).collect();
    assert_eq!(admitted, [ends.to_string()], "the log says when the slot ends");
}
