-- Claims that no hold stands behind, and holds that are held again: hold_seats as in
-- 0005_hold_and_pay.sql, whose rules hold here too, except that
-- * a buyer may take over their own hold as soon as it can't be paid any more;
-- * the seat limit counts what keeps others from a seat, so also the seconds after a hold's end;
-- * the limit on holding the same seats again and again follows how long holds last;
-- * no two holds share an id;
-- * each seat is told to Redis with its user, who is counted there.

-- Holds seats, all or none, once per key. p_takeover_after: so many seconds past its end a hold may
-- be taken over by others; its own buyer may take it over from its end on. p_churn: so many unpaid
-- holds of one seat within ten minutes and the time that they last, and no more.
-- seats_id and seats: the outbox entry, for whoever tells Redis at once.
create or replace function hold_seats(p_user bigint, p_key text, p_fingerprint bytea, p_schedule bigint,
                           p_hold uuid, p_sequence bigint, p_seats bigint[],
                           p_takeover_after double precision, p_churn integer,
                           out reply text, out outcome jsonb, out taken bigint[],
                           out seat_limit integer, out seats_id bigint, out seats jsonb)
language plpgsql volatile
    set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    v_known boolean;
    v_now   timestamptz;
    v_sale  record;
    v_found record;
    v_mine  record;
    v_rows  bigint;
    v_made  record;
    v_until timestamptz;
