//! Every reply that a script's header lists is provoked by a test, and every reply is listed.

use std::collections::BTreeSet;

use onsale::store::script::Script;
use onsale_dev::redis::RedisServer;

use super::stage::Stage;
use super::{
    header, replies_claims, replies_draw, replies_guard, replies_join, replies_load, replies_next,
    replies_queue, replies_seats,
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
    joining_gives_one_queue_entry_or_the_reason_for_refusal in replies_queue:
        Join [WAITING RETURNED ACTIVE NOT_OPEN CLOSED SOLD_OUT UNAVAILABLE];
    several_users_join_in_one_call in replies_join:
        JoinMany [OK NOT_OPEN CLOSED SOLD_OUT UNAVAILABLE];
    several_tickets_are_resolved_in_one_call in replies_join:
        ResolveMany [OK];
    a_join_limited_to_existing_entries_creates_none in replies_queue:
        Join [UNKNOWN WAITING ACTIVE];
    a_ticket_shows_the_state_of_its_entry in replies_queue:
        ResolveTicket [WAITING RETURNED ACTIVE ENDED] MarkPresent [OK];
    a_ticket_from_before_a_loss_restores_its_entry in replies_queue:
        ResolveTicket [WAITING RETURNED ACTIVE ENDED] BeginRebuild [OK] FinishRebuild [OK];
    admission_replies_more_while_work_is_left in replies_queue:
        Admit [OK MORE];
    the_next_entries_and_the_admission_block_follow_the_admission_rules in replies_next:
        ListNext [OK] Admit [OK];
    admission_tokens_accrue_with_time_and_keep_fractions in replies_queue:
        Admit [OK] Join [ACTIVE];
    a_draw_moves_the_entries_from_before_it_and_no_others in replies_draw:
        BeginDraw [OK DONE EARLY] MoveDrawn [OK DONE] FinishDraw [OK] ResolveTicket [DRAWN WAITING ENDED];
    entries_in_drawn_order_are_admitted_while_others_are_moved in replies_draw:
        MoveDrawn [OK] ListNext [OK] Admit [OK] ResolveTicket [DRAWN ENDED] FinishDraw [OK];
    a_moved_entry_that_is_silent_is_passed_over in replies_draw:
        MoveDrawn [OK] Admit [OK];
    a_draw_after_a_loss_waits_for_old_tickets_and_appends_the_rest in replies_draw:
        BeginDraw [OK PAUSED] MoveDrawn [OK] FinishDraw [OK MORE];
    an_entry_ends_once_and_for_the_first_reason in replies_queue:
        Leave [OK] Complete [OK];
    a_hand_off_code_is_used_once_and_not_after_a_loss in replies_guard:
        RedeemHandOff [OK USED OVER];
    older_settings_and_older_epochs_change_nothing in replies_guard:
        Configure [OK OLD] BeginRebuild [BEHIND] Inspect [OK];
    an_active_buyer_claims_all_seats_or_none in replies_claims:
        ClaimSeats [OK TAKEN NOT_ACTIVE] ReleaseClaims [OK];
    a_buyer_claims_no_more_seats_than_the_limit in replies_claims:
        ClaimSeats [OK OVER_LIMIT] ReleaseClaims [OK] ApplySeats [OK];
    claims_of_one_hold_are_found_while_they_live in replies_claims:
        ClaimSeats [OK] FindClaims [OK];
    a_buyer_whose_hold_expired_can_claim_its_seats_again_at_once in replies_claims:
        ClaimSeats [OK TAKEN OVER_LIMIT] ReleaseClaims [OK] ApplySeats [OK];
    the_change_with_the_highest_fence_wins in replies_seats:
        ApplySeats [OK];
    expired_seats_are_removed_from_the_map in replies_seats:
        SweepSeats [OK MORE];
    seats_are_loaded_by_fence_and_only_during_a_rebuild in replies_load:
        LoadSeats [OK READY] BeginRebuild [OK] ApplySeats [OK];
    waiting_entries_are_loaded_in_order_and_once_for_each_user in replies_load:
        LoadEntries [OK READY] ResolveTicket [ACTIVE ENDED];
    entries_are_loaded_once_and_only_during_a_rebuild in replies_load:
        LoadEntries [OK READY] BeginRebuild [OK] Complete [OK];
    a_rebuild_restores_running_and_ended_slots in replies_load:
        LoadEntries [OK] ResolveTicket [ACTIVE ENDED RETURNED WAITING];
    counts_that_drifted_are_recounted in replies_seats:
        RecountSeats [OK] ApplySeats [OK];
    the_scripts_take_the_largest_number_of_seats_they_are_ever_given in replies_seats:
        ClaimSeats [OK TAKEN] ApplySeats [OK] ReleaseClaims [OK];
    keys_that_are_lost_stale_or_loading_serve_no_requests in replies_guard:
        Join [LOST STALE LOADING] JoinMany [LOST STALE LOADING] ResolveTicket [LOST STALE LOADING]
        ResolveMany [LOST STALE LOADING] Admit [LOST STALE LOADING]
        BeginDraw [LOST STALE LOADING] MoveDrawn [LOST STALE LOADING] FinishDraw [LOST STALE LOADING]
        MarkPresent [LOST STALE LOADING] ListNext [LOST STALE LOADING] Leave [LOST STALE LOADING]
        RedeemHandOff [LOST STALE LOADING]
        ClaimSeats [LOST STALE LOADING] ReleaseClaims [LOST STALE LOADING] SweepSeats [LOST STALE LOADING]
        RecountSeats [LOST STALE LOADING] FindClaims [LOST STALE LOADING]
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
        if text.code.contains("refuse_join(") {
            replied.extend(header::replied(&header::file("lib/sale")));
        }
        if text.code.contains("refused[1] ~= 'LOADING'") {
            replied.remove("LOADING");
        }
        if text.code.contains("{ state,") {
            // The words that `find_entry` returns, and those that the script uses instead of them.
            let states = find.lines().filter(|line| line.trim_start().starts_with("return '"));
            replied.extend(states.flat_map(header::quoted));
            replied.extend(
                text.code.lines().filter(|l| l.contains("state = '")).flat_map(header::quoted),
            );
        }
        assert_eq!(text.replies, replied, "{}", script.path());
    }
}
