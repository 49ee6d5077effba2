-- publish_events: gives committed events their position in the feed, in order of their ids, and makes
-- a delivery for each endpoint that wants them. Returns the number of published events; 0 also while
-- another process publishes.
--
-- The lock comes first, so that the next statement sees everything that the last holder committed.
-- Positions therefore rise without a gap, and an event becomes visible only after all before it: a
-- cursor never skips one. An event that is committed late gets a late position.
--
-- p_limit  maximum number of events
create or replace function publish_events(p_limit integer) returns bigint
language plpgsql volatile as $$
declare
    v_last  bigint;
    v_count bigint;
begin
    if not exists (select from sale_event where position is null) then
        return 0;
    end if;
    select p.position into v_last from event_position p where p.id for update skip locked;
    if not found then
        return 0;
    end if;
    with taken as materialized (
        select id, row_number() over (order by id) as n
          from (select id from sale_event where position is null order by id limit p_limit) next),
    placed as (
        update sale_event e set position = v_last + taken.n
          from taken where e.id = taken.id returning e.id, e.type, e.entity, e.target),
    queued as (
        insert into webhook_delivery (endpoint_id, event_id, entity, due_at)
        select w.id, p.id, p.entity, clock_timestamp()
          from placed p join webhook_endpoint w on w.enabled and w.deleted_at is null
           and case when p.target is null then w.types = '{}' or p.type = any (w.types)
                    else p.target = w.id end
         order by p.id, w.id)
    select count(*) into v_count from placed;
    update event_position set position = v_last + v_count where id;
    return v_count;
end $$;
