-- Up to where the archive also applied its entries to the list of a draw's entrants. The list is
-- complete if this is the archive's position. A process of an older release does not move it.
alter table queue_archive add column listed_position text not null default '0-0';
