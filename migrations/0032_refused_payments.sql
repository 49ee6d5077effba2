-- Refused payments are counted by reason too, as 'pay'. The report of a sale shows them apart from
-- rejected joins and holds. The constraint has the name that the table had when it was made.
alter table rejection_count
    drop constraint turned_away_wanted_check,
    add constraint rejection_count_wanted_check check (wanted in ('join', 'hold', 'pay'));
