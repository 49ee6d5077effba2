-- The table of rejections by reason gets the name that the glossary gives it. The view keeps processes
-- of the previous release working during an upgrade: they read and write `turned_away`. Its columns are
-- those of the table, so PostgreSQL updates the table through it. The next release drops the view.
alter table turned_away rename to rejection_count;
alter index turned_away_pkey rename to rejection_count_pkey;
create view turned_away as select * from rejection_count;
