-- lib/rebuild: the lease of a rebuild. After lib/guard.
--
-- Only the process that won the epoch loads, and only until queue/finish_rebuild. Each loading call
-- renews the lease, so a rebuild may take as long as it makes progress. A process that dies or
-- hangs stops renewing. When the lease has ended, another process starts a new rebuild.

-- Renews the lease. Returns a reply if the caller must not load, else nil.
local function renew_lease(meta, epoch, lease_ms, now)
  local refused = guard(meta, epoch)
  if not refused then return { 'READY' } end
  if refused[1] ~= 'LOADING' then return refused end
  redis.call('HSET', meta, 'loading_until', whole(now + lease_ms))
  return nil
end
