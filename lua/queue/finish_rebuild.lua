#!lua
-- queue/finish_rebuild: ends a rebuilding. Joins and polls are served again; admission waits for pause_ms,
-- so that the tickets of before the loss come back before anyone behind them is let in.
--
-- KEYS  meta
-- ARGV  epoch  pause_ms
-- Reply {'OK', now}
--       {'LOST'} {'STALE', epoch}   somebody else has started over
-- Uses  lib/guard
local meta = KEYS[1]
local refused = guard(meta, ARGV[1])
if refused and refused[1] ~= 'LOADING' then return refused end
local now = clock()
redis.call('HDEL', meta, 'loading_until')
redis.call('HSET', meta, 'pause_until', whole(now + ARGV[2]))
return { 'OK', now }
