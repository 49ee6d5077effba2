// The example shop (loadtest/examples/shop). Start from this file to write an adapter for your own shop.
//
// SHOP_KEY is the operator's key.

import http from 'k6/http';
import { sleep } from 'k6';
import { fault, unexpectedAnswers } from '../lib/invariants/metrics.js';
import { BASE, EVERY_STATUS } from './address.js';

/** @import { Books, Buyer, Figures, Held, HoldAnswer, PayAnswer, Plan, Refusal, Sale, Shop, Turn, Wanted } from '../lib/types.d.ts' */
/** @typedef {Sale & { id: string }} ExampleSale */
/** @template Body @typedef {{ body: Body, error: string | null }} Answer */
/** @typedef {Turn & { ticket: string, ask_again_ms: number, sold_out: boolean }} TurnBody */
/** @typedef {Figures & { free: number }} FiguresBody */

const KEY = __ENV.SHOP_KEY ?? '';
const SETTLE_SECONDS = 60;

/**
 * Sends a request. Counts every answer as unexpected that is neither a success nor one of the `refusals`.
 * @template Body
 * @param {string} method @param {string} route the name of the route in the report
 * @param {string} path @param {string[]} refusals @param {{ headers?: Record<string, string>, body?: unknown }} [sent]
 * @returns {Answer<Body>}
 */
function send(method, route, path, refusals, { headers = {}, body } = {}) {
  const payload = body === undefined ? null : JSON.stringify(body);
  const response = http.request(method, BASE + path, payload, { headers, tags: { name: route }, timeout: '30s' });
  let answer = null;
  try {
    answer = JSON.parse(String(response.body));
  } catch {
    // Counted below.
  }
  const error = response.status === 200 && answer ? null : (answer?.error ?? `no answer (${response.status})`);
  if (error !== null && !refusals.includes(error)) fault(unexpectedAnswers, `${method} ${path}: ${response.status} ${response.body}`);
  return { body: answer, error };
}

/** Sends a request of the operator. @template Body @param {string} method @param {string} path @param {unknown} [body] @returns {Body} */
function operate(method, path, body) {
  /** @type {Answer<Body>} */
  const answer = send(method, 'operator', path, [], { headers: { 'Shop-Key': KEY }, body });
  if (answer.error !== null) throw new Error(`${method} ${BASE}${path}: ${answer.error}`);
  return answer.body;
}

/** @implements {Buyer} */
class ExampleBuyer {
  /** @param {ExampleSale} sale @param {number} number */
  constructor(sale, number) {
    this.path = `/sales/${sale.id}`;
    this.id = `buyer-${number}`;
    this.ticket = '';
    // This shop never asks to come back later.
    this.patient = true;
  }

  /** @template Body @param {string} method @param {string} route @param {string} path @param {string[]} refusals @param {unknown} [body] @returns {Answer<Body>} */
  send(method, route, path, refusals, body) {
    return send(method, route, this.path + path, refusals, { headers: { Buyer: this.id, Ticket: this.ticket }, body });
  }

  /** @returns {Turn | 'sold_out' | null} */
  join() {
    /** @type {Answer<TurnBody>} */
    const { body, error } = this.send('POST', 'join', '/queue', ['sold_out']);
    if (error !== null) return error === 'sold_out' ? error : null;
    this.ticket = body.ticket;
    return turnOf(body);
  }

  poll() {
    /** @type {Answer<TurnBody>} */
    const { body, error } = this.send('GET', 'poll', '/queue', []);
    return error === null ? turnOf(body) : null;
  }

  leave() {
    this.send('DELETE', 'leave', '/queue', []);
  }

  look() {
    /** @type {Answer<{ states: string }>} */
    const { body, error } = this.send('GET', 'seats_status', '/seats', []);
    return Uint8Array.from(error === null ? [...body.states].map(Number) : []);
  }

  /** @param {Wanted} wanted @returns {HoldAnswer} */
  hold(wanted) {
    const request = 'numbers' in wanted ? { numbers: wanted.numbers } : { quantity: wanted.quantity };
    const refusals = ['seat_taken', 'not_enough_seats', 'not_active', 'over_limit'];
    /** @type {Answer<Held & { hold: string }>} */
    const { body, error } = this.send('POST', 'hold', '/holds', refusals, request);
    if (error !== null) return { refused: refusals.includes(error) ? /** @type {Refusal} */ (error) : 'other' };
    return { held: { id: body.hold, seats: body.seats, total: body.total } };
  }

