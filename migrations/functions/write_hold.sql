-- write_hold: holds seats, all or none, once per key. The whole transaction is this one call.
--
-- p_takeover_after  seconds after a hold's end before other buyers may take its seats; its own
--                   buyer may at once
-- p_churn           maximum number of unpaid holds of one seat by one user within ten minutes
--                   + p_churn * (hold_ttl_seconds + p_takeover_after)
--
-- Replies:
--   OK                      held: hold, concert, held_at, held_until, and one element per seat, by
--                           seat id, in the arrays. outbox_id is the entry that tells Redis
--   REPLAYED                stored is the hold that was answered before
--   IN_PROGRESS REUSED      see key_claim
--   TAKEN                   other buyers have the seats in taken
--   OVER_LIMIT              the sale's limit is seat_limit
--   CHURN NO_SEAT NO_SCHEDULE NOT_OPEN CLOSED UNAVAILABLE UNKNOWN_USER
--
-- The caller makes the client's JSON from the columns. The function makes two JSON values, which are
-- stored in this transaction and have ids, prices and the clock in them: the outcome under the key (as
-- reservation::model::Hold) and the outbox entry (as seats::model::SeatsChanged).
create or replace function write_hold(
    p_user bigint, p_key text, p_fingerprint bytea, p_schedule bigint, p_hold uuid, p_sequence bigint,
    p_seats bigint[], p_takeover_after double precision, p_churn integer,
    out reply text, out stored jsonb, out taken bigint[], out seat_limit integer,
    out hold uuid, out concert bigint, out held_at timestamptz, out held_until timestamptz,
    out reservations bigint[], out held_seats bigint[], out seat_numbers integer[],
    out amounts bigint[], out fences bigint[], out outbox_id bigint)
language plpgsql volatile
    set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
    set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    v_known   boolean;
    v_now     timestamptz;
    v_lapsed  timestamptz;
    v_sale    record;
    v_found   record;
    v_mine    record;
    v_rows    bigint;
    v_made    record;
    v_shared  text;
    v_recorded boolean;
