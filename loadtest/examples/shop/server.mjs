// A small shop over HTTP, for trying the load tests and for writing an adapter to your own shop.
//
//   SHOP_KEY=secret PORT=8090 node loadtest/examples/shop/server.mjs
//
// FAULT=oversell (several: oversell,jump) makes it faulty; `FAULT=help` lists the faults.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { FAULTS, Refusal, Sale } from './sale.mjs';

/** @typedef {import('./sale.mjs').Fault} Fault */
/** @typedef {import('./sale.mjs').Entry} Entry */
/** @typedef {{ body: Record<string, any>, header(name: string): string, sale: Sale, id: string }} Request */

const BODY_LIMIT = 65_536;
const TICKS_PER_SECOND = 10;
const KEY = process.env.SHOP_KEY ?? '';
const names = (process.env.FAULT ?? '').split(',').filter(Boolean);
if (!KEY || names.some((name) => !(name in FAULTS))) {
  console.error('Set SHOP_KEY to a secret of the operator. FAULT may have:');
  for (const [name, text] of Object.entries(FAULTS)) console.error(`  ${name.padEnd(10)}${text}`);
  process.exit(2);
}
const faults = new Set(/** @type {Fault[]} */ (names));
const ticketSecret = randomBytes(32);
/** @type {Map<string, Sale>} */
const sales = new Map();

/** @param {string} id */
const sign = (id) => createHmac('sha256', ticketSecret).update(id).digest('base64url');
/** @param {string} one @param {string} other */
const equal = (one, other) => one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));

/** @param {Request} request */
function operator({ header }) {
  if (!equal(header('shop-key'), KEY)) throw new Refusal(401, 'wrong_key');
}

/** The entry of the ticket that a request sends. @param {Request} request @returns {Entry} */
function entryOf({ header, sale }) {
  const [id = '', signature = ''] = header('ticket').split('.');
  const entry = sale.entries.get(id);
  if (!entry || (!faults.has('trust') && !equal(signature, sign(id)))) throw new Refusal(401, 'wrong_ticket');
  return entry;
}

/** @param {Request} request */
function holdOf({ sale, id, header }) {
  const hold = sale.holds.get(id);
  if (!hold || hold.buyer !== header('buyer')) throw new Refusal(409, 'too_late');
  return hold;
}

/** @param {Sale} sale @param {Entry} entry @param {boolean} repeated */
function turn(sale, entry, repeated) {
  const ahead = entry.state === 'waiting' ? sale.ahead(entry) : null;
  return {
    ticket: `${entry.id}.${sign(entry.id)}`,
    id: entry.id,
    state: entry.state,
    order: entry.order,
    position: ahead === null ? null : ahead + 1,
    sold_out: sale.isSoldOut(),
    ask_again_ms: 300,
    repeated,
  };
}

/** Method and path, with the answer's status and body. @type {Record<string, (request: Request) => unknown>} */
const routes = {
  'POST /sales': (request) => {
    operator(request);
    const id = randomBytes(6).toString('hex');
    sales.set(id, new Sale(/** @type {import('./sale.mjs').Plan} */ (request.body), faults));
    return { id };
  },
  'DELETE /sales/:sale': (request) => {
    operator(request);
    for (const [id, sale] of sales) if (sale === request.sale) sales.delete(id);
  },
  'GET /sales/:sale/figures': (request) => {
    operator(request);
    return request.sale.figures();
  },
  'GET /sales/:sale/books': (request) => {
    operator(request);
    return request.sale.books();
  },
  'POST /sales/:sale/queue': ({ sale, header }) => {
    const { entry, repeated } = sale.join(header('buyer'));
    return turn(sale, entry, repeated);
  },
  'GET /sales/:sale/queue': (request) => turn(request.sale, request.sale.poll(entryOf(request)), true),
  'DELETE /sales/:sale/queue': (request) => request.sale.end(entryOf(request)),
  'GET /sales/:sale/seats': ({ sale }) => ({ states: sale.seats.join('') }),
  'GET /sales/:sale/kept': ({ sale, header }) => ({ seats: sale.kept(header('buyer')) }),
  'POST /sales/:sale/holds': (request) => request.sale.hold(entryOf(request), request.body),
  'DELETE /sales/:sale/holds/:id': (request) => request.sale.release(holdOf(request)),
  'POST /sales/:sale/holds/:id/payment': (request) => request.sale.pay(holdOf(request)),
};

/** @param {import('node:http').IncomingMessage} message */
async function handle(message) {
  const parts = new URL(message.url ?? '/', 'http://shop').pathname.split('/').slice(1);
  const [first, saleId, ...rest] = parts;
  const pattern = [first, ...(saleId ? [':sale'] : []), ...rest.map((part, index) => (index === 1 ? ':id' : part))].join('/');
  const route = routes[`${message.method} /${pattern}`];
  const sale = sales.get(saleId ?? '');
  if (!route || (saleId && !sale)) throw new Refusal(404, 'not_found');
  const header = (/** @type {string} */ name) => String(message.headers[name] ?? '');
  return route({ body: await read(message), header, sale: /** @type {Sale} */ (sale), id: rest[1] ?? '' });
}

/** @param {import('node:http').IncomingMessage} message */
async function read(message) {
  let text = '';
  for await (const chunk of message) {
    text += chunk;
    if (text.length > BODY_LIMIT) throw new Refusal(413, 'too_large');
  }
  try {
    return text ? JSON.parse(text) : {};
  } catch {
    throw new Refusal(400, 'no_json');
  }
}

const server = createServer(async (message, response) => {
  let status = 200;
  /** @type {unknown} */
  let body;
  try {
    body = await handle(message);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    status = error.status;
    body = { error: error.message };
  }
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body ?? {}));
});
setInterval(() => sales.forEach((sale) => sale.tick(Date.now())), 1000 / TICKS_PER_SECOND).unref();
server.on('error', (error) => {
  console.error(`the example shop cannot listen: ${error.message}. Set PORT to another port.`);
  process.exit(1);
});
server.listen(Number(process.env.PORT ?? 8090), '127.0.0.1', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  console.log(`the example shop listens on http://127.0.0.1:${port}${names.length > 0 ? `, with the faults ${names.join(', ')}` : ''}`);
});
