// nginx by deploy/nginx (scripts/nginx.sh) in front of a service.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../../scripts/nginx.sh', import.meta.url));
const START_TIMEOUT_MS = 30_000;

/** @returns {Promise<number>} a port that is free now */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/** Whether a process listens on a port. @param {number} port */
async function listens(port) {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/**
 * Starts nginx, with a certificate that no browser trusts. Returns its address for pages, the lines of its
 * access log, and `stop`.
 * @param {{ base: string }} service
 */
export async function startNginx(service) {
  const folder = mkdtempSync(join(tmpdir(), 'onsale-nginx-'));
  const [https, http] = [await freePort(), await freePort()];
  const child = spawn('sh', [SCRIPT, folder, `${https}`, `${http}`, new URL(service.base).host], { stdio: 'inherit' });
  for (const late = Date.now() + START_TIMEOUT_MS; !(await listens(https)); await sleep(20)) {
    assert.equal(child.exitCode, null, 'nginx has ended: run scripts/test-tools.sh');
    assert.ok(Date.now() < late, 'nginx does not listen');
  }
  const base = `https://localhost:${https}`;
  return {
    base,
    url: base,
    /** @returns {Record<string, string>[]} */
    log: () =>
      readFileSync(join(folder, 'access.log'), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      rmSync(folder, { recursive: true });
    },
  };
}
