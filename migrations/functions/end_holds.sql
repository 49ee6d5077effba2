-- end_holds: ends the unpaid holds of seats that nobody may have: their sales are lost. The caller has
-- locked these seats. Returns how many reservations of them ended.
--
-- A hold is paid whole or not at all, so the time of its other seats is over too: a payment is refused
-- with HOLD_EXPIRED, and expiry frees them. Their locks are not needed: a payment of the hold needs the
-- locks that the caller has.
--
-- p_seats  ids of the seats
create or replace function end_holds(p_seats bigint[]) returns bigint
language plpgsql volatile
    set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
    set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    v_ended bigint[];
    v_now   timestamptz;
begin
    with ended as (
        update reservation set status = 'EXPIRED'
         where seat_id = any (p_seats) and status = 'PAYMENT_WAITING' returning id)
    select array_agg(id) into v_ended from ended;
    perform record_reservations('reservation.expired', v_ended);
    v_now := clock_timestamp();
    update reservation set expires_at = v_now
     where hold_id = any (array(select hold_id from reservation where id = any (v_ended)))
       and status || '' = 'PAYMENT_WAITING' and expires_at > v_now;
    return coalesce(cardinality(v_ended), 0);
end $$;
