-- Sales before they are public, changes of their seats, and the removal of test events.

-- As for 0017: a migration that waits for a lock makes holds and payments wait behind it.
set local lock_timeout = 1000;

-- A draft is visible to administrators only. Publishing it is final. Processes of the previous release
-- do not know drafts and show them, so create drafts once all processes run this release.
alter table concert add column draft boolean not null default false;

alter table concert_schedule
    add column draft          boolean not null default false,
    -- Rises with each change of the seats by an administrator: added, replaced, priced, blocked. Holds
    -- and sales do not raise it. Entity tags of the seats come from it.
    add column seats_version  integer not null default 0,
    -- When its removal began: from then on it is over for everybody, and a loop deletes its rows.
    add column removed_at     timestamptz;
alter table concert add column removed_at timestamptz;

-- What the loop of removals works on. Nearly always empty.
create index concert_schedule_removed on concert_schedule (id) where removed_at is not null;
create index concert_removed on concert (id) where removed_at is not null;

-- Fences of seats that were removed after they had changed. Redis keeps the fence of a seat number, so
-- a later seat with this number must begin above it.
create table removed_seat (
    concert_schedule_id bigint  not null references concert_schedule,
    seat_number         integer not null,
    fence               bigint  not null,
    primary key (concert_schedule_id, seat_number)
);
