-- The history of sales, for the operator's charts: it survives a reload of the console and the end of
-- every process. One process at a time writes a reading of each sale per second; readings become
-- buckets of 10 s and of a minute. docs/OPERATIONS.md says how long each is kept.
create table sale_sample (
    concert_schedule_id bigint      not null references concert_schedule on delete cascade,
    -- 1: one reading. 10, 60: a bucket of this many seconds.
    step                smallint    not null check (step in (1, 10, 60)),
    -- When a reading was written, by PostgreSQL's clock; the start of a bucket.
    at                  timestamptz not null,
    -- When its counters were read: in a bucket, with its last reading.
    counted_at          timestamptz not null,
    -- For how many seconds it stands unless a later one follows. A sale in which nothing happens is
    -- written only every ten seconds.
    stands              smallint    not null check (stands between 1 and 60),
    -- State of the sale at the end of the bucket.
    phase               text        not null,
    -- Redis lost its data, or admission pauses after a loss. The figures of the queue are null while
    -- the keys are rebuilt.
    recovering          boolean     not null,
    -- The draw has not finished.
    drawing             boolean     not null,
    epoch               bigint,
    -- Averages over a bucket.
    waiting             integer,
    active              integer,
    parked              integer,
    held                integer,
    capacity            integer,
    rate                integer,
    -- Counters at the end of the bucket. Those of admissions and expiries begin again at 0 with each
    -- epoch.
    joined              bigint,
    admitted            bigint,
    expired             bigint,
    sold                integer,
    revenue             bigint,
    refused             bigint,
    -- Of the refusals, those that a healthy sale does not have.
    failed              bigint,
    -- Of all processes together: how many there are, 99th percentiles in ms (the highest of a bucket),
    -- and answers per second.
    processes           smallint,
    join_ms             real,
    poll_ms             real,
    hold_ms             real,
    pay_ms              real,
    redis_ms            real,
    pool_ms             real,
    errors              real,
    limited             real,
    primary key (concert_schedule_id, step, at)
);
-- The roll-up takes the readings of all sales in order of time, and so does the purge.
create index sale_sample_by_time on sale_sample (step, at);

-- How far the history is written. The row of step 1 is the lease of the process that writes readings.
create table sale_sample_progress (
    step       smallint    primary key check (step in (1, 10, 60)),
    done_until timestamptz not null
);
insert into sale_sample_progress values (1, '-infinity'),
    (10, date_bin('10 s', now(), 'epoch')), (60, date_bin('1 min', now(), 'epoch'));

-- What the reconciler repaired: a marker in the charts, and an alert.
create table store_repair (
    id                  bigint      generated always as identity primary key,
    concert_schedule_id bigint      not null references concert_schedule on delete cascade,
    -- As in the metric onsale_reconciler_repairs_total.
    what                text        not null,
    times               bigint      not null check (times > 0),
    at                  timestamptz not null default clock_timestamp()
);
-- The repairs of a sale in a time.
create index store_repair_of_schedule on store_repair (concert_schedule_id, at);
