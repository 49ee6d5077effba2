// A private service for a test file: `onsale dev --throwaway`, whose stores end with it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const BINARY = process.env.ONSALE_BIN ?? fileURLToPath(new URL('../../../target/debug/onsale', import.meta.url));
const START_TIMEOUT_MS = 60_000;

/** @typedef {Awaited<ReturnType<typeof startService>>} Service */

/** The roles of staff, the lowest first. */
export const ROLES = /** @type {const} */ (['viewer', 'box_office', 'operator', 'admin']);

/** Creates a member of staff with each role, prints their tokens, and serves. */
const WITH_STAFF = `set -e
"$0" migrate >&2
for role in ${ROLES.join(' ')}; do echo "TOKEN $role $("$0" admin create --name "Staff $role" --role "$role")"; done
exec "$0" serve`;

/**
 * Starts `onsale dev --throwaway` and waits until its output has all of `patterns`.
 * @param {string[]} args @param {Record<string, string>} more further settings @param {RegExp[]} patterns
 */
async function launchService(args, more, patterns) {
  const env = { ...process.env, ONSALE_LISTEN: '127.0.0.1:0', ONSALE_LOG: 'warn', ...more };
  const child = spawn(BINARY, ['dev', '--throwaway', ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  /** @type {Promise<string[]>} */
  const started = new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`not started:\n${output}`)), START_TIMEOUT_MS);
    child.once('exit', (code) => reject(new Error(`ended with ${code}:\n${output}`)));
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      const found = patterns.flatMap((pattern) => output.match(pattern)?.[1] ?? []);
      if (found.length < patterns.length) return;
      clearTimeout(late);
      resolve(found);
    });
  });
  const stop = async () => {
    if (child.exitCode !== null) return;
    child.removeAllListeners('exit');
    child.kill('SIGINT');
    await once(child, 'exit');
  };
  try {
    return { found: await started, pid: /** @type {number} */ (child.pid), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Starts the service. Returns its address (`base`, `url`), an operator's token, its process id and `stop`.
 * @param {Record<string, string>} [more] further settings
 */
export async function startService(more = {}) {
  const { found, pid, stop } = await launchService([], more, [/listening on (http:\S+)/, /ADMIN=(\S+)/]);
  const [base, admin] = found;
  return { base, url: base, admin, pid, stop };
}

/** Starts the service with a token of each role, in `tokens`. Otherwise as `startService`. */
export async function startStaffedService() {
  const args = ['--', 'sh', '-c', WITH_STAFF, BINARY];
  const patterns = [/listening on (http:\S+)/, ...ROLES.map((role) => new RegExp(`TOKEN ${role} (\\S+)`))];
  const { found, pid, stop } = await launchService(args, { ONSALE_OPEN_SIGNUP: 'true' }, patterns);
  const [base, ...all] = found;
  const tokens = Object.fromEntries(ROLES.map((role, at) => [role, all[at]]));
  return { base, url: base, admin: tokens.admin, tokens, pid, stop };
}
