#!lua flags=allow-oom
-- queue/configure: applies a version of a sale's settings.
--
-- PostgreSQL has the settings and numbers their versions. Several processes send copies, in any
-- order; an older version is ignored.
--
-- KEYS  meta
-- ARGV  epoch  version  field value …
-- Reply {'OK'}
--       {'OLD', version}   this version or a newer one already applies
--       {'LOST'} {'STALE', epoch}
-- Uses  lib/guard
local meta = KEYS[1]
local version = ARGV[2]
local refused = guard(meta, ARGV[1])
if refused and refused[1] ~= 'LOADING' then return refused end
local stored = tonumber(redis.call('HGET', meta, 'version') or 0)
if stored >= tonumber(version) then return { 'OLD', stored } end
-- The numbers again in one field, for lib/sale. The digits are copied: Lua's JSON writes only 14.
local numbers = {}
for i = 3, #ARGV, 2 do
  if ARGV[i] ~= 'message' then numbers[#numbers + 1] = '"' .. ARGV[i] .. '":' .. ARGV[i + 1] end
end
redis.call('HSET', meta, 'version', version, unpack(ARGV, 3))
redis.call('HSET', meta, 'settings', '{' .. table.concat(numbers, ',') .. '}')
return { 'OK' }
