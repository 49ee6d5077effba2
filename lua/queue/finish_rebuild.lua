#!lua
-- queue/finish_rebuild: ends a rebuild. Joins and polls are served again.
--
-- Admission waits for pause_ms, so that tickets from before the loss are shown again before entries
-- behind them are admitted.
--
-- KEYS  meta
-- ARGV  epoch  pause_ms
-- Reply {'OK', now}
--       {'LOST'} {'STALE', epoch}   another process has started a new rebuild
-- Uses  lib/guard
local meta = KEYS[1]
local pause_ms = ARGV[2]
local refused = guard(meta, ARGV[1])
if refused and refused[1] ~= 'LOADING' then return refused end
local now = clock()
redis.call('HDEL', meta, 'loading_until')
redis.call('HSET', meta, 'pause_until', whole(now + pause_ms))
return { 'OK', now }
