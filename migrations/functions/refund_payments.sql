-- refund_payments: refunds payments of one user in one schedule: the points return to the user, and the
-- seats are free or blocked. Part of the caller's transaction.
--
-- Payments that were refunded before are left out. Buyers refund one payment; the box office refunds one
-- or all of a hold, also after the deadline; the refund of a whole schedule calls it for each user of a
-- page, and has locked the seats of the page.
--
-- p_late   also after the schedule's deadline
-- p_block  the seats are blocked afterwards, and not for sale
--
-- Replies:
--   OK                 refunded: balance, refunded_at, and one element per payment in the arrays, by
--                      payment id. outbox_id is the entry that tells Redis
--   NO_PAYMENT         one of them does not exist, is another user's, or is in another schedule
--   ALREADY_REFUNDED   all of them were refunded before
--   CLOSED             the deadline has passed
create or replace function refund_payments(
    p_user bigint, p_payments bigint[], p_late boolean, p_block boolean,
    out reply text, out schedule bigint, out balance bigint, out refunded_at timestamptz,
    out payments bigint[], out reservations bigint[], out seats bigint[], out amounts bigint[],
    out paid_at timestamptz[], out seat_numbers integer[], out fences bigint[], out outbox_id bigint)
language plpgsql volatile
    set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
    set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    v_before  record;
    v_moved   boolean;
    v_due     record;
    v_rows    bigint;
    v_fenced  record;
    v_payment bigint;
begin
    -- What they paid for, before the locks.
    select array_agg(r.seat_id) as seats, count(*) as found, min(r.concert_schedule_id) as schedule,
           max(r.concert_schedule_id) as last_schedule
      into v_before
      from payment p join reservation r on r.id = p.reservation_id
     where p.id = any (p_payments) and p.user_id + 0 = p_user;
    if v_before.found = 0 or v_before.found <> cardinality(p_payments)
       or v_before.schedule <> v_before.last_schedule then
        reply := 'NO_PAYMENT';
        return;
    end if;
    schedule := v_before.schedule;

    -- Lock, then read the clock, then the locked rows.
    perform from concert_schedule where id = schedule for key share;
    -- patch: lock_seats
    perform from seat where id = any (v_before.seats) order by id for no key update;
    perform point_lock(p_user);
    refunded_at := clock_timestamp();
    -- A move may have given one of them another seat before the locks were taken. The seat that is
    -- locked may be another buyer's now, so the transaction runs again.
    -- patch: moved_seats
    v_moved := exists (select from payment p join reservation r on r.id = p.reservation_id
                        where p.id = any (p_payments) and r.seat_id <> all (v_before.seats));
    if v_moved then
        raise exception 'a reservation was moved to another seat' using errcode = '40001';
    end if;
    -- patch: refunded_before
    select array_agg(p.id order by p.id) as payments, array_agg(r.id order by p.id) as reservations,
           array_agg(r.seat_id order by p.id) as seats, array_agg(p.amount order by p.id) as amounts,
           array_agg(p.payment_at order by p.id) as paid_at
      into v_due
      from payment p join reservation r on r.id = p.reservation_id
     where p.id = any (p_payments) and p.status || '' = 'COMPLETE';
    if v_due.payments is null then
        reply := 'ALREADY_REFUNDED';
        return;
    end if;
    if not p_late and refunded_at >= (select deadline_at from concert_schedule where id = schedule) then
        reply := 'CLOSED';
        return;
    end if;

    -- Then write.
    payments := v_due.payments;
    reservations := v_due.reservations;
    seats := v_due.seats;
    amounts := v_due.amounts;
    paid_at := v_due.paid_at;
    update payment p set status = 'REFUNDED', refunded_at = refund_payments.refunded_at
     where p.id = any (v_due.payments);
    update reservation set status = 'REFUNDED'
     where id = any (v_due.reservations) and status || '' = 'COMPLETE';
    get diagnostics v_rows = row_count;
    if v_rows <> cardinality(v_due.reservations) then
        raise exception '% of % reservations refunded', v_rows, cardinality(v_due.reservations)
            using errcode = 'ON001';
    end if;
    perform record_reservations('reservation.refunded', v_due.reservations);
    for i in 1 .. cardinality(v_due.payments) loop
        v_payment := v_due.payments[i];
        balance := point_change(p_user, 'REFUND', v_due.amounts[i], v_payment::text);
        if balance is null then
            raise exception 'a refund made a balance negative' using errcode = 'ON001';
        end if;
    end loop;
    with changed as (
        update seat set fence = fence + 1, status = 'AVAILABLE', blocked = p_block, reservation_at = null
         where id = any (v_due.seats) returning id, seat_number, fence)
    select array_agg(c.seat_number order by d.n) as numbers, array_agg(c.fence order by d.n) as fences,
           string_agg(format('{"number": %s, "fence": %s}', c.seat_number, c.fence), ',') as fenced
      into v_fenced
      from unnest(v_due.seats) with ordinality as d (seat, n) join changed c on c.id = d.seat;
    seat_numbers := v_fenced.numbers;
    fences := v_fenced.fences;
    insert into outbox (kind, payload)
    values ('seats_changed', jsonb_build_object('schedule', schedule,
        'seats', ('[' || v_fenced.fenced || ']')::jsonb,
        'state', case when p_block then 'blocked' else 'free' end))
    returning id into outbox_id;
    reply := 'OK';
end $$;
