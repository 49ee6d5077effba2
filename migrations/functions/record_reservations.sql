-- record_reservations: writes an event about reservations, one per hold, if events are recorded. The
-- caller has locked the seats and changed the reservations in the same transaction. Rehearsals, whose
-- schedules have ids below zero, write none.
--
-- p_type  type of the event, such as reservation.held
-- p_rows  ids of the reservations; null or empty: nothing is written
create or replace function record_reservations(p_type text, p_rows bigint[]) returns void
language plpgsql volatile
    set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
    set enable_hashjoin = off set enable_mergejoin = off as $$
begin
    if not (select e.recording from event_recording e where e.id) then
        return;
    end if;
    insert into sale_event (type, entity, data)
    select p_type, 'hold:' || r.hold_id, jsonb_build_object(
             'hold_id', r.hold_id, 'concert_id', min(r.concert_id),
             'schedule_id', min(r.concert_schedule_id), 'user_id', min(r.user_id),
             'expires_at', to_char(min(r.expires_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
             'total_amount', sum(r.amount)::bigint,
             'reservations', jsonb_agg(jsonb_build_object('id', r.id, 'seat_id', r.seat_id,
                 'seat_number', s.seat_number, 'amount', r.amount) order by r.id))
      from reservation r join seat s on s.id = r.seat_id
     where r.id = any (p_rows) and r.concert_schedule_id > 0
     group by r.hold_id order by min(r.id);
end $$;
