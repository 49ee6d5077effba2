-- point_change: changes a balance, and writes its history row. Returns the new balance. If the balance
-- is too low, returns null and writes nothing.
create or replace function point_change(p_user bigint, p_kind text, p_amount bigint, p_reference text)
returns bigint language plpgsql volatile as $$
declare
    v_balance bigint;
begin
    update point set amount = amount + p_amount, last_updated_at = clock_timestamp()
     where user_id = p_user and amount + p_amount >= 0 returning amount into v_balance;
    if found then
        -- patch: write_history
        insert into point_history (user_id, kind, amount, balance_after, reference)
        values (p_user, p_kind, p_amount, v_balance, p_reference);
    end if;
    return v_balance;
end $$;
