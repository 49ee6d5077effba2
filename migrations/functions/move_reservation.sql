-- move_reservation: gives a reservation another seat of the same price in its schedule. The reservation
-- keeps its id, its hold and its payment. Part of the caller's transaction, which has taken no lock of a
-- sale before.
--
-- p_seat            the new seat, which must be free
-- p_block           the seat that is left is blocked, and not for sale
-- p_takeover_after  seconds from the end of an unpaid hold until others may have its seat
--
-- Replies:
--   OK               moved: the old and the new seat with their numbers and fences. The outbox ids are of
--                    the entries that tell Redis
--   NO_RESERVATION NO_SEAT
--   NOT_COMPLETE     only a seat that somebody owns is moved
--   SAME_SEAT        it has this seat
--   NOT_FREE         the new seat is held, sold or blocked
--   OTHER_PRICE      the seats cost price and new_price
--   WAS_IN_ORDER     the hold had this seat before, and a seat is in a hold once
create or replace function move_reservation(
    p_reservation bigint, p_seat bigint, p_block boolean, p_takeover_after double precision,
    out reply text, out schedule bigint, out owner bigint, out hold uuid, out old_seat bigint,
    out price bigint, out new_price bigint, out old_number integer, out new_number integer,
    out old_fence bigint, out new_fence bigint, out old_outbox_id bigint, out new_outbox_id bigint)
language plpgsql volatile
    set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
    set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    v_now    timestamptz;
    v_look   record;
    v_target record;
    v_moved  boolean;
    v_taken  boolean;
    v_rows   bigint;
begin
    select r.concert_schedule_id, r.seat_id, r.user_id, r.hold_id
      into schedule, old_seat, owner, hold from reservation r where r.id = p_reservation;
    if not found then
        reply := 'NO_RESERVATION';
        return;
    end if;
    if not exists (select from seat where id = p_seat and concert_schedule_id + 0 = schedule) then
        reply := 'NO_SEAT';
        return;
    end if;

    -- Lock both seats, then read the clock, then the locked rows.
    perform from concert_schedule where id = schedule for key share;
    -- patch: lock_seats
    perform from seat where id in (old_seat, p_seat) order by id for no key update;
    v_now := clock_timestamp();
    select r.seat_id, r.status, s.seat_price into v_look
      from reservation r join seat s on s.id = r.seat_id where r.id = p_reservation;
    -- Another move came first: the transaction runs again, with the lock of the right seat.
    -- patch: moved_before
    v_moved := v_look.seat_id <> old_seat;
    if v_moved then
        raise exception 'the reservation was moved to another seat' using errcode = '40001';
    end if;
    reply := case when v_look.status <> 'COMPLETE' then 'NOT_COMPLETE'
                  when old_seat = p_seat then 'SAME_SEAT' end;
    if reply is not null then
        return;
    end if;
    select s.seat_price, s.status <> 'AVAILABLE' or s.blocked as gone, r.id as row_id,
           r.status = 'PAYMENT_WAITING'
             and r.expires_at <= v_now - make_interval(secs => p_takeover_after) as lapsed
      into v_target
      from seat s left join lateral (
           select id, status, expires_at from reservation
            where seat_id = s.id and status in ('PAYMENT_WAITING', 'COMPLETE') offset 0) r on true
     where s.id = p_seat;
    -- patch: taken_seat
    v_taken := v_target.gone or not coalesce(v_target.lapsed, true);
    if v_taken then
        reply := 'NOT_FREE';
        return;
    end if;
    price := v_look.seat_price;
    new_price := v_target.seat_price;
    reply := case when price <> new_price then 'OTHER_PRICE'
                  when exists (select from reservation r where r.hold_id = move_reservation.hold
                                  and r.seat_id = p_seat) then 'WAS_IN_ORDER' end;
    if reply is not null then
        return;
    end if;

    -- Then write.
    if v_target.lapsed then
        update reservation set status = 'EXPIRED', ended_at = v_now
         where id = v_target.row_id and status || '' = 'PAYMENT_WAITING';
        perform record_reservations('reservation.expired', array[v_target.row_id]);
    end if;
    update reservation set seat_id = p_seat
     where id = p_reservation and status || '' = 'COMPLETE';
    get diagnostics v_rows = row_count;
    if v_rows <> 1 then
        raise exception 'a reservation was not moved' using errcode = 'ON001';
    end if;
    -- Of a guest: the new seat was not blocked, so it is not blocked when it is taken back.
    update guest_seat set was_blocked = false where reservation_id = p_reservation and was_blocked;
    perform record_reservations('reservation.moved', array[p_reservation]);
    update seat set fence = fence + 1, status = 'AVAILABLE', blocked = p_block, reservation_at = null
     where id = old_seat returning seat_number, fence into old_number, old_fence;
    update seat set fence = fence + 1, status = 'UNAVAILABLE', reservation_at = v_now
     where id = p_seat returning seat_number, fence into new_number, new_fence;
    insert into outbox (kind, payload)
    values ('seats_changed', jsonb_build_object('schedule', schedule,
        'seats', jsonb_build_array(jsonb_build_object('number', old_number, 'fence', old_fence)),
        'state', case when p_block then 'blocked' else 'free' end))
    returning id into old_outbox_id;
    insert into outbox (kind, payload)
    values ('seats_changed', jsonb_build_object('schedule', schedule,
        'seats', jsonb_build_array(jsonb_build_object('number', new_number, 'fence', new_fence,
                                                      'user', owner)),
        'state', jsonb_build_object('sold', jsonb_build_object('hold', hold))))
    returning id into new_outbox_id;
    reply := 'OK';
end $$;
