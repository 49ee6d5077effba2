-- Who was turned away, and why: for the report of a sale. Written behind the sale by a loop of every
-- process, a few seconds of counts at once. Counts, not books: what a process that dies had not yet
-- written is lost.
create table turned_away (
    concert_schedule_id bigint      not null references concert_schedule,
    -- What they wanted: a place in line, or seats.
    wanted              text        not null check (wanted in ('join', 'hold')),
    -- The problem's code.
    reason              text        not null check (char_length(reason) between 1 and 50),
    -- Of the ten seconds in which it was written down.
    since               timestamptz not null,
    times               bigint      not null check (times > 0),
    primary key (concert_schedule_id, wanted, reason, since)
);
