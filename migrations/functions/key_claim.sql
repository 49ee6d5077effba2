-- key_claim: takes the key of a request for this transaction. The reply is FREE, or why it is not:
--
--   IN_PROGRESS  another transaction has the key
--   REPLAYED     the request was answered before; outcome is what was stored
--   REUSED       the key belongs to another request
--
-- The lock is tried and never waited for, so that twenty retries of one request do not hold twenty
-- connections.
create or replace function key_claim(p_user bigint, p_key text, p_fingerprint bytea,
                                     out reply text, out outcome jsonb)
language plpgsql volatile as $$
begin
    if not pg_try_advisory_xact_lock(hashtextextended(p_user || ':' || p_key, 0)) then
        reply := 'IN_PROGRESS';
        return;
    end if;
    -- A statement of its own: it must see what the last holder of the lock committed.
    select case when k.fingerprint = p_fingerprint then 'REPLAYED' else 'REUSED' end,
           case when k.fingerprint = p_fingerprint then k.outcome end
      into reply, outcome
      from idempotency_key k where k.user_id = p_user and k.key = p_key;
    reply := coalesce(reply, 'FREE');
end $$;
