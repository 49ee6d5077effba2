-- Restores of PostgreSQL to an earlier moment, which `onsale restore finish` records.

-- Each row ends the access tokens and tickets of users that the restore lost: their ids could otherwise
-- name other people. Every process reads the table once a second.
create table restore (
    -- Of the file that `onsale restore prepare` wrote. A second run for the file finds the row, and
    -- changes nothing.
    file_id     uuid        primary key,
    -- The token generation since then: seconds since 1970. Tokens and tickets carry the generation under
    -- which they were signed; before the first restore that is 0. A count would begin again where a
    -- backup from before an earlier restore is restored.
    generation  bigint      not null unique check (generation > 0),
    -- Tokens and tickets of earlier generations are accepted for users up to this id: the restored
    -- database has them. 0 ends all earlier ones.
    kept_users  bigint      not null check (kept_users >= 0),
    -- From here on all ids of all tables continue.
    first_id    bigint      not null check (first_id > 0),
    -- What was changed, for people and for a second run.
    changes     jsonb       not null,
    finished_at timestamptz not null default clock_timestamp()
);

-- Sales that Redis has and PostgreSQL lost, as the reconciler found them: after a failover to a standby
-- without the last transactions. It blocks such a seat. No references: the rows only inform people, and
-- users and schedules may be lost too.
create table lost_sale (
    concert_schedule_id bigint      not null,
    seat_number         integer     not null,
    -- Of the sale, in Redis: a seat may be lost once more, under a higher fence.
    fence               bigint      not null,
    -- The hold that was paid, and its buyer; null if Redis did not have them.
    hold_id             uuid,
    user_id             bigint,
    found_at            timestamptz not null default clock_timestamp(),
    primary key (concert_schedule_id, seat_number, fence)
);
