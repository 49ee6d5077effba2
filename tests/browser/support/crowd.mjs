/** Buyers without a browser: a small real load over the public API. */

/** Waits. @param {number} ms */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A buyer. */
export class Buyer {
  /** @param {string} url the service's address */
  constructor(url) {
    this.url = url;
    this.id = 0;
    /** @type {string | null} */
    this.token = null;
    /** @type {string | null} */
    this.ticket = null;
    this.keys = 0;
  }

  /** @param {string} method @param {string} path @param {any} [content] @param {boolean} [keyed] */
  async call(method, path, content, keyed = false) {
    /** @type {Record<string, string>} */
    const headers = {};
    if (this.token) headers.authorization = `Bearer ${this.token}`;
    if (this.ticket) headers['queue-token'] = this.ticket;
    if (content !== undefined) headers['content-type'] = 'application/json';
    if (keyed) headers['idempotency-key'] = `k${(this.keys += 1)}`;
    const answer = await fetch(this.url + path, { method, headers, body: content === undefined ? undefined : JSON.stringify(content) });
    const text = await answer.text();
    const body = text === '' ? null : JSON.parse(text);
    if (body?.queue_token) this.ticket = body.queue_token;
    return { status: answer.status, body };
  }

  /** Signs up and adds points. @param {number} [points] */
  async signUp(points = 0) {
    const made = await this.call('POST', '/v1/users', { name: 'Kim' });
    this.id = made.body.id;
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

  /** Polls until the ticket is active. Returns false if it ends or the time runs out. @param {number} [ms] */
  async waitUntilActive(ms = 20_000) {
    for (const end = Date.now() + ms; Date.now() < end; await pause(200)) {
      const { body } = await this.poll();
      if (body?.status !== 'WAITING') return body?.status === 'ACTIVE';
    }
    return false;
  }

  /** Holds the best seats and pays. @param {number} schedule @param {number} [quantity] @param {boolean} [paying] */
  async buy(schedule, quantity = 1, paying = true) {
    const held = await this.call('POST', `/v1/schedules/${schedule}/reservations`, { quantity }, true);
    if (held.status !== 201 || !paying) return held;
    return this.call('POST', '/v1/payments', { hold_id: held.body.hold_id }, true);
  }
}

/** Creates buyers, all at once. @param {string} url @param {number} count @param {number} [points] @returns {Promise<Buyer[]>} */
export const createBuyers = (url, count, points = 1_000_000) =>
  Promise.all(Array.from({ length: count }, () => new Buyer(url).signUp(points)));

/**
 * Lets buyers join one after the other, wait, hold and pay. Returns how many paid.
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
