-- Alerts about sales and stores, with their begin and end. The console shows them, and webhooks send
-- both.
create table sale_alert (
    id                  bigint      generated always as identity primary key,
    -- Null: it is about a store, and so about every sale.
    concert_schedule_id bigint      references concert_schedule on delete cascade,
    kind                text        not null,
    begun_at            timestamptz not null default clock_timestamp(),
    ended_at            timestamptz,
    -- The figures at the begin.
    detail              jsonb       not null default '{}',
    constraint sale_alert_ends_after_its_begin check (ended_at >= begun_at)
);
-- Each alert is open once, however many processes find it.
create unique index sale_alert_open on sale_alert (coalesce(concert_schedule_id, 0), kind)
    where ended_at is null;
-- The alerts of a sale and of the stores, newest first.
create index sale_alert_of_schedule on sale_alert (coalesce(concert_schedule_id, 0), id);

-- When the sales were checked last, and whether stores answered then. Its row is locked during a check,
-- so that one process checks at a time.
create table sale_alert_check (
    id         boolean     primary key default true check (id),
    checked_at timestamptz not null default '-infinity'
);
insert into sale_alert_check default values;
