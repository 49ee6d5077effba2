-- Rehearsals: a shadow of a schedule, with synthetic buyers. All rows of a rehearsal have ids below
-- zero that follow from its own id: the shadow and its concert -id, the buyers -(id * 1000000 + number).
-- So no other row can be taken for one, and all of them can be removed.

create table rehearsal (
    id                  bigint generated always as identity primary key,
    -- The schedule that is rehearsed. The result stays if the schedule is deleted.
    concert_schedule_id bigint references concert_schedule on delete set null,
    admin               bigint not null references "user",
    -- What was asked for, as rehearsal::model reads and writes it.
    plan                jsonb  not null,
    -- BROKEN: its process died. STOPPED: an operator ended it.
    state               text   not null default 'RUNNING'
                        check (state in ('RUNNING', 'PASSED', 'FAILED', 'STOPPED', 'BROKEN')),
    -- An operator wants it to end. Its process looks once a second.
    stop_requested      boolean not null default false,
    -- The live figures, and the result.
    progress            jsonb,
    sheet               jsonb,
    started_at          timestamptz not null default clock_timestamp(),
    -- Its process writes this once a second. Another process ends a rehearsal that is silent.
    heartbeat_at        timestamptz not null default clock_timestamp(),
    ended_at            timestamptz,
    -- Until then, one process removes the shadow and the others leave it alone.
    removing_until      timestamptz,
    -- When its rows of the sale were removed: the keys in Redis and the buyers follow later.
    rows_removed_at     timestamptz,
    -- When everything was removed.
    removed_at          timestamptz,
    constraint rehearsal_ends check ((state = 'RUNNING') = (ended_at is null)),
    constraint rehearsal_removed_at_the_end check (removed_at is null or ended_at is not null)
);
-- One rehearsal at a time, until everything of the last one is removed.
create unique index rehearsal_one_at_a_time on rehearsal ((true)) where removed_at is null;
-- The rehearsals of a schedule, newest first.
create index rehearsal_of_schedule on rehearsal (concert_schedule_id, id desc);

-- A balance's changes stay for ever, except those of synthetic buyers.
create or replace function point_history_is_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and old.user_id < 0 then
        return old;
    end if;
    raise exception 'point_history is append-only';
end $$;