begin
    select c.reply, c.outcome into reply, outcome
      from key_claim(p_user, p_key, p_fingerprint) c;
    if reply <> 'FREE' then
        return;
    end if;

    -- Lock.
    perform from concert_schedule where id = p_schedule for key share;
    if not found then
        reply := 'NO_SCHEDULE';
        return;
    end if;
    perform from seat where id = any (p_seats) and concert_schedule_id = p_schedule
      order by id for no key update;
    v_known := point_lock(p_user) is not null;

    -- Then look: first at the clock, then at what stands now that nobody else changes it.
    v_now := clock_timestamp();
    select c.id as concert, c.status, s.reservation_available_at as opens_at, s.deadline_at,
           s.hold_ttl_seconds, s.max_seats_per_user
      into v_sale
      from concert_schedule s join concert c on c.id = s.concert_id where s.id = p_schedule;
    reply := case when v_sale.status <> 'AVAILABLE' then 'UNAVAILABLE'
                  when v_now < v_sale.opens_at then 'NOT_OPEN'
                  when v_now >= v_sale.deadline_at then 'CLOSED' end;
    if reply is not null then
        return;
    end if;

    -- A seat is taken that is sold, blocked, or held by a hold not yet so long past its end.
    select count(distinct id) as seats,
           array_agg(distinct id order by id) filter (where gone or not lapsed) as taken,
           array_agg(row_id) filter (where lapsed) as lapsed
      into v_found
      from (select s.id, s.status <> 'AVAILABLE' or s.blocked as gone, r.id as row_id,
                   -- Past its end a hold can't be paid, by the status from now on as well as by the
                   -- time. So its own buyer need not wait until others may have the seat.
                   r.status = 'PAYMENT_WAITING'
                     and r.expires_at + case when r.user_id = p_user then interval '0'
                           else make_interval(secs => p_takeover_after) end <= v_now as lapsed
              from seat s left join reservation r
                on r.seat_id = s.id and r.status in ('PAYMENT_WAITING', 'COMPLETE')
             where s.id = any (p_seats) and s.concert_schedule_id = p_schedule) look;
    if v_found.seats <> cardinality(p_seats) then
        reply := 'NO_SEAT';
        return;
    end if;
    if v_found.taken is not null then
        reply := 'TAKEN';
        taken := v_found.taken;
        return;
    end if;
    if not v_known then
        reply := 'UNKNOWN_USER';
        return;
    end if;

    -- The limits, for which the balance is locked: one person's holds come one after the other. A
    -- hold counts for as long as it keeps others from its seats, unless it is taken over here.
    -- + 0 keeps to the user's few rows: an index would offer all live rows of the schedule.
    select (select count(*) from reservation
             where user_id = p_user and concert_schedule_id + 0 = p_schedule
               and (status = 'COMPLETE' or status = 'PAYMENT_WAITING'
                    and expires_at + make_interval(secs => p_takeover_after) > v_now
                    and id <> all (coalesce(v_found.lapsed, '{}'))))
             as live,
           (select max(n) from
              (select count(*) as n from reservation
                where user_id = p_user and seat_id = any (p_seats)
                  and (status in ('EXPIRED', 'CANCELLED') or id = any (v_found.lapsed))
                  -- As long as that many holds last, one after the other, and ten minutes more.
                  and reservation_at > v_now - interval '10 minutes' - p_churn
                        * make_interval(secs => v_sale.hold_ttl_seconds + p_takeover_after)
                group by seat_id) held) as churn
      into v_mine;
    if v_mine.live + cardinality(p_seats) > v_sale.max_seats_per_user then
        reply := 'OVER_LIMIT';
        seat_limit := v_sale.max_seats_per_user;
        return;
    end if;
    if v_mine.churn >= p_churn then
        reply := 'CHURN';
        return;
    end if;

    -- Then write. The key is free, so a hold of this id is of a request whose key was purged since:
    -- this is another hold, and gets an id of its own.
    if exists (select from reservation where hold_id = p_hold) then
        p_hold := gen_random_uuid();
    end if;
    if v_found.lapsed is not null then
        update reservation set status = 'EXPIRED'
         where id = any (v_found.lapsed) and status = 'PAYMENT_WAITING';
        get diagnostics v_rows = row_count;
        if v_rows <> cardinality(v_found.lapsed) then
            raise exception '% of % reservations ended', v_rows, cardinality(v_found.lapsed)
                using errcode = 'ON001';
        end if;
    end if;
    v_until := v_now + make_interval(secs => v_sale.hold_ttl_seconds);
    with changed as (
        update seat set fence = fence + 1, status = 'AVAILABLE', reservation_at = v_now
         where id = any (p_seats) returning id, seat_number, seat_price, fence),
    made as (
        -- The price is copied. A live row that slipped by is refused by the unique index.
        insert into reservation (concert_id, concert_schedule_id, seat_id, user_id, hold_id,
                                 amount, status, queue_sequence, reservation_at, expires_at)
        select v_sale.concert, p_schedule, id, p_user, p_hold, seat_price, 'PAYMENT_WAITING',
               p_sequence, v_now, v_until
          from changed order by id
        returning id, seat_id, amount)
    select jsonb_agg(jsonb_build_object('id', m.id, 'hold_id', p_hold,
             'concert_id', v_sale.concert, 'schedule_id', p_schedule, 'seat_id', m.seat_id,
             'seat_number', c.seat_number, 'status', 'PAYMENT_WAITING', 'amount', m.amount,
             'reservation_at', v_now, 'expires_at', v_until) order by m.seat_id) as rows,
           jsonb_agg(jsonb_build_object('number', c.seat_number, 'fence', c.fence,
             'user', p_user)) as fenced,
           sum(m.amount)::bigint as total
      into v_made from made m join changed c on c.id = m.seat_id;
    seats := jsonb_build_object('schedule', p_schedule, 'seats', v_made.fenced, 'state',
        jsonb_build_object('held', jsonb_build_object('hold', p_hold, 'expires_at', v_until)));
    insert into outbox (kind, payload) values ('seats_changed', seats) returning id into seats_id;
    -- As serde reads and writes reservation::model::Hold.
    outcome := jsonb_build_object('hold_id', p_hold, 'expires_at', v_until,
        'total_amount', v_made.total, 'server_time', v_now, 'reservations', v_made.rows);
    perform key_store(p_user, p_key, p_fingerprint, outcome);
    reply := 'OK';
end $$;
