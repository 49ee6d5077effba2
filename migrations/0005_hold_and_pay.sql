-- Holding and paying in one round trip each: the whole transaction is one call that commits by itself.
--
-- In all of them:
-- * Every statement of a volatile plpgsql function takes a new snapshot (READ COMMITTED). So a look
--   after a lock sees what the last holder of the lock committed. Never make one of them stable.
-- * All locks come first, in one order: key, schedule, seats by id, balance. Then the clock is read,
--   once, and then rows are looked at. A clock in the statement that takes a lock is not looked at
--   again after a wait.
-- * A refusal is a reply, given before anything is written, so what commits then is nothing. What
--   must not happen raises, and an error rolls back all of it. ON001 is "the data is inconsistent".
-- * Plans are made once per connection, by index and nothing else. Left to itself the planner plans
--   each statement with an array anew at every call, which costs more than running it; and a plan
--   kept from when a table was empty would read all of it once it is full.

-- Takes the key of a request for this transaction: FREE, or why not. The lock is tried, never waited
-- for, so that twenty retries of one request do not hold twenty connections.
create function key_claim(p_user bigint, p_key text, p_fingerprint bytea,
                          out reply text, out outcome jsonb)
language plpgsql volatile as $$
begin
    if not pg_try_advisory_xact_lock(hashtextextended(p_user || ':' || p_key, 0)) then
        reply := 'IN_PROGRESS';
        return;
    end if;
    -- A statement of its own: it must see what the last holder of the lock committed.
    select case when k.fingerprint = p_fingerprint then 'REPLAYED' else 'REUSED' end,
           case when k.fingerprint = p_fingerprint then k.outcome end
      into reply, outcome
      from idempotency_key k where k.user_id = p_user and k.key = p_key;
    reply := coalesce(reply, 'FREE');
end $$;

-- Stores the outcome under a key that this transaction has claimed.
create function key_store(p_user bigint, p_key text, p_fingerprint bytea, p_outcome jsonb)
returns void language plpgsql volatile as $$
begin
    insert into idempotency_key (user_id, key, fingerprint, outcome)
    values (p_user, p_key, p_fingerprint, p_outcome);
end $$;

-- Locks a balance, which serialises all that one person does with money and with the seat limit.
-- Made here where it is missing; null where there is no such user.
create function point_lock(p_user bigint) returns bigint language plpgsql volatile as $$
declare
    v_amount bigint;
begin
    select amount into v_amount from point where user_id = p_user for no key update;
    if found then
        return v_amount;
    end if;
    insert into point (user_id) select id from "user" where id = p_user on conflict do nothing;
    -- Not inserted: no such user, or another transaction made it meanwhile.
    select amount into v_amount from point where user_id = p_user for no key update;
    return v_amount;
end $$;

-- Changes a balance, with its history row. Null, and nothing written, where it does not cover it.
create function point_change(p_user bigint, p_kind text, p_amount bigint, p_reference text)
returns bigint language plpgsql volatile as $$
declare
    v_balance bigint;
begin
    update point set amount = amount + p_amount, last_updated_at = clock_timestamp()
     where user_id = p_user and amount + p_amount >= 0 returning amount into v_balance;
    if found then
        insert into point_history (user_id, kind, amount, balance_after, reference)
        values (p_user, p_kind, p_amount, v_balance, p_reference);
    end if;
    return v_balance;
end $$;

