// @ts-check
/** Runs an action in only one tab of this browser at a time. */
import { pause } from '../onsale/call.js';
import { localStore, uuid } from './store.js';

/** A stored lock expires after this long without renewal, in ms: its tab was closed. */
const LOCK_TTL_MS = 5000;
/** A tab waits this long before it relies on its stored lock, in ms: another tab may have written at the same time. */
const SETTLE_MS = 60;

/**
 * Runs `act` while no other tab, and no other call in this tab, runs an action of the same name.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} act
 * @returns {Promise<T>}
 */
export async function runExclusively(name, act) {
  if (!navigator.locks) return runWithStoredLock(`onsale.lock.${name}`, act);
  const began = performance.now();
  return navigator.locks.request(`onsale.lock.${name}`, async () => {
    // What the previous tab stored may arrive here a moment after its lock is released.
    if (performance.now() - began > 20) await pause(SETTLE_MS);
    return act();
  });
}

/**
 * The same without Web Locks (a site without https), by a lock in localStorage. If two tabs write it at
 * the same moment, both read it again, and the last writer gets it.
 * @template T
 * @param {string} key
 * @param {() => Promise<T>} act
 * @returns {Promise<T>}
 */
async function runWithStoredLock(key, act) {
  const id = uuid();
  const writeLock = () => localStore.set(key, { id, until: Date.now() + LOCK_TTL_MS });
  for (;;) {
    const held = localStore.get(key);
    if (!held || held.until < Date.now() || held.until > Date.now() + 2 * LOCK_TTL_MS) {
      writeLock();
      await pause(SETTLE_MS + Math.random() * SETTLE_MS);
      if (localStore.get(key)?.id === id) break;
    }
    await pause(SETTLE_MS);
  }
  const renewal = setInterval(writeLock, LOCK_TTL_MS / 3);
  try {
    return await act();
  } finally {
    clearInterval(renewal);
    if (localStore.get(key)?.id === id) localStore.remove(key);
  }
}
