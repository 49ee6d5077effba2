-- The SQL functions have files of their own since this migration: functions/*.sql, whose README says how
-- they change. hold_seats and pay_hold stay, unchanged, for processes of the release before. A migration
-- of the next release drops both.

-- Which text of each file `onsale migrate` applied last.
create table sql_function (
    -- The file's name without .sql: the function's.
    name       text        primary key,
    -- From functions/revisions.txt: a binary never replaces a higher revision than its own, which a
    -- newer release applied.
    revision   integer     not null check (revision > 0),
    -- SHA-256 of the file: two texts under one revision are an error.
    checksum   bytea       not null check (octet_length(checksum) = 32),
    applied_at timestamptz not null default clock_timestamp()
);
