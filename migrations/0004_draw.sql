-- The draw: who was in it, and where each of them fell.

-- How far a schedule's draw has come. A row is made when the line is shut for the draw; each time
-- that is set is a step that is done for good, and whoever finds the row goes on from there.
create table draw (
    concert_schedule_id bigint primary key references concert_schedule,
    -- Whoever's sequence is up to this one joined before the opening, under this epoch or an older.
    base                bigint not null check (base >= 0),
    -- How many numbers after base are kept for the places that are drawn: base + 1 to base + room.
    room                bigint not null check (room >= 0),
    begun_at            timestamptz not null default clock_timestamp(),
    -- From here on no entrant is added; only then is the secret used.
    frozen_at           timestamptz,
    entrants            bigint check (entrants <= room),
    -- Every entrant has a place, and the secret is public.
    opened_at           timestamptz,
    -- The line in Redis stands in the order drawn, and people are let in.
    moved_at            timestamptz,
    constraint draw_frozen_with_a_count check ((frozen_at is null) = (entrants is null)),
    constraint draw_in_order check ((opened_at is null or frozen_at is not null)
                                    and (moved_at is null or opened_at is not null))
);

-- One entrant. Its row in "queue" keeps the sequence of joining too, whatever place was drawn, so
-- that it stays one place with one ticket id. No reference to the user: "queue" has one, and a
-- million rows are written while everybody waits.
create table draw_entrant (
    concert_schedule_id bigint  not null,
    -- Of joining.
    sequence            bigint  not null,
    user_id             bigint  not null,
    -- The message under the HMAC.
    ticket_id           uuid    not null,
    -- 1 to the number of entrants; null until it is drawn.
    place               integer check (place > 0),
    primary key (concert_schedule_id, sequence),
    -- Whoever lost a ticket with Redis and joined again is in it once, by the older place.
    constraint draw_entrant_one_per_user unique (concert_schedule_id, user_id)
    -- Half a page is left free: a place is written beside its row, and touches no index.
) with (fillfactor = 50);

-- Which process works on a draw, and until when it is left alone: two at once would do no harm, and
-- the same work twice.
create table draw_lease (
    concert_schedule_id bigint primary key references concert_schedule,
    worker              uuid not null,
    until               timestamptz not null
);
