-- The outbox: what becomes of an entry that Redis does not take. It steps back behind the others each
-- time, and is parked when it was refused too often, so that it keeps nobody and is not lost.

alter table outbox
    -- Tried last, or made: entries are relayed in this order, so that those which fail do not stand
    -- in front of those which would not. No index: the table is read whole to be counted anyway.
    add column due_at    timestamptz not null default clock_timestamp(),
    -- How often it was refused. A store that was away is no refusal.
    add column refusals  integer not null default 0 check (refusals >= 0),
    -- The last refusal, for people.
    add column reason    text,
    -- Since when it is not tried any more. An operator sets it to null, and it is tried again.
    add column parked_at timestamptz,
    add constraint outbox_parked_with_a_reason check (parked_at is null or reason is not null);

-- Each seat as Redis is to know it. pending: the outbox still names it, so that Redis may not have
-- heard of its last change; one snapshot shows both. What is parked is not on its way. The payload is
-- compared as JSON: one that is not what it should be names nothing, and raises nothing.
create view seat_now as
select s.id, s.concert_schedule_id, s.seat_number, s.fence, s.blocked,
       s.status = 'UNAVAILABLE' as sold, r.hold_id, r.expires_at, p.number is not null as pending
  from seat s
  left join reservation r on r.seat_id = s.id and r.status = 'PAYMENT_WAITING'
  left join (select distinct o.payload -> 'schedule' as schedule, named -> 'number' as number
               from outbox o cross join jsonb_array_elements(
                 case jsonb_typeof(o.payload -> 'seats') when 'array' then o.payload -> 'seats'
                      else '[]' end) named
              where o.kind = 'seats_changed' and o.parked_at is null) p
    on p.schedule = to_jsonb(s.concert_schedule_id) and p.number = to_jsonb(s.seat_number);
