-- point_lock: locks a user's balance, which serialises all that one user does with points and with the
-- seat limit. Creates a missing balance. Returns the balance; null if there is no such user.
create or replace function point_lock(p_user bigint) returns bigint language plpgsql volatile as $$
declare
    v_amount bigint;
begin
    select amount into v_amount from point where user_id = p_user for no key update;
    if found then
        return v_amount;
    end if;
    insert into point (user_id) select id from "user" where id = p_user on conflict do nothing;
    -- Not inserted: no such user, or another transaction created it meanwhile.
    select amount into v_amount from point where user_id = p_user for no key update;
    return v_amount;
end $$;