  /** @param {Held} held */
  release(held) {
    this.send('DELETE', 'release', `/holds/${held.id}`, ['too_late']);
  }

  /** @param {Held} held @param {{ twice: boolean }} how @returns {PayAnswer} */
  pay(held, { twice }) {
    /** @type {() => Answer<{ total: number, receipts: string[] }>} */
    const request = () => this.send('POST', 'pay', `/holds/${held.id}/payment`, ['too_late']);
    const { body, error } = request();
    if (error !== null) return { refused: error === 'too_late' ? error : 'other' };
    if (twice && JSON.stringify(request().body) !== JSON.stringify(body)) {
      fault(unexpectedAnswers, `the same payment again, another answer: ${this.id}, ${held.id}`);
    }
    return { paid: body };
  }

  /** Sends the ticket with another signature. */
  forge() {
    const own = this.ticket;
    this.ticket = `${own.split('.')[0]}.forged`;
    /** @type {Answer<TurnBody>} */
    const { error } = this.send('GET', 'forged', '/queue', ['wrong_ticket']);
    this.ticket = own;
    return error === null ? ['a ticket with another signature was accepted'] : [];
  }

  kept() {
    /** @type {Answer<{ seats: number }>} */
    const { body, error } = this.send('GET', 'kept', '/kept', []);
    return error === null ? body.seats : null;
  }
}

/** @param {TurnBody} body @returns {Turn} */
function turnOf(body) {
  return {
    id: body.id,
    state: body.state,
    position: body.position,
    ahead: body.position === null ? null : body.position - 1,
    order: body.order,
    unsettled: false,
    soldOut: body.sold_out,
    askAgainMs: body.ask_again_ms,
    repeated: body.repeated,
    says: body.state,
  };
}

/** @type {Shop} */
export const example = {
  name: 'example',

  /** @param {Plan} plan @returns {ExampleSale} */
  prepare({ buyers, seats, opensInSeconds, queue }) {
    waitUntilReady();
    /** @type {{ id: string }} */
    const { id } = operate('POST', '/sales', {
      seats,
      capacity: queue.capacity,
      admit_per_second: queue.admitPerSecond,
      active_seconds: queue.activeSeconds,
      hold_seconds: queue.holdSeconds,
      seat_limit: queue.seatLimit,
      opens_in_seconds: opensInSeconds,
    });
    const { capacity, seatLimit, holdSeconds } = queue;
    return { run: id, id, isOurs: true, seats, buyers, capacity, seatLimit, holdSeconds, takenBefore: 0, revenueBefore: 0 };
  },

  /** @param {ExampleSale} sale @param {number} number */
  buyer(sale, number) {
    return new ExampleBuyer(sale, number);
  },

  /** @param {ExampleSale} sale */
  figures(sale) {
    return operate('GET', `/sales/${sale.id}/figures`);
  },

  /** @param {ExampleSale} sale @returns {Books} */
  books(sale) {
    /** @typedef {Books & FiguresBody} BooksBody */
    const read = () => /** @type {BooksBody} */ (operate('GET', `/sales/${sale.id}/books`));
    let found = read();
    for (let waited = 0; waited < SETTLE_SECONDS && found.held > 0; waited += 1) {
      sleep(1);
      found = read();
    }
    const { owned, payments, free, held, sold, revenue } = found;
    const map = new ExampleBuyer(sale, 0).look();
    return { owned, payments, revenue, seats: { free, held, sold, blocked: 0 }, maps: { map }, differences: [] };
  },

  /** @param {ExampleSale} sale */
  cleanUp(sale) {
    operate('DELETE', `/sales/${sale.id}`);
  },
};

/** Waits up to half a minute until the shop answers. */
function waitUntilReady() {
  for (let waited = 0; waited < 30; waited += 0.5) {
    if (http.get(`${BASE}/`, { tags: { name: 'ready' }, responseCallback: EVERY_STATUS }).status !== 0) return;
    sleep(0.5);
  }
  throw new Error(`${BASE} did not answer within 30 s`);
}
