-- What a rebuilding of Redis reads from PostgreSQL.

-- When the active slot of an open place ends. It is set at admission and never moves, whatever
-- active_ttl_seconds becomes later, so a ticket from before admission cannot get a whole new slot after
-- a loss of Redis. Null where the place has no slot: not admitted yet, or passed over.
alter table queue add column slot_ends_at timestamptz;

update queue q
   set slot_ends_at = least(s.deadline_at, q.entered_at + make_interval(secs => s.active_ttl_seconds))
  from concert_schedule s
 where s.id = q.concert_schedule_id and q.status = 'ACTIVE' and q.entered_at is not null;

-- A rebuilding reads all reservations of one schedule in pages, in order of id. The index also serves
-- the statistics of one schedule, so it replaces the partial one.
create index reservation_of_schedule on reservation (concert_schedule_id, id);
drop index reservation_live_of_schedule;
