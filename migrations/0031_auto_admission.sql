-- Feedback admission: the admission rate follows a target, between two bounds.
alter table concert_schedule
    -- AUTO: auto_admission has the rate. FIXED: admit_per_second is the rate.
    add column admission_mode      text    not null default 'FIXED'
        check (admission_mode in ('FIXED', 'AUTO')),
    add column auto_min_per_second integer not null default 5
        check (auto_min_per_second between 1 and 10000),
    add column auto_max_per_second integer not null default 200
        check (auto_max_per_second between 1 and 10000),
    -- Target for the 99th percentile of holds and payments.
    add column auto_p99_ms         integer not null default 500
        check (auto_p99_ms between 10 and 10000),
    -- Target for the share of holds and payments that fail.
    add column auto_error_percent  integer not null default 2
        check (auto_error_percent between 1 and 100),
    -- Target for the share of active slots in use. 100: no target.
    add column auto_slots_percent  integer not null default 100
        check (auto_slots_percent between 1 and 100),
    add constraint concert_schedule_auto_bounds check (auto_min_per_second <= auto_max_per_second);
-- Each process looks every two seconds whether there is a sale with an automatic rate.
create index concert_schedule_auto on concert_schedule (id) where admission_mode = 'AUTO';

-- The automatic rate of a sale. It is not among the settings, so that no operator's change conflicts
-- with it. A change of the rate raises concert_schedule.settings_version in the same transaction:
-- Redis takes it as it takes settings. A change of the mode deletes the row.
create table auto_admission (
    concert_schedule_id bigint      primary key references concert_schedule on delete cascade,
    rate                integer     not null check (rate between 1 and 10000),
    -- When and why the rate changed last.
    changed_at          timestamptz not null default clock_timestamp(),
    change_reason       text        not null,
    -- When it was lowered last. Null: never.
    lowered_at          timestamptz,
    -- When it was checked last, why it is what it is, and what was measured.
    checked_at          timestamptz not null default clock_timestamp(),
    reason              text        not null,
    answers             real        not null,
    -- Null if there were too few answers.
    p99_ms              real,
    error_percent       real,
    -- Null without a reading of the sale.
    slots_percent       real
);

-- The last turn: one process at a time checks the rates.
create table auto_admission_turn (
    id       boolean     primary key default true check (id),
    taken_at timestamptz not null default '-infinity'
);
insert into auto_admission_turn default values;
