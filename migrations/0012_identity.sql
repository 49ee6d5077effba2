-- Names that an identity provider gives, forms that were sent twice, and recovery codes.

-- When the token was issued that gave the name: of two tokens that are both valid, the later one
-- names the user, in whatever order they arrive. Null where no token has.
alter table "user" add column name_claimed_at timestamptz;

-- Which user a sign-up form of a browser without scripts has made, so that a form that is sent twice
-- makes one. Rows are purged after an hour.
create table sign_up_form (
    -- SHA-256 of the random text in the form's cookie. The text lets its bearer sign in as the user
    -- for two minutes, so it is not kept here.
    form       bytea       primary key check (octet_length(form) = 32),
    user_id    bigint      not null references "user",
    created_at timestamptz not null default clock_timestamp()
);
-- The purge.
create index sign_up_form_by_age on sign_up_form (created_at);

-- With its recovery code a user signs in again after their session has ended. One code per user: a
-- new one replaces the one before.
create table recovery_code (
    user_id        bigint      primary key references "user",
    -- The code's first part, by which it is found. It proves nothing.
    selector       text        not null unique check (char_length(selector) = 8),
    -- SHA-256 of the whole code, which has 80 more random bits: the code itself is not kept.
    hash           bytea       not null check (octet_length(hash) = 32),
    created_at     timestamptz not null default clock_timestamp(),
    -- Attempts since `attempts_since`, which bound guesses for all processes together. A code that
    -- was right sets them to 0.
    attempts       integer     not null default 0 check (attempts >= 0),
    attempts_since timestamptz not null default clock_timestamp()
);
