-- lib/rebuild: the lease of a rebuilding. After lib/guard.
--
-- Only the process that won the epoch loads, and only until queue/finish_rebuild. Each call that loads renews
-- the lease, so that a rebuilding may take as long as it makes progress. A process that dies or hangs
-- stops renewing, and another one starts over when the lease has ended.

-- Renews the lease; a reply where the caller must not load.
local function renew_lease(meta, epoch, lease_ms, now)
  local refused = guard(meta, epoch)
  if not refused then return { 'READY' } end
  if refused[1] ~= 'LOADING' then return refused end
  redis.call('HSET', meta, 'loading_until', whole(now + lease_ms))
  return nil
end
