// What is between a phone and the service: a network that can be cut.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** A way to `base` that breaks when it is told to. */
export async function startProxy(base) {
  const { hostname, port } = new URL(base);
  const open = new Set();
  let up = true;
  const server = createServer((near) => {
    if (!up) return near.destroy();
    const far = connect(Number(port), hostname);
    for (const [one, other] of [[near, far], [far, near]]) {
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
  return {
    base: `http://127.0.0.1:${server.address().port}`,
    /** Breaks what is open, and refuses what comes. */
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
