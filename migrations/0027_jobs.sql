-- Long work of operators, such as refunding a whole schedule or erasing a person.

-- Any process takes a due job for some seconds, does some pages of it, and gives it back. A page is one
-- transaction: its work and the progress in this row commit together. So a killed process loses at most
-- the page that it was in, and no item is done twice.
create table job (
    id                  bigint      generated always as identity primary key,
    -- Names the code that does the work. A process takes only kinds that it knows.
    kind                text        not null check (char_length(kind) between 1 and 50),
    -- The sale or the person that it is about; null if there is none. No references: the rows only inform
    -- people, and a test sale may be deleted.
    concert_schedule_id bigint,
    user_id             bigint,
    -- What was asked for, as the kind's code reads and writes it.
    parameters          jsonb       not null default '{}',
    requested_by        bigint      not null references "user",
    state               text        not null default 'PENDING'
                                    check (state in ('PENDING', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED')),
    -- Whether an operator may cancel it while it runs.
    cancellable         boolean     not null,
    -- Number of items; null if it is not known. It was counted when the job was made, so more may be done.
    total               bigint      check (total >= 0),
    done                bigint      not null default 0 check (done >= 0),
    -- Sums of what was done, for people.
    figures             jsonb       not null default '{}',
    -- Where the next page begins, as the kind's code reads and writes it; null before the first page.
    cursor              jsonb,
    -- Code of the last failure. Until the job has failed for good, it is tried again.
    error               text,
    -- Failures since the last page that succeeded.
    failures            integer     not null default 0 check (failures >= 0),
    -- When a process may take it. While one works on it: the end of its lease.
    due_at              timestamptz not null default clock_timestamp(),
    -- Rises each time that a process takes the job. A page commits only under the lease that it began with.
    lease               bigint      not null default 0,
    created_at          timestamptz not null default clock_timestamp(),
    started_at          timestamptz,
    finished_at         timestamptz,
    constraint job_ends check ((state in ('DONE', 'FAILED', 'CANCELLED')) = (finished_at is not null))
);
-- What is due.
create index job_due on job (due_at) where state in ('PENDING', 'RUNNING');
-- One job of a kind at a time for a sale or a person.
create unique index job_one_per_schedule on job (kind, concert_schedule_id)
    where state in ('PENDING', 'RUNNING');
create unique index job_one_per_user on job (kind, user_id) where state in ('PENDING', 'RUNNING');
-- The prune.
create index job_by_end on job (finished_at) where finished_at is not null;

-- When the person's data was erased: the name and the identity at a provider are gone since then.
alter table "user" add column erased_at timestamptz;

-- Users whose access tokens and tickets are refused: they were erased, or are being erased. Every process
-- reads the changes once a second.
create table barred_user (
    user_id    bigint      primary key references "user",
    -- The erasure was given up: the user's tokens work again.
    lifted     boolean     not null default false,
    changed_at timestamptz not null default clock_timestamp()
);
-- The changes since the last read.
create index barred_user_by_change on barred_user (changed_at);

-- The audit of one administrator, and whether a user is one: their name is not erased by retention while
-- the audit has changes of theirs.
create index audit_of_admin on audit (admin, id);
