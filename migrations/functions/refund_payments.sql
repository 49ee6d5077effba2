-- refund_payments: refunds payments of one schedule, and gives their seats back. Payments that are refunded
-- already are skipped, so that it may be called again. The caller's transaction has no locks yet, or only
-- the row of a job.
--
-- p_schedule  the schedule; payments of others are skipped
-- p_payments  ids of the payments
-- p_block     whether the seats are kept back afterwards; otherwise they are for sale again
--
-- Returns what this call refunded: ids of the payments and their sum; the changed seats with their fences;
-- and the id of the outbox entry that tells Redis (as seats::model::SeatsChanged). Nulls and 0 if there was
-- nothing to refund.
--
-- It asks for no deadline and no owner: an operator decides.
create or replace function refund_payments(
    p_schedule bigint, p_payments bigint[], p_block boolean,
    out refunded bigint[], out amount bigint, out seat_numbers integer[], out fences bigint[],
    out outbox_id bigint)
language plpgsql volatile
    set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
    set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    v_seats  bigint[];
    v_found  record;
    v_row    record;
    v_now    timestamptz;
    v_count  bigint;
    v_fenced record;
begin
    -- Safe to read before the locks: what a payment is for never changes.
    select array_agg(r.seat_id) into v_seats
      from payment p join reservation r on r.id = p.reservation_id
     where p.id = any (p_payments) and r.concert_schedule_id + 0 = p_schedule;
    amount := 0;
    if v_seats is null then
        return;
    end if;

    -- Lock: the schedule, the seats by id, and the balances by user. Nobody who has a balance waits for a
    -- seat, so several balances are safe here.
    perform from concert_schedule where id = p_schedule for key share;
    -- patch: lock_seats
    perform from seat where id = any (v_seats) order by id for no key update;
    for v_row in select distinct p.user_id from payment p where p.id = any (p_payments) order by p.user_id
    loop
        perform point_lock(v_row.user_id);
    end loop;

    -- Then look: the buyer may have been refunded meanwhile.
    select array_agg(p.id order by p.id) as payments, array_agg(r.id order by r.id) as reservations,
           array_agg(r.seat_id) as seats, sum(p.amount)::bigint as amount
      into v_found
      from payment p join reservation r on r.id = p.reservation_id
     where p.id = any (p_payments) and r.concert_schedule_id + 0 = p_schedule and p.status = 'COMPLETE';
    if v_found.payments is null then
        return;
    end if;
    v_now := clock_timestamp();

    -- Then write.
    update payment set status = 'REFUNDED', refunded_at = v_now where id = any (v_found.payments);
    with done as (
        update reservation set status = 'REFUNDED'
         where id = any (v_found.reservations) and status || '' = 'COMPLETE' returning id)
    select count(*) into v_count from done;
    if v_count <> cardinality(v_found.reservations) then
        raise exception '% of % reservations refunded', v_count, cardinality(v_found.reservations)
            using errcode = 'ON001';
    end if;
    perform record_reservations('reservation.refunded', v_found.reservations);
    for v_row in select p.id, p.user_id, p.amount from payment p where p.id = any (v_found.payments) order by p.id
    loop
        if point_change(v_row.user_id, 'REFUND', v_row.amount, v_row.id::text) is null then
            raise exception 'the buyer of payment % has no balance', v_row.id using errcode = 'ON001';
        end if;
    end loop;
    with changed as (
        update seat set fence = fence + 1, status = 'AVAILABLE', reservation_at = null,
                        blocked = blocked or p_block
         where id = any (v_found.seats) returning seat_number, fence)
    select array_agg(seat_number order by seat_number) as numbers,
           array_agg(fence order by seat_number) as fences,
           string_agg(format('{"number": %s, "fence": %s}', seat_number, fence),
             ',' order by seat_number) as event
      into v_fenced from changed;
    insert into outbox (kind, payload)
    values ('seats_changed', jsonb_build_object('schedule', p_schedule,
        'seats', ('[' || v_fenced.event || ']')::jsonb,
        'state', case when p_block then 'blocked' else 'free' end))
    returning id into outbox_id;
    refunded := v_found.payments;
    amount := v_found.amount;
    seat_numbers := v_fenced.numbers;
    fences := v_fenced.fences;
end $$;
