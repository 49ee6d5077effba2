#!lua
-- queue/redeem_handoff: lets a code be used once, by whoever comes first.
--
-- A code that was made under an older epoch is over: what was used before a loss is not known. The
-- marks of codes that have expired are taken away here, so there are never more than those of two
-- minutes, and of a few more while nobody hands anything over.
--
-- KEYS  meta handed
-- ARGV  epoch  code  expires_ms  made_under
-- Reply {'OK'}    it is the first use
--       {'USED'}
--       {'OVER'}  expired, or made before a loss
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard
local meta, handed = KEYS[1], KEYS[2]
local refused = guard(meta, ARGV[1])
if refused then return refused end
local BATCH = 100

local now = clock()
if tonumber(ARGV[3]) <= now or tonumber(ARGV[4]) < tonumber(ARGV[1]) then return { 'OVER' } end
if redis.call('ZSCORE', handed, ARGV[2]) then return { 'USED' } end

local expired = redis.call('ZRANGE', handed, '-inf', whole(now), 'BYSCORE', 'LIMIT', 0, BATCH)
if #expired > 0 then redis.call('ZREM', handed, unpack(expired)) end
redis.call('ZADD', handed, ARGV[3], ARGV[2])
return { 'OK' }
