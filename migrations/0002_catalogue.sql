-- What is on sale: concerts, their schedules, and the seats.

create table concert (
    id          bigint generated always as identity primary key,
    title       text not null check (char_length(title) between 1 and 200),
    description text not null default '' check (char_length(description) <= 10000),
    -- UNAVAILABLE stops joins and holds at once; holds that live may still be paid.
    status      text not null default 'AVAILABLE' check (status in ('AVAILABLE', 'UNAVAILABLE')),
    created_at  timestamptz not null default clock_timestamp()
);

create table concert_schedule (
    id                       bigint generated always as identity primary key,
    concert_id               bigint not null references concert,
    reservation_available_at timestamptz not null,
    deadline_at              timestamptz not null,
    concert_at               timestamptz not null,

    -- The queue settings. This is their home; Redis has a copy, and settings_version says which.
    queue_opens_at           timestamptz not null,
    capacity                 integer not null default 500 check (capacity between 0 and 1000000),
    admit_per_second         integer not null default 50 check (admit_per_second between 1 and 10000),
    active_ttl_seconds       integer not null default 600 check (active_ttl_seconds between 1 and 86400),
    claim_window_seconds     integer not null default 60 check (claim_window_seconds between 1 and 3600),
    presence_window_seconds  integer not null default 90 check (presence_window_seconds between 1 and 3600),
    return_grace_seconds     integer not null default 600 check (return_grace_seconds between 0 and 86400),
    hold_ttl_seconds         integer not null default 300 check (hold_ttl_seconds between 1 and 3600),
    max_seats_per_user       integer not null default 4 check (max_seats_per_user between 1 and 100),
    entry_order              text not null default 'FIFO' check (entry_order in ('FIFO', 'DRAW')),
    paused                   boolean not null default false,
    message                  text check (char_length(message) <= 1000),
    settings_version         bigint not null default 1,

    -- The draw's secret, made with the schedule; its SHA-256 is public from the first moment.
    draw_secret              bytea not null check (octet_length(draw_secret) = 32),
    draw_commitment          bytea not null check (octet_length(draw_commitment) = 32),

    -- Rises each time the schedule's keys in Redis are built anew. It makes the high bits of a
    -- sequence, so that places given out before a loss stay ahead of those given out after it.
    -- Bounded so that sequence = epoch * 2^40 + n stays exact in a double.
    queue_epoch              bigint not null default 0 check (queue_epoch between 0 and 8191),
    -- Rises when seats are added: the seat map's layout is immutable per version.
    layout_version           integer not null default 0,
    created_at               timestamptz not null default clock_timestamp(),

    constraint schedule_times_in_order
        check (reservation_available_at < deadline_at and deadline_at <= concert_at),
    constraint schedule_line_opens_first check (queue_opens_at <= reservation_available_at),
    -- Lets reservation's foreign key keep concert and schedule in agreement.
    unique (id, concert_id)
);
create index concert_schedule_of_concert on concert_schedule (concert_id);

create table seat (
    id                  bigint generated always as identity primary key,
    concert_schedule_id bigint  not null references concert_schedule,
    -- 1..n without a gap within a schedule, so that it indexes bitmaps.
    seat_number         integer not null check (seat_number between 1 and 200000),
    section             text    not null check (char_length(section) between 1 and 50),
    "row"               text    not null check (char_length("row") between 1 and 50),
    seat_price          bigint  not null check (seat_price between 0 and 1000000000),
    -- UNAVAILABLE: sold.
    status              text    not null default 'AVAILABLE' check (status in ('AVAILABLE', 'UNAVAILABLE')),
    -- Kept back by an administrator.
    blocked             boolean not null default false,
    -- When it was last held; null when free.
    reservation_at      timestamptz,
    -- Rises with every change of the seat's state; whoever hears of changes in the wrong order
    -- (Redis does) keeps the highest.
    fence               bigint  not null default 0,
    constraint seat_number_once_per_schedule unique (concert_schedule_id, seat_number),
    -- Lets reservation's foreign key keep seat and schedule in agreement.
    unique (id, concert_schedule_id)
);

-- Who changed what, when, from, to.
create table audit (
    id         bigint generated always as identity primary key,
    admin      bigint not null references "user",
    action     text   not null,
    subject    text   not null,
    before     jsonb,
    after      jsonb,
    created_at timestamptz not null default clock_timestamp()
);
