/** Freezes the stores of a private service. */
import { readFileSync, readdirSync } from 'node:fs';

/** Reads a file of a process in /proc; an empty text if the process has ended. @param {number} pid @param {string} file */
function readProcFile(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** The ids of a process's descendants. @param {number} pid @returns {number[]} */
function descendants(pid) {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const of = (/** @type {number} */ parent) => all.filter((one) => Number(/\) \w (\d+)/.exec(readProcFile(one, 'stat'))?.[1]) === parent);
  return of(pid).flatMap((one) => [one, ...descendants(one)]);
}

/**
 * Freezes a private store: it accepts connections but does not respond.
 * @param {number} service the process of `onsale dev`
 * @param {'redis' | 'postgres'} store
 * @returns {() => void} resumes it
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