-- Holds seats, all or none, once per key. p_takeover_after: so many seconds past its end a hold may
-- be taken over. p_churn: so many unpaid holds of one seat within ten minutes, and no more.
-- seats_id and seats: the outbox entry, for whoever tells Redis at once.
create function hold_seats(p_user bigint, p_key text, p_fingerprint bytea, p_schedule bigint,
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
                   r.status = 'PAYMENT_WAITING'
                     and r.expires_at + make_interval(secs => p_takeover_after) <= v_now as lapsed
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

    -- The limits, for which the balance is locked: one person's holds come one after the other.
    -- + 0 keeps to the user's few rows: an index would offer all live rows of the schedule.
    select (select count(*) from reservation
             where user_id = p_user and concert_schedule_id + 0 = p_schedule
               and (status = 'COMPLETE' or status = 'PAYMENT_WAITING' and expires_at > v_now))
             as live,
           (select max(n) from
              (select count(*) as n from reservation
                where user_id = p_user and seat_id = any (p_seats)
                  and (status in ('EXPIRED', 'CANCELLED') or id = any (v_found.lapsed))
                  and reservation_at > v_now - interval '10 minutes'
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

    -- Then write.
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
           jsonb_agg(jsonb_build_object('number', c.seat_number, 'fence', c.fence)) as fenced,
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

-- Pays every seat of a hold, or none, once per key. Refusals are as final as a payment, and stored:
-- for them and for a payment the reply is OK. seats and completed: the outbox entries.
create function pay_hold(p_user bigint, p_key text, p_fingerprint bytea, p_hold uuid,
                         out reply text, out outcome jsonb, out seats_id bigint, out seats jsonb,
                         out completed_id bigint, out completed jsonb)
language plpgsql volatile
    set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    v_hold    record;
    v_look    record;
    v_balance bigint;
    v_paid    record;
    v_refusal jsonb;
begin
    select c.reply, c.outcome into reply, outcome
      from key_claim(p_user, p_key, p_fingerprint) c;
    if reply <> 'FREE' then
        return;
    end if;
    -- What is read before the locks never changes: which seats are in the hold.
    select min(concert_schedule_id) as schedule, min(queue_sequence) as sequence,
           array_agg(seat_id) as seats
      into v_hold from reservation where hold_id = p_hold and user_id = p_user;
    if v_hold.seats is null then
        reply := 'NO_HOLD';
        return;
    end if;

    -- Lock.
    perform from concert_schedule where id = v_hold.schedule for key share;
    perform from seat where id = any (v_hold.seats) order by id for no key update;
    v_balance := point_lock(p_user);

    -- Then look. Payment stops at expires_at, and nobody else may have the seats before 5 s later.
    select bool_or(status = 'PAYMENT_WAITING') as waiting,
           bool_or(status in ('COMPLETE', 'REFUNDED')) as paid,
           min(expires_at) as expires_at, sum(amount)::bigint as required,
           array_agg(id order by id) as rows
      into v_look from reservation where hold_id = p_hold and user_id = p_user;
    v_refusal := case
        when v_look.paid and not v_look.waiting then '"already_paid"'::jsonb
        when not v_look.waiting or clock_timestamp() >= v_look.expires_at then '"hold_expired"'
        when v_balance < v_look.required then jsonb_build_object('insufficient_points',
            jsonb_build_object('balance', v_balance, 'required', v_look.required)) end;

    reply := 'OK';
    if v_refusal is not null then
        outcome := jsonb_build_object('Err', v_refusal);
        perform key_store(p_user, p_key, p_fingerprint, outcome);
        return;
    end if;

    -- Then write.
    v_balance := point_change(p_user, 'PAYMENT', -v_look.required, p_hold::text);
    with done as (
        update reservation set status = 'COMPLETE'
         where id = any (v_look.rows) and status = 'PAYMENT_WAITING' returning id, amount),
    paid as (
        insert into payment (reservation_id, user_id, amount, status)
        select id, p_user, amount, 'COMPLETE' from done order by id
        returning id, reservation_id, amount, payment_at),
    changed as (
        update seat set fence = fence + 1, status = 'UNAVAILABLE'
         where id = any (v_hold.seats) returning seat_number, fence)
    select (select jsonb_agg(jsonb_build_object('id', id, 'reservation_id', reservation_id,
              'amount', amount, 'status', 'COMPLETE', 'payment_at', payment_at) order by id)
              from paid) as payments,
           (select count(*) from paid) as count,
           (select jsonb_agg(jsonb_build_object('number', seat_number, 'fence', fence))
              from changed) as fenced
      into v_paid;
    if v_balance is null or v_paid.count <> cardinality(v_look.rows) then
        raise exception '% of % reservations completed', v_paid.count, cardinality(v_look.rows)
            using errcode = 'ON001';
    end if;
    seats := jsonb_build_object('schedule', v_hold.schedule, 'seats', v_paid.fenced, 'state',
        jsonb_build_object('sold', jsonb_build_object('hold', p_hold)));
    completed := jsonb_build_object('schedule', v_hold.schedule, 'user', p_user,
        'sequence', v_hold.sequence);
    with noted as (
        insert into outbox (kind, payload)
        values ('seats_changed', seats), ('ticket_completed', completed) returning id, kind)
    select max(id) filter (where kind = 'seats_changed'),
           max(id) filter (where kind = 'ticket_completed')
      into seats_id, completed_id from noted;
    -- As serde reads and writes Result<payment::model::Paid, PayRefusal>.
    outcome := jsonb_build_object('Ok', jsonb_build_object('payments', v_paid.payments,
        'total_amount', v_look.required, 'balance', v_balance));
    perform key_store(p_user, p_key, p_fingerprint, outcome);
end $$;
