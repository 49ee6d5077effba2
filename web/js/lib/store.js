// @ts-check
/** Values kept in the browser, as JSON. Where it keeps nothing (private windows, full disks), they last as long as the page. */

/** @param {() => Storage} find */
function keeper(find) {
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
    /** @param {string} key @returns {any} what was kept under it, or null */
    get(key) {
      try {
        return JSON.parse(storage?.getItem(key) ?? memory.get(key) ?? 'null');
      } catch {
        return null;
      }
    },
    /** The keys that begin with `prefix`. @param {string} prefix @returns {string[]} */
    keys(prefix) {
      return [...new Set([...memory.keys(), ...Object.keys(storage ?? {})])].filter((key) => key.startsWith(prefix));
    },
    /** @param {string} key @param {any} value */
    set(key, value) {
      const text = JSON.stringify(value);
      memory.set(key, text);
      try {
        storage?.setItem(key, text);
      } catch {
        // Kept in memory.
      }
    },
    /** @param {string} key */
    remove(key) {
      memory.delete(key);
      try {
        storage?.removeItem(key);
      } catch {
        // It was not there.
      }
    },
  };
}

/** Whether this browser keeps anything for the site: with cookies blocked, many do not. */
export const keeps = (() => {
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

/** Kept for good, and shared by all tabs. */
export const local = keeper(() => window.localStorage);

/** Kept as long as this tab, over reloads. */
export const tab = keeper(() => window.sessionStorage);

/**
 * Calls back when another tab has changed what is kept under `key`.
 * @param {string} key
 * @param {(value: any) => void} changed
 */
export function onChange(key, changed) {
  window.addEventListener('storage', (event) => {
    if (event.key === key || event.key === null) changed(local.get(key));
  });
}

/** A random id. `crypto.randomUUID` is there over https only, and on the device itself. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Does what is intended under an idempotency key: the same one, over reloads too, until there is an
 * answer that no asking will change.
 * @template T
 * @param {string} intention such as `pay.<hold id>`
 * @param {(key: string) => Promise<T>} act
 * @returns {Promise<T>}
 */
export async function once(intention, act) {
  const name = `onsale.key.${intention}`;
  const key = tab.get(name) ?? uuid();
  tab.set(name, key);
  try {
    const answer = await act(key);
    tab.remove(name);
    return answer;
  } catch (error) {
    if (!(/** @type {any} */ (error).passing)) tab.remove(name);
    throw error;
  }
}
