-- Since when no entry of a closed sale is open: the purge does not look at the sale again. A later
-- archive write clears it.
alter table queue_archive add column settled_at timestamptz;
