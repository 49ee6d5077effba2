-- Every row of "queue" is written under the lock of its schedule's row in "queue_archive", which
-- references the schedule. A second check of the same schedule for every row took a fifth of the
-- archive's work.
alter table queue drop constraint queue_concert_schedule_id_fkey;
