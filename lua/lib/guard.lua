-- lib/guard: is this the state that the caller means?
--
-- PostgreSQL numbers each rebuilding of a schedule's keys (the epoch). A lower epoch here, or none,
-- means that Redis lost what it had; a higher one, that the caller has not heard of a rebuilding.
-- While a rebuilding is under way (loading) sold seats may still look free: nobody is served.
--
-- Replies that every guarded script shares
--   {'LOST'}            rebuild from PostgreSQL, then call again
--   {'STALE', epoch}    read the epoch again, then call again
--   {'LOADING'}         being rebuilt: try again in a moment
local function guard(meta, epoch)
  local found = redis.call('HMGET', meta, 'epoch', 'loading_until')
  local stored = tonumber(found[1] or -1)
  if stored < tonumber(epoch) then return { 'LOST' } end
  if stored > tonumber(epoch) then return { 'STALE', stored } end
  if found[2] then return { 'LOADING' } end
  return nil
end

-- Redis's clock in milliseconds. Called once per script: in 7.0 it moves on while a script runs.
local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- A whole number as text. Lua would write one of 15 digits or more as 1.0995116277761e+15; Redis
-- itself writes the numbers it is called with in full.
local function whole(x)
  return string.format('%.0f', x)
end
