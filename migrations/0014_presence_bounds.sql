-- The presence window has the bounds of the API (src/concert/sale_settings.rs): below 10 s, clients that
-- poll as told would count as absent.
update concert_schedule
    set presence_window_seconds = least(greatest(presence_window_seconds, 10), 600),
        -- Redis takes a changed setting only under a newer version.
        settings_version = settings_version + 1
    where presence_window_seconds not between 10 and 600;
alter table concert_schedule drop constraint concert_schedule_presence_window_seconds_check;
alter table concert_schedule add constraint concert_schedule_presence_window_seconds_check
    check (presence_window_seconds between 10 and 600);
