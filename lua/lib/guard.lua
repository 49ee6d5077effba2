-- lib/guard: checks that the keys are those of the caller's epoch; reads the clock; writes numbers.
--
-- PostgreSQL numbers each rebuild of a schedule's keys: the epoch. A lower epoch in Redis, or none,
-- means that Redis lost its data. A higher one means that the caller has not read the latest epoch.
-- During a rebuild (loading) sold seats may still look free, so no client is served.
--
-- Replies that every guarded script shares
--   {'LOST'}            rebuild from PostgreSQL, then call again
--   {'STALE', epoch}    read the epoch again, then call again
--   {'LOADING'}         the keys are being rebuilt: try again in a moment
local function guard(meta, epoch)
  local found = redis.call('HMGET', meta, 'epoch', 'loading_until')
  local stored = tonumber(found[1] or -1)
  if stored < tonumber(epoch) then return { 'LOST' } end
  if stored > tonumber(epoch) then return { 'STALE', stored } end
  if found[2] then return { 'LOADING' } end
  return nil
end

-- Redis's clock in ms. A script calls it once: in 7.0 the clock moves on while a script runs.
local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- A whole number as text. Lua itself writes a number of 15 digits or more as 1.0995116277761e+15.
-- Redis writes the numbers in the arguments of a call in full.
local function whole(x)
  return string.format('%.0f', x)
end
