-- key_store: stores the outcome of a request under a key that this transaction has claimed.
create or replace function key_store(p_user bigint, p_key text, p_fingerprint bytea, p_outcome jsonb)
returns void language plpgsql volatile as $$
begin
    -- patch: store_outcome
    insert into idempotency_key (user_id, key, fingerprint, outcome)
    values (p_user, p_key, p_fingerprint, p_outcome);
end $$;
