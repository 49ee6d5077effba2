#!lua flags=allow-oom
-- queue/configure: puts a version of a sale's settings in force.
--
-- Settings live in PostgreSQL, numbered; copies arrive from several processes in any order, and an
-- older one is ignored.
--
-- KEYS  meta
-- ARGV  epoch  version  field value …
-- Reply {'OK'}
--       {'OLD', version}   a newer version is in force already, or this very one
--       {'LOST'} {'STALE', epoch}
-- Uses  lib/guard
local meta = KEYS[1]
local refused = guard(meta, ARGV[1])
if refused and refused[1] ~= 'LOADING' then return refused end
local stored = tonumber(redis.call('HGET', meta, 'version') or 0)
if stored >= tonumber(ARGV[2]) then return { 'OLD', stored } end
-- The numbers once more in one field, for lib/sale. Digits as they came: Lua's JSON writes 14.
local numbers = {}
for i = 3, #ARGV, 2 do
  if ARGV[i] ~= 'message' then numbers[#numbers + 1] = '"' .. ARGV[i] .. '":' .. ARGV[i + 1] end
end
redis.call('HSET', meta, 'version', ARGV[2], unpack(ARGV, 3))
redis.call('HSET', meta, 'settings', '{' .. table.concat(numbers, ',') .. '}')
return { 'OK' }
