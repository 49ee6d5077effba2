/** The stores of a private service: what it is like when one does not answer. */
import { readFileSync, readdirSync } from 'node:fs';

/** What is known of a process; an empty text where it has ended. @param {number} pid @param {string} file */
function readProcFile(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** The processes that a process has started, and theirs. @param {number} pid @returns {number[]} */
function descendants(pid) {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);
  const of = (/** @type {number} */ parent) => all.filter((one) => Number(/\) \w (\d+)/.exec(readProcFile(one, 'stat'))?.[1]) === parent);
  return of(pid).flatMap((one) => [one, ...descendants(one)]);
}

/**
 * Stops a private store in its tracks: it takes connections and says nothing.
 * @param {number} service the process of `onsale dev`
 * @param {'redis' | 'postgres'} store
 * @returns {() => void} lets it go on
 */
export function freezeStore(service, store) {
  const name = store === 'redis' ? /redis|valkey/ : /postgres/;
  const found = descendants(service).filter((pid) => name.test(readProcFile(pid, 'comm')));
  if (found.length === 0) throw new Error(`no ${store} was found below process ${service}`);
  for (const pid of found) process.kill(pid, 'SIGSTOP');
  return () => {
    for (const pid of found) process.kill(pid, 'SIGCONT');
  };
}
