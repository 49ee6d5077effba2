#!lua
-- queue/redeem_handoff: accepts a hand-off code once, in the first call that names it.
--
-- A code that was made under an older epoch is refused: which codes were used before a loss is
-- unknown. Each use removes up to 100 expired codes. So the set holds the used codes that have not
-- expired, plus expired ones that no later call has removed yet.
--
-- KEYS  meta handed
-- ARGV  epoch  code  expires_ms  made_under     made_under: the epoch under which the code was made
-- Reply {'OK'}    this is the first use
--       {'USED'}
--       {'OVER'}  expired, or made before a loss
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard
local meta, handed = KEYS[1], KEYS[2]
local code, expires_ms, made_under = ARGV[2], ARGV[3], ARGV[4]
local refused = guard(meta, ARGV[1])
if refused then return refused end
local BATCH = 100

local now = clock()
if tonumber(expires_ms) <= now or tonumber(made_under) < tonumber(ARGV[1]) then
  return { 'OVER' }
end
if redis.call('ZSCORE', handed, code) then return { 'USED' } end

local expired = redis.call('ZRANGE', handed, '-inf', whole(now), 'BYSCORE', 'LIMIT', 0, BATCH)
if #expired > 0 then redis.call('ZREM', handed, unpack(expired)) end
redis.call('ZADD', handed, expires_ms, code)
return { 'OK' }
