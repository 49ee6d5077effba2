/** Buyers without a browser: a small real load, over the API that everybody uses. */

/** Waits so many ms. @param {number} ms */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Somebody who buys. */
export class Buyer {
  /** @param {string} url where the service is */
  constructor(url) {
    this.url = url;
    /** @type {string | null} */
    this.token = null;
    /** @type {string | null} */
    this.ticket = null;
    this.keys = 0;
  }

  /** @param {string} method @param {string} path @param {any} [body] @param {boolean} [keyed] */
  async call(method, path, body, keyed = false) {
    /** @type {Record<string, string>} */
    const headers = {};
    if (this.token) headers.authorization = `Bearer ${this.token}`;
    if (this.ticket) headers['queue-token'] = this.ticket;
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (keyed) headers['idempotency-key'] = `k${(this.keys += 1)}`;
    const answer = await fetch(this.url + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await answer.text();
    const told = text === '' ? null : JSON.parse(text);
    if (told?.queue_token) this.ticket = told.queue_token;
    return { status: answer.status, body: told };
  }

  /** Signs up, with points to spend. @param {number} [points] */
  async signUp(points = 0) {
    const made = await this.call('POST', '/v1/users', { name: 'Kim' });
    this.token = made.body.access_token;
    if (points > 0) await this.call('POST', '/v1/points/charges', { amount: points }, true);
    return this;
  }

  /** @param {number} schedule */
  join(schedule) {
    return this.call('POST', `/v1/schedules/${schedule}/queue`);
  }

  poll() {
    return this.call('GET', '/v1/queue/ticket');
  }

  /** Asks until inside, or until nothing comes of it any more. @param {number} [ms] */
  async waitUntilActive(ms = 20_000) {
    for (const end = Date.now() + ms; Date.now() < end; await pause(200)) {
      const { body } = await this.poll();
      if (body?.status !== 'WAITING') return body?.status === 'ACTIVE';
    }
    return false;
  }

  /** Holds so many of the best, and pays. @param {number} schedule @param {number} [quantity] @param {boolean} [paying] */
  async buy(schedule, quantity = 1, paying = true) {
    const held = await this.call('POST', `/v1/schedules/${schedule}/reservations`, { quantity }, true);
    if (held.status !== 201 || !paying) return held;
    return this.call('POST', '/v1/payments', { hold_id: held.body.hold_id }, true);
  }
}

/** So many buyers at once. @param {string} url @param {number} count @param {number} [points] @returns {Promise<Buyer[]>} */
export const createBuyers = (url, count, points = 1_000_000) => Promise.all(Array.from({ length: count }, () => new Buyer(url).signUp(points)));

/**
 * Buyers who join one after the other, wait, hold and pay, until all are done.
 * @param {Buyer[]} people @param {number} schedule @param {number} [everyMs]
 */
export async function runBuyers(people, schedule, everyMs = 50) {
  const each = people.map(async (buyer, at) => {
    await pause(at * everyMs);
    const joined = await buyer.join(schedule);
    if (joined.status >= 300 || !(await buyer.waitUntilActive())) return false;
    return (await buyer.buy(schedule)).status === 201;
  });
  return (await Promise.all(each)).filter(Boolean).length;
}
