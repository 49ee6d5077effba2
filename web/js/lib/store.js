// @ts-check
/** Values stored in the browser as JSON. If the browser stores nothing (private window, full disk), they last as long as the page. */
import { OnsaleError } from '../onsale/call.js';

/** @param {() => Storage} find */
function createStore(find) {
  /** @type {Map<string, string>} */
  const memory = new Map();
  /** @type {Storage | null} */
  let storage = null;
  try {
    storage = find();
  } catch {
    storage = null;
  }
  return {
    /**
     * @template Value
     * @param {string} key
     * @returns {Value | null} the stored value, or null
     */
    get(key) {
      try {
        return JSON.parse(storage?.getItem(key) ?? memory.get(key) ?? 'null');
      } catch {
        return null;
      }
    },
    /** All keys that begin with `prefix`. @param {string} prefix @returns {string[]} */
    keys(prefix) {
      return [...new Set([...memory.keys(), ...Object.keys(storage ?? {})])].filter((key) => key.startsWith(prefix));
    },
    /** @param {string} key @param {unknown} value */
    set(key, value) {
      const text = JSON.stringify(value);
      memory.set(key, text);
      try {
        storage?.setItem(key, text);
      } catch {
        // It stays in memory.
      }
    },
    /** @param {string} key */
    remove(key) {
      memory.delete(key);
      try {
        storage?.removeItem(key);
      } catch {
        // It was not stored.
      }
    },
  };
}

/** Whether this browser stores values for the site. With cookies blocked, many do not. */
export const canStore = (() => {
  const name = 'onsale.probe';
  try {
    window.localStorage.setItem(name, name);
    const kept = window.localStorage.getItem(name) === name;
    window.localStorage.removeItem(name);
    return kept;
  } catch {
    return false;
  }
})();

/** Permanent, shared by all tabs. */
export const localStore = createStore(() => window.localStorage);

/** For this tab only, across reloads. */
export const tabStore = createStore(() => window.sessionStorage);

/**
 * Calls `changed` when another tab changes the value of `key`.
 * @template Value
 * @param {string} key
 * @param {(value: Value | null) => void} changed
 */
export function onStoredChange(key, changed) {
  window.addEventListener('storage', (event) => {
    if (event.key === key || event.key === null) changed(localStore.get(key));
  });
}

/** A random id. `crypto.randomUUID` exists only over https and on localhost. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Runs `act` with an idempotency key for `intention`. The key stays the same, across reloads too, until
 * there is a final answer.
 * @template T
 * @param {string} intention such as `pay.<hold id>`
 * @param {(key: string) => Promise<T>} act
 * @returns {Promise<T>}
 */
export async function withIdempotencyKey(intention, act) {
  const name = `onsale.key.${intention}`;
  const key = tabStore.get(name) ?? uuid();
  tabStore.set(name, key);
  try {
    const answer = await act(key);
    tabStore.remove(name);
    return answer;
  } catch (error) {
    if (!OnsaleError.from(error).passing) tabStore.remove(name);
    throw error;
  }
}
