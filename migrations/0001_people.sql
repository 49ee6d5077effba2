-- People, their points, and what remembers a request.

create table "user" (
    id         bigint generated always as identity primary key,
    name       text not null check (char_length(name) between 1 and 100),
    -- The pair that an identity provider knows a person by; both null for our own sign-ups.
    issuer     text,
    subject    text,
    created_at timestamptz not null default clock_timestamp(),
    constraint user_subject_is_a_pair check ((issuer is null) = (subject is null)),
    constraint user_one_per_subject unique (issuer, subject)
);

-- The balance. One row per user, made with the user: locking it serialises all that one person
-- does with money and with the seat limit.
create table point (
    id              bigint generated always as identity primary key,
    user_id         bigint not null unique references "user",
    -- A debit that the balance does not cover cannot be written, whatever the code believes.
    amount          bigint not null default 0 constraint point_not_negative check (amount >= 0),
    last_updated_at timestamptz not null default clock_timestamp()
);

-- Every change of a balance, append-only: the sum of a user's rows is the balance.
create table point_history (
    id            bigint generated always as identity primary key,
    user_id       bigint not null references "user",
    kind          text   not null check (kind in ('CHARGE', 'PAYMENT', 'REFUND')),
    -- Signed: a payment is negative.
    amount        bigint not null check (case kind when 'PAYMENT' then amount <= 0 else amount >= 0 end),
    balance_after bigint not null check (balance_after >= 0),
    -- What it was for: a hold id for PAYMENT, a payment id for REFUND, the key of the request for CHARGE.
    reference     text   not null,
    created_at    timestamptz not null default clock_timestamp()
);

-- Money moves once per purchase and once per refund, also after the idempotency key is gone.
create unique index point_history_once_per_reference on point_history (kind, reference)
    where kind in ('PAYMENT', 'REFUND');
-- The history page, newest first.
create index point_history_of_user on point_history (user_id, id desc);

create function point_history_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'point_history is append-only';
end $$;
create trigger point_history_append_only before update or delete on point_history
    for each row execute function point_history_is_append_only();

-- The answer to a request that had an effect, written in the transaction of the effect.
create table idempotency_key (
    user_id     bigint not null,
    key         text   not null,
    -- SHA-256 of method, path and parsed body: the same key with another request is refused.
    fingerprint bytea  not null check (octet_length(fingerprint) = 32),
    -- The use case's own answer, a value or a final refusal; http.rs renders it the same way again.
    outcome     jsonb  not null,
    created_at  timestamptz not null default clock_timestamp(),
    primary key (user_id, key)
);
-- The purge of keys older than 48 h.
create index idempotency_key_by_age on idempotency_key (created_at);

-- What Redis must still hear of, written in the transaction of the effect; relayed at least once,
-- in any order.
create table outbox (
    id         bigint generated always as identity primary key,
    kind       text  not null,
    payload    jsonb not null,
    created_at timestamptz not null default clock_timestamp()
);
