// A service of its own for a test file: `onsale dev --throwaway`, on stores that end with it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const BINARY = process.env.ONSALE_BIN ?? fileURLToPath(new URL('../../../target/debug/onsale', import.meta.url));
const START_TIMEOUT_MS = 60_000;

/**
 * Starts it, and tells its address (`base`, `url`), an operator's token, and its process.
 * @param {Record<string, string>} [more] further settings
 */
export async function startService(more = {}) {
  const env = { ...process.env, ONSALE_LISTEN: '127.0.0.1:0', ONSALE_LOG: 'warn', ...more };
  const child = spawn(BINARY, ['dev', '--throwaway'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  const found = (pattern) => said.match(pattern)?.[1];
  const known = new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`not started:\n${said}`)), START_TIMEOUT_MS);
    child.once('exit', (code) => reject(new Error(`ended with ${code}:\n${said}`)));
    child.stdout.setEncoding('utf8').on('data', (text) => {
      said += text;
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
    const { base, admin } = await known;
    return { base, url: base, admin, pid: child.pid, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
