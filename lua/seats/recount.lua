#!lua flags=allow-oom
-- seats/recount: counts the seats that are sold or blocked anew, for the reconciler.
--
-- The two counts follow from the seats, one change at a time; a seat that was changed otherwise
-- leaves them wrong, and with them when a sale is sold out. Counting bits is cheap; the blocked are
-- counted only after a repair, since that reads every seat that ever changed.
--
-- KEYS  meta holder sold
-- ARGV  epoch  blocked_too     1: the blocked as well
-- Reply {'OK', gone_off, blocked_off}   by how much each count was too high
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard
local meta, holder, sold = KEYS[1], KEYS[2], KEYS[3]
local refused = guard(meta, ARGV[1])
if refused then return refused end

local counted = redis.call('HMGET', meta, 'gone', 'blocked')
local gone_off = tonumber(counted[1] or 0) - redis.call('BITCOUNT', sold)
local blocked_off = 0
if ARGV[2] == '1' then
  blocked_off = tonumber(counted[2] or 0)
  for _, owner in ipairs(redis.call('HVALS', holder)) do
    if owner:find('^%d+ BLOCK ') then blocked_off = blocked_off - 1 end
  end
end
if gone_off ~= 0 then redis.call('HINCRBY', meta, 'gone', -gone_off) end
if blocked_off ~= 0 then redis.call('HINCRBY', meta, 'blocked', -blocked_off) end
return { 'OK', gone_off, blocked_off }
