-- give_seats: gives seats of a schedule to a guest for free: COMPLETE reservations with amount 0 and
-- without a payment. Part of the caller's transaction, which has taken no lock of a sale before.
--
-- Blocked seats can be given too; when they are taken back, they are blocked again. Neither the sale's
-- times nor the limit of seats per user apply.
--
-- p_user            the guest
-- p_hold            id of the reservations' hold; the caller makes a new one
-- p_takeover_after  seconds from the end of an unpaid hold until others may have its seat
--
-- Replies:
--   OK            given: given_at, and one element per seat in the arrays, by seat id. outbox_id is the
--                 entry that tells Redis
--   NO_SCHEDULE   there is none, or it is being removed
--   NO_USER
--   NO_SEAT       one of the seats is not in the schedule
--   NOT_FREE      the seats in taken are held or sold
create or replace function give_seats(
    p_schedule bigint, p_user bigint, p_hold uuid, p_seats bigint[], p_admin bigint, p_reason text,
    p_takeover_after double precision,
    out reply text, out taken bigint[], out given_at timestamptz, out reservations bigint[],
    out seats bigint[], out seat_numbers integer[], out fences bigint[], out outbox_id bigint)
language plpgsql volatile
    set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
    set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    v_concert bigint;
    v_known   boolean;
    v_found   record;
    v_made    record;
begin
    -- Lock, then read the clock, then the locked rows.
    select concert_id into v_concert from concert_schedule
     where id = p_schedule and removed_at is null for key share;
    if not found then
        reply := 'NO_SCHEDULE';
        return;
    end if;
    -- patch: lock_seats
    perform from seat where id = any (p_seats) and concert_schedule_id + 0 = p_schedule
      order by id for no key update;
    v_known := point_lock(p_user) is not null;
    given_at := clock_timestamp();
    select count(distinct id) as seats,
           array_agg(distinct id order by id) filter (where sold or not lapsed) as taken,
           array_agg(row_id) filter (where lapsed) as lapsed
      into v_found
      from (select s.id, s.status <> 'AVAILABLE' as sold, r.id as row_id,
                   r.status = 'PAYMENT_WAITING'
                     and r.expires_at <= given_at - make_interval(secs => p_takeover_after) as lapsed
              from seat s left join lateral (
                   select id, status, expires_at from reservation
                    where seat_id = s.id and status in ('PAYMENT_WAITING', 'COMPLETE') offset 0) r
                on true
             where s.id = any (p_seats) and s.concert_schedule_id + 0 = p_schedule) look;
    reply := case when v_found.seats <> cardinality(p_seats) then 'NO_SEAT'
                  when not v_known then 'NO_USER' end;
    if reply is not null then
        return;
    end if;
    -- patch: taken_seats
    taken := v_found.taken;
    if taken is not null then
        reply := 'NOT_FREE';
        return;
    end if;

    -- Then write.
    if v_found.lapsed is not null then
        update reservation set status = 'EXPIRED', ended_at = given_at
         where id = any (v_found.lapsed) and status || '' = 'PAYMENT_WAITING';
        perform record_reservations('reservation.expired', v_found.lapsed);
    end if;
    with made as (
        insert into reservation (concert_id, concert_schedule_id, seat_id, user_id, hold_id, amount,
                                 status, queue_sequence, reservation_at, expires_at, guest)
        -- No queue entry has the sequence 0. A live row that slipped by is refused by the unique index.
        select v_concert, p_schedule, s.id, p_user, p_hold, 0, 'COMPLETE', 0, given_at,
               given_at + interval '1 second', true
          from seat s where s.id = any (p_seats) order by s.id
        returning id, seat_id),
    listed as (
        insert into guest_seat (reservation_id, concert_schedule_id, was_blocked, given_by, reason,
                                given_at)
        select m.id, p_schedule, s.blocked, p_admin, p_reason, give_seats.given_at
          from made m join seat s on s.id = m.seat_id),
    changed as (
        update seat set fence = fence + 1, status = 'UNAVAILABLE', blocked = false,
                        reservation_at = give_seats.given_at
         where id = any (p_seats) returning id, seat_number, fence)
    select array_agg(m.id order by m.seat_id) as ids, array_agg(m.seat_id order by m.seat_id) as seats,
           array_agg(c.seat_number order by m.seat_id) as numbers,
           array_agg(c.fence order by m.seat_id) as fences,
           string_agg(format('{"number": %s, "fence": %s, "user": %s}', c.seat_number, c.fence, p_user),
                      ',') as fenced
      into v_made from made m join changed c on c.id = m.seat_id;
    perform record_reservations('reservation.given', v_made.ids);
    reservations := v_made.ids;
    seats := v_made.seats;
    seat_numbers := v_made.numbers;
    fences := v_made.fences;
    insert into outbox (kind, payload)
    values ('seats_changed', jsonb_build_object('schedule', p_schedule,
        'seats', ('[' || v_made.fenced || ']')::jsonb,
        'state', jsonb_build_object('sold', jsonb_build_object('hold', p_hold))))
    returning id into outbox_id;
    reply := 'OK';
end $$;