begin
    if coalesce(cardinality(p_seats), 0) = 0 then
        raise exception 'a hold needs seats' using errcode = 'ON001';
    end if;
    select c.reply, c.outcome into reply, stored from key_claim(p_user, p_key, p_fingerprint) c;
    if reply <> 'FREE' then
        return;
    end if;

    -- Lock. A schedule whose removal has begun counts as removed.
    -- patch: lock_schedule
    perform from concert_schedule where id = p_schedule and removed_at is null for key share;
    if not found then
        reply := 'NO_SCHEDULE';
        return;
    end if;
    -- patch: lock_seats
    perform from seat where id = any (p_seats) and concert_schedule_id + 0 = p_schedule
      order by id for no key update;
    v_known := point_lock(p_user) is not null;

    -- Read the clock, then the locked rows: nobody else can change them now.
    v_now := clock_timestamp();
    -- Other buyers may take over holds that ended by then.
    -- patch: takeover_margin
    v_lapsed := v_now - make_interval(secs => p_takeover_after);
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

    -- A seat is taken if it is sold, blocked, or held by a hold that may not be taken over yet.
    -- Past its end a hold cannot be paid, by its status from now on as well as by the time. So its
    -- own buyer need not wait until others may have the seat.
    select count(distinct id) as seats,
           array_agg(distinct id order by id) filter (where gone or not lapsed) as taken,
           array_agg(row_id) filter (where lapsed) as lapsed
      into v_found
      from (select s.id, s.status <> 'AVAILABLE' or s.blocked as gone, r.id as row_id,
                   r.status = 'PAYMENT_WAITING' and r.expires_at
                     <= case when r.user_id = p_user then v_now else v_lapsed end as lapsed
              from seat s left join lateral (
                   -- The offset keeps this a look at one seat's entry of the unique index.
                   select id, user_id, status, expires_at from reservation
                    where seat_id = s.id and status in ('PAYMENT_WAITING', 'COMPLETE') offset 0) r
                on true
             where s.id = any (p_seats) and s.concert_schedule_id + 0 = p_schedule) look;
    if v_found.seats <> cardinality(p_seats) then
        reply := 'NO_SEAT';
        return;
    end if;
    -- patch: taken_seats
    taken := v_found.taken;
    if taken is not null then
        reply := 'TAKEN';
        return;
    end if;
    if not v_known then
        reply := 'UNKNOWN_USER';
        return;
    end if;

    -- The limits, for which the balance is locked: one user's holds come one after the other. A hold
    -- counts for as long as it keeps others from its seats, unless it is taken over here.
    with mine as materialized (
        select id, seat_id, concert_schedule_id, status, reservation_at, expires_at
          from reservation where user_id = p_user)
    select (select count(*) from mine
             where concert_schedule_id = p_schedule
               and (status = 'COMPLETE' or status = 'PAYMENT_WAITING' and expires_at > v_lapsed
                    and id <> all (coalesce(v_found.lapsed, '{}'))))
             as live,
           (select max(n) from
              (select count(*) as n from mine
                where seat_id = any (p_seats)
                  and (status in ('EXPIRED', 'CANCELLED') or id = any (v_found.lapsed))
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

    -- Then write. The key is free, so a hold of this id belongs to a request whose key was purged
    -- since: this is another hold, and gets an id of its own.
    -- patch: first_write
    hold := p_hold;
    if exists (select from reservation where hold_id = p_hold) then
        hold := gen_random_uuid();
    end if;
    if v_found.lapsed is not null then
        update reservation set status = 'EXPIRED'
         where id = any (v_found.lapsed) and status || '' = 'PAYMENT_WAITING';
        get diagnostics v_rows = row_count;
        if v_rows <> cardinality(v_found.lapsed) then
            raise exception '% of % reservations ended', v_rows, cardinality(v_found.lapsed)
                using errcode = 'ON001';
        end if;
    end if;
    v_recorded := (select e.recording from event_recording e where e.id);
    if v_recorded and v_found.lapsed is not null then
        perform record_reservations('reservation.expired', v_found.lapsed);
    end if;
    concert := v_sale.concert;
    held_at := v_now;
    held_until := v_now + make_interval(secs => v_sale.hold_ttl_seconds);
    -- The members that all reservations share. JSON is written as text, which costs a third less
    -- than jsonb_build_object for each seat. No text of a user is in it, so nothing needs escaping.
    v_shared := format('"hold_id": "%s", "concert_id": %s, "schedule_id": %s, "status": "PAYMENT_WAITING",
        "reservation_at": %s, "expires_at": %s',
        hold, concert, p_schedule, to_json(held_at), to_json(held_until));
    with changed as (
        update seat set fence = fence + 1, status = 'AVAILABLE', reservation_at = v_now
         where id = any (p_seats) returning id, seat_number, seat_price, fence),
    made as (
        -- The price is copied. A live row that slipped by is refused by the unique index.
        insert into reservation (concert_id, concert_schedule_id, seat_id, user_id, hold_id,
                                 amount, status, queue_sequence, reservation_at, expires_at)
        select v_sale.concert, p_schedule, id, p_user, hold, seat_price, 'PAYMENT_WAITING',
               p_sequence, v_now, held_until
          from changed order by id
        returning id, seat_id, amount)
    select array_agg(m.id order by m.seat_id) as ids,
           array_agg(m.seat_id order by m.seat_id) as seats,
           array_agg(c.seat_number order by m.seat_id) as numbers,
           array_agg(m.amount order by m.seat_id) as amounts,
           array_agg(c.fence order by m.seat_id) as fences,
           sum(m.amount)::bigint as total,
           string_agg(format('{"id": %s, "seat_id": %s, "seat_number": %s, "amount": %s, %s}',
             m.id, m.seat_id, c.seat_number, m.amount, v_shared), ',' order by m.seat_id) as outcome,
           string_agg(format('{"number": %s, "fence": %s, "user": %s}',
             c.seat_number, c.fence, p_user), ',' order by m.seat_id) as fenced
      into v_made from made m join changed c on c.id = m.seat_id;
    if v_recorded then
        perform record_reservations('reservation.held', v_made.ids);
    end if;
    reservations := v_made.ids;
    held_seats := v_made.seats;
    seat_numbers := v_made.numbers;
    amounts := v_made.amounts;
    fences := v_made.fences;
    insert into outbox (kind, payload)
    values ('seats_changed', jsonb_build_object('schedule', p_schedule,
        'seats', ('[' || v_made.fenced || ']')::jsonb,
        'state', jsonb_build_object('held', jsonb_build_object('hold', hold, 'expires_at', held_until))))
    returning id into outbox_id;
    perform key_store(p_user, p_key, p_fingerprint, jsonb_build_object('hold_id', hold,
        'expires_at', held_until, 'total_amount', v_made.total, 'server_time', v_now,
        'reservations', ('[' || v_made.outcome || ']')::jsonb));
    reply := 'OK';
end $$;
