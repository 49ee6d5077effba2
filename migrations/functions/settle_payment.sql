-- settle_payment: pays every seat of a hold, or none, once per key. The whole transaction is this one
-- call. Refusals of an existing hold are as final as a payment, and stored under the key too.
--
-- p_charge_up_to  maximum number of points to charge. The call charges exactly what is missing, in
--                 the same transaction. So points are charged only if the hold is paid, and only
--                 once, for any number of tabs and repeats. Null: it charges nothing
--
-- Replies:
--   OK                      paid: required, balance, charged, paid_at, and one element per payment or
--                           seat in the arrays. The outbox ids are of the entries that tell Redis
--   REPLAYED                stored is the outcome that was answered before
--   IN_PROGRESS REUSED      see key_claim
--   NO_HOLD                 the user has no such hold
--   ALREADY_PAID HOLD_EXPIRED
--   INSUFFICIENT_POINTS     the payment takes required, and the balance is balance
-- Every reply about an existing hold has its schedule, except REPLAYED.
--
-- The caller makes the client's JSON from the columns. The function makes three JSON values, which are
-- stored in this transaction and have ids, amounts and the clock in them: the outcome under the key (as
-- Result<payment::model::Paid, PayRefusal>) and two outbox entries (as seats::model::SeatsChanged and
-- queue::model::Completed).
create or replace function settle_payment(
    p_user bigint, p_key text, p_fingerprint bytea, p_hold uuid, p_charge_up_to bigint,
    out reply text, out stored jsonb, out required bigint, out balance bigint, out charged bigint,
    out paid_at timestamptz, out payments bigint[], out paid_reservations bigint[],
    out amounts bigint[], out schedule bigint, out entry_sequence bigint,
    out seat_numbers integer[], out fences bigint[],
    out seats_outbox_id bigint, out completed_outbox_id bigint)
language plpgsql volatile
    set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
    set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    v_hold    record;
    v_look    record;
    v_ended   boolean;
    v_missing bigint;
    v_paid    record;
    v_fenced  record;
    v_shared  text;
begin
    select c.reply, c.outcome into reply, stored from key_claim(p_user, p_key, p_fingerprint) c;
    if reply <> 'FREE' then
        return;
    end if;
    -- Safe to read before the locks: the seats of a hold never change.
    select min(concert_schedule_id) as schedule, min(queue_sequence) as sequence,
           array_agg(seat_id) as seats
      into v_hold from reservation where hold_id = p_hold and user_id + 0 = p_user;
    if v_hold.seats is null then
        reply := 'NO_HOLD';
        return;
    end if;
    schedule := v_hold.schedule;

    -- Lock.
    perform from concert_schedule where id = v_hold.schedule for key share;
    -- patch: lock_seats
    perform from seat where id = any (v_hold.seats) order by id for no key update;
    balance := point_lock(p_user);

    -- Then look. Payment stops at expires_at, and nobody else may have the seats before 5 s later.
    select bool_or(status = 'PAYMENT_WAITING') as waiting,
           bool_or(status in ('COMPLETE', 'REFUNDED')) as paid,
           min(expires_at) as expires_at, sum(amount)::bigint as required,
           array_agg(id order by id) as rows
      into v_look from reservation where hold_id = p_hold and user_id + 0 = p_user;
    -- patch: clock
    paid_at := clock_timestamp();
    -- patch: deadline
    v_ended := paid_at >= v_look.expires_at;
    required := v_look.required;
    v_missing := greatest(required - balance, 0);
    reply := case
        when v_look.paid and not v_look.waiting then 'ALREADY_PAID'
        when not v_look.waiting or v_ended then 'HOLD_EXPIRED'
        when v_missing > coalesce(p_charge_up_to, 0) then 'INSUFFICIENT_POINTS' end;
    if reply is not null then
        perform key_store(p_user, p_key, p_fingerprint, jsonb_build_object('Err', case reply
            when 'INSUFFICIENT_POINTS' then jsonb_build_object('insufficient_points',
                jsonb_build_object('balance', balance, 'required', required))
            else to_jsonb(lower(reply)) end));
        return;
    end if;

    -- Then write.
    if v_missing > 0 and point_change(p_user, 'CHARGE', v_missing, p_key) is null then
        raise exception 'a charge made a balance negative' using errcode = 'ON001';
    end if;
    balance := point_change(p_user, 'PAYMENT', -required, p_hold::text);
    -- The members that all payments share. Why JSON is written as text: see write_hold.
    v_shared := format('"status": "COMPLETE", "payment_at": %s', to_json(paid_at));
    with done as (
        update reservation set status = 'COMPLETE'
         where id = any (v_look.rows) and status || '' = 'PAYMENT_WAITING' returning id, amount),
    paid as (
        insert into payment (reservation_id, user_id, amount, status, payment_at)
        select id, p_user, amount, 'COMPLETE', paid_at from done order by id
        returning id, reservation_id, amount)
    select count(*) as count, array_agg(id order by id) as ids,
           array_agg(reservation_id order by id) as reservations,
           array_agg(amount order by id) as amounts,
           string_agg(format('{"id": %s, "reservation_id": %s, "amount": %s, %s}',
             id, reservation_id, amount, v_shared), ',' order by id) as outcome
      into v_paid from paid;
    if balance is null or v_paid.count <> cardinality(v_look.rows) then
        raise exception '% of % reservations completed', v_paid.count, cardinality(v_look.rows)
            using errcode = 'ON001';
    end if;
    with changed as (
        update seat set fence = fence + 1, status = 'UNAVAILABLE'
         where id = any (v_hold.seats) returning seat_number, fence)
    select array_agg(seat_number order by seat_number) as numbers,
           array_agg(fence order by seat_number) as fences,
           string_agg(format('{"number": %s, "fence": %s}', seat_number, fence),
             ',' order by seat_number) as event
      into v_fenced from changed;
    if (select e.recording from event_recording e where e.id) then
        perform record_reservations('reservation.completed', v_look.rows);
    end if;
    payments := v_paid.ids;
    paid_reservations := v_paid.reservations;
    amounts := v_paid.amounts;
    entry_sequence := v_hold.sequence;
    seat_numbers := v_fenced.numbers;
    fences := v_fenced.fences;
    charged := v_missing;
    with noted as (
        insert into outbox (kind, payload)
        values ('seats_changed', jsonb_build_object('schedule', schedule,
                    'seats', ('[' || v_fenced.event || ']')::jsonb,
                    'state', jsonb_build_object('sold', jsonb_build_object('hold', p_hold)))),
               ('ticket_completed', jsonb_build_object('schedule', schedule, 'user', p_user,
                    'sequence', entry_sequence))
        returning id, kind)
    select max(id) filter (where kind = 'seats_changed'),
           max(id) filter (where kind = 'ticket_completed')
      into seats_outbox_id, completed_outbox_id from noted;
    perform key_store(p_user, p_key, p_fingerprint, jsonb_build_object('Ok',
        jsonb_build_object('payments', ('[' || v_paid.outcome || ']')::jsonb,
            'total_amount', required, 'balance', balance)
        || case when p_charge_up_to is null then '{}'
                else jsonb_build_object('charged', charged) end));
    reply := 'OK';
end $$;
