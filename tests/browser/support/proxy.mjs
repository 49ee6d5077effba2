// A proxy between browser and service that can be cut off.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** Starts a proxy to `base`. @param {string} base */
export async function startProxy(base) {
  const { hostname, port } = new URL(base);
  /** @type {Set<import('node:net').Socket>} */
  const open = new Set();
  let up = true;
  const server = createServer((near) => {
    if (!up) return near.destroy();
    const far = connect(Number(port), hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ]) {
      open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
    return undefined;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: own } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    base: `http://127.0.0.1:${own}`,
    /** Closes all connections and refuses new ones. */
    cut() {
      up = false;
      for (const socket of open) socket.destroy();
    },
    restore() {
      up = true;
    },
    async end() {
      this.cut();
      server.close();
      await once(server, 'close');
    },
  };
}
