-- The sales report of each schedule, as it was last computed. A request gets the stored figures at
-- once; a process computes newer ones meanwhile, if the sale has changed.
create table sale_report (
    concert_schedule_id bigint      primary key references concert_schedule,
    -- When newer figures were asked for. Until they are computed, later requests wait for the same ones.
    requested_at        timestamptz not null default clock_timestamp(),
    -- The moment that the figures describe; null until they are computed for the first time.
    computed_at         timestamptz,
    -- How long the last computation took. The next one waits for a multiple of it.
    took_ms             integer     check (took_ms >= 0),
    -- What the figures were computed from, in short. While the sale has the same state, they still hold.
    state               text,
    -- As serde reads and writes admin::event::model::Figures.
    figures             jsonb,
    -- Set once the sale is settled: its deadline and the position of its archive at that time. As long
    -- as the sale has both, the figures are final and never computed again.
    final_for           text,
    -- When entries of the sale were first pruned. The figures cannot be computed again after that.
    pruned_at           timestamptz,
    constraint sale_report_whole check ((computed_at is null) = (figures is null)
                                        and (computed_at is null) = (state is null)
                                        and (computed_at is null) = (took_ms is null))
);
-- The reports to compute, also those that a process left behind when it died.
create index sale_report_due on sale_report (requested_at)
    where computed_at is null or computed_at < requested_at;
