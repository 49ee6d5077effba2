-- Paying from the checkout in one step, and the catalogue in the order of its sales.

-- Pays every seat of a hold, or none, once per key. Refusals are as final as a payment, and stored:
-- for them and for a payment the reply is OK. seats and completed: the outbox entries.
--
-- p_charge_up_to allows a charge of exactly the points that the balance lacks, up to this many, in the
-- transaction of the payment. So points are charged only where the hold is paid, and only once, however
-- many tabs and repeats ask. The outcome then says how many were charged.
--
-- Dropped and created again: a new parameter would make a second function. Processes of the last
-- version call it with four arguments and get the default.
drop function pay_hold(bigint, text, bytea, uuid);
create function pay_hold(p_user bigint, p_key text, p_fingerprint bytea, p_hold uuid,
                         p_charge_up_to bigint default null,
                         out reply text, out outcome jsonb, out seats_id bigint, out seats jsonb,
                         out completed_id bigint, out completed jsonb)
language plpgsql volatile
    set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    v_hold    record;
    v_look    record;
    v_balance bigint;
    v_missing bigint;
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
    v_missing := greatest(v_look.required - v_balance, 0);
    v_refusal := case
        when v_look.paid and not v_look.waiting then '"already_paid"'::jsonb
        when not v_look.waiting or clock_timestamp() >= v_look.expires_at then '"hold_expired"'
        when v_missing > coalesce(p_charge_up_to, 0) then jsonb_build_object('insufficient_points',
            jsonb_build_object('balance', v_balance, 'required', v_look.required)) end;

    reply := 'OK';
    if v_refusal is not null then
        outcome := jsonb_build_object('Err', v_refusal);
        perform key_store(p_user, p_key, p_fingerprint, outcome);
        return;
    end if;

    -- Then write.
    if v_missing > 0 and point_change(p_user, 'CHARGE', v_missing, p_key) is null then
        raise exception 'a charge made a balance negative' using errcode = 'ON001';
    end if;
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
        'total_amount', v_look.required, 'balance', v_balance)
        || case when p_charge_up_to is null then '{}'
                else jsonb_build_object('charged', v_missing) end);
    perform key_store(p_user, p_key, p_fingerprint, outcome);
end $$;

-- The home page and `GET /v1/concerts?sale=`: the dates whose sale is not over, whatever the number of
-- those that are. Covers all that is compared, so that the table is not read.
create index concert_schedule_by_deadline on concert_schedule (deadline_at)
    include (concert_id, reservation_available_at);

-- The dates of one concert by when it plays, forwards for those to come, backwards for those past. Takes
-- the place of the index on concert_id alone.
create index concert_schedule_of_concert_by_date on concert_schedule (concert_id, concert_at, id);
drop index concert_schedule_of_concert;
