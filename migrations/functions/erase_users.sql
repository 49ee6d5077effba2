-- erase_users: erases who users are. Their reservations, payments and points stay, as numbers. From now on
-- their access tokens and tickets are refused, within two seconds at every process. Returns how many were
-- erased by this call: a user who is erased already is skipped.
--
-- Rows of sign_up_form have no name, and are purged within an hour.
--
-- p_users  ids of the users
create or replace function erase_users(p_users bigint[]) returns bigint
language plpgsql volatile
    set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
    set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    v_users bigint[];
    v_user  bigint;
begin
    -- The lock of a balance serialises all that one user does.
    for v_user in select distinct u from unnest(p_users) u order by u loop
        perform point_lock(v_user);
    end loop;
    with erased as (
        update "user" set name = 'erased', issuer = null, subject = null, name_claimed_at = null,
                          erased_at = clock_timestamp()
         where id = any (p_users) and erased_at is null returning id)
    select array_agg(id order by id) into v_users from erased;
    insert into barred_user (user_id) select unnest(v_users)
        on conflict (user_id) do update set lifted = false, changed_at = excluded.changed_at;
    delete from recovery_code where user_id = any (v_users);
    delete from idempotency_key where user_id = any (v_users);
    if (select e.recording from event_recording e where e.id) then
        insert into sale_event (type, entity, data)
        select 'user.erased', 'user:' || u, jsonb_build_object('user_id', u) from unnest(v_users) u order by u;
    end if;
    return coalesce(cardinality(v_users), 0);
end $$;
