-- revoke_guest: takes a seat back from a guest. Part of the caller's transaction, which has taken no lock
-- of a sale before.
--
-- p_block  whether the seat is blocked afterwards; null: as it was before it was given
--
-- Replies:
--   OK                taken back: the seat, its number and fence, and whether it is blocked. outbox_id is
--                     the entry that tells Redis
--   NO_GUEST          no guest has this reservation
--   ALREADY_REVOKED
create or replace function revoke_guest(
    p_reservation bigint, p_block boolean,
    out reply text, out schedule bigint, out guest bigint, out old_seat bigint, out blocked boolean,
    out old_number integer, out old_fence bigint, out outbox_id bigint)
language plpgsql volatile
    set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
    set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    v_look  record;
    v_moved boolean;
    v_rows  bigint;
begin
    select r.concert_schedule_id, r.user_id, r.seat_id, coalesce(p_block, g.was_blocked)
      into schedule, guest, old_seat, blocked
      from guest_seat g join reservation r on r.id = g.reservation_id
     where g.reservation_id = p_reservation;
    if not found then
        reply := 'NO_GUEST';
        return;
    end if;

    -- Lock, then read the locked rows.
    perform from concert_schedule where id = schedule for key share;
    -- patch: lock_seat
    perform from seat where id = old_seat for no key update;
    select r.status, r.seat_id into v_look from reservation r where r.id = p_reservation;
    -- A move came first: the transaction runs again, with the lock of the right seat.
    -- patch: moved_before
    v_moved := v_look.seat_id <> old_seat;
    if v_moved then
        raise exception 'the reservation was moved to another seat' using errcode = '40001';
    end if;
    if v_look.status <> 'COMPLETE' then
        reply := 'ALREADY_REVOKED';
        return;
    end if;

    -- Then write.
    update reservation set status = 'CANCELLED', ended_at = clock_timestamp()
     where id = p_reservation and status || '' = 'COMPLETE';
    get diagnostics v_rows = row_count;
    if v_rows <> 1 then
        raise exception 'a guest kept the reservation' using errcode = 'ON001';
    end if;
    update guest_seat set revoked_at = clock_timestamp() where reservation_id = p_reservation;
    perform record_reservations('reservation.revoked', array[p_reservation]);
    update seat s set fence = s.fence + 1, status = 'AVAILABLE', blocked = revoke_guest.blocked,
                      reservation_at = null
     where s.id = old_seat returning s.seat_number, s.fence into old_number, old_fence;
    insert into outbox (kind, payload)
    values ('seats_changed', jsonb_build_object('schedule', schedule,
        'seats', jsonb_build_array(jsonb_build_object('number', old_number, 'fence', old_fence)),
        'state', case when blocked then 'blocked' else 'free' end))
    returning id into outbox_id;
    reply := 'OK';
end $$;
