//! Every reply that a script's header lists is provoked by a test, and every reply is listed.

use std::collections::BTreeSet;

use onsale::dev::redis::RedisServer;
use onsale::store::script::Script;

use super::stage::Stage;
use super::{
    header, replies_draw, replies_guard, replies_line, replies_load, replies_next, replies_seats,
};

/// Makes each scenario a test, which fails unless the scripts gave the replies of the table.
macro_rules! provoked {
    ($($test:ident in $module:ident: $($script:ident [$($word:ident)+])+;)+) => {
        const PROVOKED: &[(&str, Script, &[&str])] =
            &[$($((stringify!($test), Script::$script, &[$(stringify!($word)),+])),+),+];

        $(#[tokio::test]
        async fn $test() {
            let server = RedisServer::throwaway().await.expect("a Redis");
            let mut stage = Stage::open(&server, 1).await;
            $module::$test(&mut stage).await;
            let reply = stage.reply_words();
            for (_, script, words) in PROVOKED.iter().filter(|row| row.0 == stringify!($test)) {
                for word in *words {
                    assert!(reply.contains(&(script.path(), (*word).to_owned())), "{script:?} {word}");
                }
            }
        })+
    };
}

provoked! {
    joining_gives_one_place_or_says_why_not in replies_line:
        Join [WAITING RETURNED ACTIVE NOT_OPEN CLOSED SOLD_OUT UNAVAILABLE];
    whoever_has_no_place_is_not_given_one_where_that_is_asked in replies_line:
        Join [UNKNOWN WAITING ACTIVE];
    a_ticket_is_worth_what_its_place_has_come_to in replies_line:
        ResolveTicket [WAITING RETURNED ACTIVE ENDED] MarkPresent [OK];
    a_ticket_of_before_a_loss_puts_its_owner_back in replies_line:
        ResolveTicket [WAITING RETURNED ACTIVE ENDED] BeginRebuild [OK] FinishRebuild [OK];
    admission_asks_to_be_called_again_while_there_is_more_to_do in replies_line:
        Admit [OK MORE];
    who_is_next_and_why_nobody_is_is_told_by_the_rules_of_admission in replies_next:
        ListNext [OK] Admit [OK];
    tokens_come_with_time_and_fractions_are_kept in replies_line:
        Admit [OK] Join [ACTIVE];
    a_draw_moves_those_who_came_before_it_and_nobody_else in replies_draw:
        BeginDraw [OK DONE EARLY] MoveDrawn [OK DONE] FinishDraw [OK] ResolveTicket [DRAWN WAITING ENDED];
    a_draw_after_a_loss_waits_for_old_tickets_and_takes_the_rest_behind in replies_draw:
        BeginDraw [OK PAUSED] MoveDrawn [OK] FinishDraw [OK MORE];
    a_place_ends_once_and_for_the_first_reason in replies_line:
        Leave [OK] Complete [OK];
    a_code_is_used_once_and_not_after_a_loss in replies_guard:
        RedeemHandOff [OK USED OVER];
    older_settings_and_older_epochs_change_nothing in replies_guard:
        Configure [OK OLD] BeginRebuild [BEHIND] Inspect [OK];
    seats_are_claimed_all_or_none_by_whoever_is_inside in replies_seats:
        ClaimSeats [OK TAKEN NOT_ACTIVE] ReleaseClaims [OK];
    a_buyer_keeps_no_more_seats_than_the_limit in replies_seats:
        ClaimSeats [OK OVER_LIMIT] ReleaseClaims [OK] ApplySeats [OK];
    claims_of_one_hold_are_found_while_they_live in replies_seats:
        ClaimSeats [OK] FindClaims [OK];
    whose_hold_is_past_its_end_may_claim_its_seats_again_at_once in replies_seats:
        ClaimSeats [OK TAKEN OVER_LIMIT] ReleaseClaims [OK] ApplySeats [OK];
    the_highest_fence_has_the_last_word in replies_seats:
        ApplySeats [OK];
    lapsed_seats_are_taken_off_the_map in replies_seats:
        SweepSeats [OK MORE];
    seats_are_loaded_by_fence_and_only_while_the_keys_are_rebuilt in replies_load:
        LoadSeats [OK READY] BeginRebuild [OK] ApplySeats [OK];
    places_are_loaded_once_and_only_while_the_keys_are_rebuilt in replies_load:
        LoadEntries [OK READY] BeginRebuild [OK] Complete [OK];
    a_slot_that_ended_or_goes_on_comes_back_as_it_was in replies_load:
        LoadEntries [OK] ResolveTicket [ACTIVE ENDED RETURNED WAITING];
    counts_that_drifted_are_counted_anew in replies_seats:
        RecountSeats [OK] ApplySeats [OK];
    a_script_takes_as_many_seats_as_it_is_ever_given in replies_seats:
        ClaimSeats [OK TAKEN] ApplySeats [OK] ReleaseClaims [OK];
    nobody_is_served_from_keys_that_are_lost_stale_or_loading in replies_guard:
        Join [LOST STALE LOADING] ResolveTicket [LOST STALE LOADING] Admit [LOST STALE LOADING]
        BeginDraw [LOST STALE LOADING] MoveDrawn [LOST STALE LOADING] FinishDraw [LOST STALE LOADING]
        MarkPresent [LOST STALE LOADING] ListNext [LOST STALE LOADING] Leave [LOST STALE LOADING]
        RedeemHandOff [LOST STALE LOADING]
        ClaimSeats [LOST STALE LOADING] ReleaseClaims [LOST STALE LOADING] SweepSeats [LOST STALE LOADING]
        RecountSeats [LOST STALE LOADING]
        LoadSeats [LOST STALE] LoadEntries [LOST STALE]
        ApplySeats [LOST STALE] Configure [LOST STALE] Complete [LOST STALE] FinishRebuild [LOST STALE];
}

#[test]
fn every_reply_that_a_header_lists_is_provoked_by_a_test() {
    for script in Script::ALL {
        let words = PROVOKED.iter().filter(|row| row.1 == *script).flat_map(|row| row.2);
        let provoked: BTreeSet<String> = words.map(ToString::to_string).collect();
        assert_eq!(header::read(*script).replies, provoked, "{}", script.path());
    }
}

#[test]
fn every_reply_in_a_script_is_in_its_header() {
    let find = header::file("lib/entry");
    for script in Script::ALL {
        let text = header::read(*script);
        let mut replied = header::replied(&text.code);
        if text.uses.iter().any(|used| used == "lib/guard") && text.code.contains("guard(") {
            replied.extend(header::replied(&header::file("lib/guard")));
        }
        if text.code.contains("renew_lease(") {
            replied.extend(header::replied(&header::file("lib/guard")));
            replied.extend(header::replied(&header::file("lib/rebuild")));
            replied.remove("LOADING");
        }
        if text.code.contains("refused[1] ~= 'LOADING'") {
            replied.remove("LOADING");
        }
        if text.code.contains("{ state,") {
            // The words that `find` returns, and the words that the script uses instead of them.
            let states = find.lines().filter(|line| line.trim_start().starts_with("return '"));
            replied.extend(states.flat_map(header::quoted));
            replied.extend(
                text.code.lines().filter(|l| l.contains("state = '")).flat_map(header::quoted),
            );
        }
        assert_eq!(text.replies, replied, "{}", script.path());
    }
}
