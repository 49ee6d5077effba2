#!lua flags=allow-oom
-- seats/recount: counts the sold and blocked seats again, for the reconciler.
--
-- Each change of a seat also changes the two counts. If a seat changed in any other way, the counts
-- are wrong, and with them the moment when a sale is sold out. Counting bits is cheap. The blocked
-- seats are counted only after a repair, since that reads every seat that ever changed.
--
-- KEYS  meta holder sold
-- ARGV  epoch  blocked_too     blocked_too: 1 to count the blocked seats too, else 0
-- Reply {'OK', gone_off, blocked_off}   by how much each count was too high
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard
local meta, holder, sold = KEYS[1], KEYS[2], KEYS[3]
local blocked_too = ARGV[2] == '1'
local refused = guard(meta, ARGV[1])
if refused then return refused end

local counts = redis.call('HMGET', meta, 'gone', 'blocked')
local gone_off = tonumber(counts[1] or 0) - redis.call('BITCOUNT', sold)
local blocked_off = 0
if blocked_too then
  blocked_off = tonumber(counts[2] or 0)
  for _, stored in ipairs(redis.call('HVALS', holder)) do
    if stored:find('^%d+ BLOCK ') then blocked_off = blocked_off - 1 end
  end
end
if gone_off ~= 0 then redis.call('HINCRBY', meta, 'gone', -gone_off) end
if blocked_off ~= 0 then redis.call('HINCRBY', meta, 'blocked', -blocked_off) end
return { 'OK', gone_off, blocked_off }
