-- Events out: what happens in sales, for webhooks and for the feed. docs/WEBHOOKS.md describes both.
-- An event is written in the transaction of its effect, only while an endpoint or the feed wants events.

create table event_recording (
    -- The table has one row.
    id        boolean primary key default true check (id),
    -- Whether events are written: holds, payments and the archive read this. It is true while the feed
    -- is on or an endpoint is enabled.
    recording boolean not null default false,
    -- Whether an operator has turned the feed on.
    feed      boolean not null default false,
    -- Since when events are written without a gap.
    since     timestamptz,
    constraint event_recording_has_a_start check (recording = (since is not null)),
    constraint event_feed_is_recorded check (recording or not feed)
);
insert into event_recording default values;

-- The last position that was given to an event. Its row is locked while positions are given, so that
-- one process does so at a time. It is a table of its own, because every hold reads the one above.
create table event_position (
    id       boolean primary key default true check (id),
    position bigint not null default 0
);
insert into event_position default values;

create table sale_event (
    -- In order of the effects within one entity: it is taken under the entity's locks.
    id          bigint generated always as identity primary key,
    -- Becomes the header webhook-id. Random, so that it is not used again after a restore.
    message     uuid not null default gen_random_uuid() constraint sale_event_of_message unique,
    -- Such as reservation.held.
    type        text not null,
    -- What the event is about, such as hold:<id>. Events of one entity are delivered in order.
    entity      text not null,
    data        jsonb not null,
    occurred_at timestamptz not null default clock_timestamp(),
    -- A test event is for this endpoint only.
    target      bigint,
    -- Place in the feed, 1, 2, 3 … without a gap. Null until the event is published. It is given after
    -- the commit, so no event can ever appear before one that a reader of the feed has already seen.
    position    bigint
);
create unique index sale_event_of_position on sale_event (position) where position is not null;
-- Events to publish.
create index sale_event_unpublished on sale_event (id) where position is null;
-- Replay by time, and the purge.
create index sale_event_by_time on sale_event (occurred_at);

create table webhook_endpoint (
    id              bigint generated always as identity primary key,
    url             text    not null check (char_length(url) between 1 and 2000),
    description     text    not null default '' check (char_length(description) <= 500),
    -- Types of events that it gets; empty: all.
    types           text[]  not null default '{}',
    enabled         boolean not null default true,
    -- ADMIN: an administrator disabled it. GONE: it answered 410.
    disabled_reason text    check (disabled_reason in ('ADMIN', 'GONE')),
    -- Key of HMAC-SHA-256.
    secret          bytea   not null check (octet_length(secret) between 24 and 64),
    -- Seed of the Ed25519 key, if its messages are signed with one as well.
    seed            bytea   check (octet_length(seed) = 32),
    -- During a rotation, messages are signed with these too.
    previous_secret bytea   check (octet_length(previous_secret) between 24 and 64),
    previous_seed   bytea   check (octet_length(previous_seed) = 32),
    previous_until  timestamptz,
    created_at      timestamptz not null default clock_timestamp(),
    -- Deleted for clients. The row goes when its deliveries are purged.
    deleted_at      timestamptz,
    constraint webhook_endpoint_disabled_with_a_reason check (enabled = (disabled_reason is null)),
    constraint webhook_endpoint_rotation check (previous_until is not null or previous_secret is null)
);

-- One message to one endpoint. A replay is a row of its own.
create table webhook_delivery (
    id          bigint generated always as identity primary key,
    endpoint_id bigint   not null references webhook_endpoint,
    event_id    bigint   not null references sale_event,
    -- Copied from the event: rows of one endpoint and entity are sent in order of their ids.
    entity      text     not null,
    status      text     not null default 'PENDING' check (status in ('PENDING', 'DELIVERED', 'DEAD')),
    -- When it is sent next. While a process sends it: when another process may send it again.
    due_at      timestamptz not null,
    attempts    integer  not null default 0 check (attempts >= 0),
    -- Start of the first attempt.
    begun_at    timestamptz,
    -- When it was delivered or given up.
    ended_at    timestamptz,
    -- Status of the last answer; null if there was none.
    last_status smallint,
    -- Why the last attempt failed.
    last_error  text,
    constraint webhook_delivery_ends check ((status = 'PENDING') = (ended_at is null))
);
-- What is due, per endpoint.
create index webhook_delivery_due on webhook_delivery (endpoint_id, due_at) where status = 'PENDING';
-- The earlier and the next message of an entity.
create index webhook_delivery_of_entity on webhook_delivery (endpoint_id, entity, id)
    where status = 'PENDING';
-- The list of an endpoint's deliveries, newest first.
create index webhook_delivery_of_endpoint on webhook_delivery (endpoint_id, id);
-- Which events an endpoint got, for a replay; and whether an event may be purged.
create index webhook_delivery_of_event on webhook_delivery (event_id, endpoint_id);
-- Deliveries that were given up, to list and count them.
create index webhook_delivery_dead on webhook_delivery (endpoint_id, id) where status = 'DEAD';
-- The purge.
create index webhook_delivery_ended on webhook_delivery (ended_at) where status <> 'PENDING';

-- The phase of each sale that was announced last, so that one process announces a change once.
create table sale_phase (
    schedule_id bigint primary key references concert_schedule,
    phase       text not null check (phase in ('UPCOMING', 'OPEN', 'SOLD_OUT', 'CLOSED')),
    -- When it was compared last. A process compares a sale only if no other did so lately.
    checked_at  timestamptz not null default '-infinity'
);
