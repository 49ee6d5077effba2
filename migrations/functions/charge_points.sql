-- charge_points: adds points to a user's balance, once per key. The whole transaction is this one call.
--
-- p_amount  points to add; the caller has checked the API's limits
--
-- Replies:
--   OK                   charged: balance is the balance afterwards
--   REPLAYED             stored is the charge that was answered before
--   IN_PROGRESS REUSED   see key_claim
--   UNKNOWN_USER         there is no such user. Not stored, as nothing is written
--
-- The caller makes the client's JSON from the columns. The function makes the stored form of it: the
-- outcome under the key (as point::model::Charged), which has the balance in it.
create or replace function charge_points(
    p_user bigint, p_key text, p_fingerprint bytea, p_amount bigint,
    out reply text, out stored jsonb, out balance bigint)
language plpgsql volatile
    set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
declare
    v_known boolean;
begin
    select c.reply, c.outcome into reply, stored from key_claim(p_user, p_key, p_fingerprint) c;
    if reply <> 'FREE' then
        return;
    end if;

    -- Lock, then change: point_change reads the clock in the statement that changes the balance, and
    -- a statement that waits for a lock does not read the clock again.
    -- patch: lock_balance
    v_known := point_lock(p_user) is not null;
    if not v_known then
        reply := 'UNKNOWN_USER';
        return;
    end if;

    balance := point_change(p_user, 'CHARGE', p_amount, p_key);
    if balance is null then
        raise exception 'a charge made a balance negative' using errcode = 'ON001';
    end if;
    perform key_store(p_user, p_key, p_fingerprint,
                      jsonb_build_object('amount', p_amount, 'balance', balance));
    reply := 'OK';
end $$;
