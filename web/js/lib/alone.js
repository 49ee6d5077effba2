// @ts-check
/** One thing at a time, in all tabs of this browser. */
import { pause } from '../onsale/call.js';
import { local, uuid } from './store.js';

/** How long a note counts that its tab does not renew, in ms: the tab was closed. */
const NOTE_MS = 5000;
/** How long a tab waits before it trusts its note: another tab may have written at the same time, in ms. */
const SETTLE_MS = 60;

/**
 * Runs `act` while no other tab, and nothing else in this one, runs one of the same name.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} act
 * @returns {Promise<T>}
 */
export async function alone(name, act) {
  if (!navigator.locks) return noted(`onsale.lock.${name}`, act);
  const began = performance.now();
  return navigator.locks.request(`onsale.lock.${name}`, async () => {
    // What the tab before has kept may reach this tab a moment after its lock does.
    if (performance.now() - began > 20) await pause(SETTLE_MS);
    return act();
  });
}

/**
 * The same where a browser has no locks (a site without https): a note in the storage that all tabs
 * share. Two tabs that write in the same moment both look again; the last writer goes first.
 * @template T
 * @param {string} key
 * @param {() => Promise<T>} act
 * @returns {Promise<T>}
 */
async function noted(key, act) {
  const mine = uuid();
  const note = () => local.set(key, { id: mine, until: Date.now() + NOTE_MS });
  for (;;) {
    const other = local.get(key);
    if (!other || other.until < Date.now() || other.until > Date.now() + 2 * NOTE_MS) {
      note();
      await pause(SETTLE_MS + Math.random() * SETTLE_MS);
      if (local.get(key)?.id === mine) break;
    }
    await pause(SETTLE_MS);
  }
  const renewing = setInterval(note, NOTE_MS / 3);
  try {
    return await act();
  } finally {
    clearInterval(renewing);
    if (local.get(key)?.id === mine) local.remove(key);
  }
}
