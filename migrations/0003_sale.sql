-- Who has which seat, what was paid, and every place in line there ever was.

-- One seat of one hold. The seats held together share hold_id.
create table reservation (
    id                  bigint generated always as identity primary key,
    concert_id          bigint not null,
    concert_schedule_id bigint not null,
    seat_id             bigint not null,
    user_id             bigint not null references "user",
    hold_id             uuid   not null,
    -- What the buyer was promised: later price changes do not touch a hold.
    amount              bigint not null check (amount >= 0),
    status              text   not null check (status in
                          ('PAYMENT_WAITING', 'COMPLETE', 'EXPIRED', 'CANCELLED', 'REFUNDED')),
    -- The place in line it was bought from: paying completes that one and no later one.
    queue_sequence      bigint not null,
    reservation_at      timestamptz not null,
    expires_at          timestamptz not null check (expires_at > reservation_at),
    foreign key (concert_schedule_id, concert_id) references concert_schedule (id, concert_id),
    foreign key (seat_id, concert_schedule_id) references seat (id, concert_schedule_id)
);

-- The last word on who has a seat: whatever Redis believes, a second live row cannot be written.
create unique index reservation_one_live_per_seat on reservation (seat_id)
    where status in ('PAYMENT_WAITING', 'COMPLETE');
-- A hold is looked up by its id; a seat is in it once.
create unique index reservation_of_hold on reservation (hold_id, seat_id);
-- "My reservations", the seat limit, and the churn limit.
create index reservation_of_user on reservation (user_id, id desc);
-- The expiry loop.
create index reservation_overdue on reservation (expires_at) where status = 'PAYMENT_WAITING';
-- Rebuilding Redis, statistics.
create index reservation_live_of_schedule on reservation (concert_schedule_id)
    where status in ('PAYMENT_WAITING', 'COMPLETE');

create table payment (
    id             bigint generated always as identity primary key,
    -- A reservation is paid once, ever.
    reservation_id bigint not null constraint payment_once_per_reservation unique references reservation,
    user_id        bigint not null references "user",
    amount         bigint not null check (amount >= 0),
    status         text   not null check (status in ('COMPLETE', 'REFUNDED')),
    payment_at     timestamptz not null default clock_timestamp(),
    refunded_at    timestamptz,
    check ((status = 'REFUNDED') = (refunded_at is not null))
);
create index payment_of_user on payment (user_id, id desc);

-- Every place in line ever, many per user; written in batches behind the line.
create table queue (
    id                  bigint generated always as identity primary key,
    user_id             bigint not null references "user",
    concert_schedule_id bigint not null references concert_schedule,
    -- The ticket id. The ticket itself is a bearer credential and is stored nowhere.
    token               uuid   not null,
    status              text   not null check (status in
                          ('WAITING', 'ACTIVE', 'COMPLETED', 'EXPIRED', 'LEFT')),
    sequence            bigint not null,
    created_at          timestamptz not null,
    entered_at          timestamptz,
    expired_at          timestamptz,
    constraint queue_one_per_place unique (concert_schedule_id, sequence)
);
create index queue_of_user on queue (user_id, id desc);

-- How far a schedule's log in Redis has been written into "queue": locked while a batch is written,
-- so that any process may archive and no two do at once.
create table queue_archive (
    concert_schedule_id bigint primary key references concert_schedule,
    -- The epoch that log_position belongs to: a log built anew is read from its start.
    epoch               bigint not null default 0,
    log_position        text   not null default '0-0'
);
