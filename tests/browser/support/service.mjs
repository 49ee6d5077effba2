// A private service for a test file: `onsale dev --throwaway`, whose stores end with it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const BINARY = process.env.ONSALE_BIN ?? fileURLToPath(new URL('../../../target/debug/onsale', import.meta.url));
const START_TIMEOUT_MS = 60_000;

/** @typedef {Awaited<ReturnType<typeof startService>>} Service */

/**
 * Starts the service. Returns its address (`base`, `url`), an operator's token, its process id and `stop`.
 * @param {Record<string, string>} [more] further settings
 */
export async function startService(more = {}) {
  const env = { ...process.env, ONSALE_LISTEN: '127.0.0.1:0', ONSALE_LOG: 'warn', ...more };
  const child = spawn(BINARY, ['dev', '--throwaway'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  const found = (/** @type {RegExp} */ pattern) => output.match(pattern)?.[1];
  /** @type {Promise<{ base: string, admin: string }>} */
  const started = new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`not started:\n${output}`)), START_TIMEOUT_MS);
    child.once('exit', (code) => reject(new Error(`ended with ${code}:\n${output}`)));
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      const [base, admin] = [found(/listening on (http:\S+)/), found(/ADMIN=(\S+)/)];
      if (!base || !admin) return;
      clearTimeout(late);
      resolve({ base, admin });
    });
  });
  const stop = async () => {
    if (child.exitCode !== null) return;
    child.removeAllListeners('exit');
    child.kill('SIGINT');
    await once(child, 'exit');
  };
  try {
    const { base, admin } = await started;
    return { base, url: base, admin, pid: /** @type {number} */ (child.pid), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
