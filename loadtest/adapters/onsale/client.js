// A client of onsale: one method per call, one instance per user.

import http from 'k6/http';
import encoding from 'k6/encoding';
import { sleep } from 'k6';
import { BASE, EVERY_STATUS } from '../address.js';
import { askedToComeBack, fault, unexpectedAnswers } from '../../lib/invariants/metrics.js';

/** @import * as Types from './types.d.ts' */
/** @template Body @typedef {Types.Answer<Body>} Answer */
/** @typedef {Types.WantedSeats} WantedSeats */

// Most attempts of one request while the service asks to retry.
const MAX_ATTEMPTS = 8;
// Codes after which the same request is sent again, with the same idempotency key.
const RETRY_CODES = ['rate_limited', 'store_unavailable', 'overloaded', 'request_in_progress'];

/**
 * Reads k6's response. `code` is the problem code of a refusal, and `null` for a success.
 * @template Body
 * @param {import('k6/http').Response} response
 * @returns {Answer<Body>}
 */
export function read(response) {
  const status = response.status;
  const text = String(response.body ?? '');
  let body = null;
  let code = null;
  try {
    body = text ? JSON.parse(text) : null;
  } catch {
    code = 'unreadable_body';
  }
  if (status === 0) code = `no_answer_${response.error_code}`;
  else if (status >= 400 && code === null) code = problemCode(response, body);
  const retryAfter = Number(response.headers['Retry-After']);
  return {
    status,
    body,
    code,
    text,
    etag: response.headers.Etag || response.headers.ETag || null,
    replayed: response.headers['Idempotency-Replayed'] === 'true',
    retryAfter: Number.isFinite(retryAfter) && retryAfter >= 0 ? retryAfter : null,
  };
}

/** @param {import('k6/http').Response} response @param {Types.Problem | null} body */
function problemCode(response, body) {
  const type = response.headers['Content-Type'] || '';
  if (!type.startsWith('application/problem+json')) return 'not_a_problem';
  const complete = body && typeof body.code === 'string' && body.status === response.status && body.title;
  return complete && body.code ? body.code : 'incomplete_problem';
}

/** Whether the answer asks to retry, and says when. @param {Answer<unknown>} answer */
const asksToRetry = (answer) => RETRY_CODES.includes(answer.code ?? '') && (answer.retryAfter !== null || answer.status === 409);

// Refusals of an impatient client, which sends more than it may.
const BUSY_CODES = ['rate_limited', 'overloaded'];

export class Client {
  /**
   * `run` distinguishes the idempotency keys of this run from those of earlier runs.
   * @param {{ bearer: string, id: string, run?: string }} user `bearer` is the Authorization header; `id` is for messages
   */
  constructor({ bearer, id, run = 'run' }) {
    this.bearer = bearer;
    this.id = id;
    this.run = run;
    /** Whether requests are sent again when the service asks to. */
    this.patient = true;
    /** @type {string | null} */
    this.queueToken = null;
    /** @type {{ etag: string | null, states: Uint8Array } | null} */
    this.map = null;
    this.keys = 0;
  }

  /** Returns an idempotency key that this user has not used before. @param {string} purpose */
  newKey(purpose) {
    this.keys += 1;
    return `${this.run}-${purpose}-${this.keys}`;
  }

  /**
   * Sends a request and retries it while the service asks to. Counts answers that the API does not allow
   * here: `expect` lists the allowed statuses of success and codes of refusal.
   * @template Body
   * @param {string} method @param {string} route @param {string} path @param {(number | string)[]} expect
   * @param {Types.Sent} [sent]
   * @returns {Answer<Body>}
   */
  send(method, route, path, expect, { body = null, key = null, ticket = false, headers = {} } = {}) {
    /** @type {Record<string, string>} */
    const all = { Authorization: this.bearer, ...headers };
    if (body !== null) all['Content-Type'] = 'application/json';
    if (key !== null) all['Idempotency-Key'] = key;
    if (ticket) all['Queue-Token'] = ticket === true ? (this.queueToken ?? '') : ticket;
    const params = { tags: { name: route }, timeout: '30s', headers: all };
    const payload = body === null ? null : JSON.stringify(body);
    /** @type {() => Answer<Body>} */
    const request = () => read(http.request(method, BASE + path, payload, params));
    let answer = request();
    for (let attempt = 1; this.patient && attempt < MAX_ATTEMPTS && asksToRetry(answer); attempt += 1) {
      askedToComeBack.add(1, { code: answer.code ?? '' });
      sleep(answer.retryAfter || 0.2);
      answer = request();
    }
    const isBusy = !this.patient && BUSY_CODES.includes(answer.code ?? '');
    if (!isBusy && !expect.includes(answer.code === null ? answer.status : answer.code)) {
      fault(unexpectedAnswers, `${method} ${path} of ${this.id}: ${answer.status} ${answer.code}: ${answer.text}`);
    }
    return answer;
  }

  /**
   * Joins the queue of a schedule. Joining again returns the same ticket until it ends.
   * @param {number} schedule @returns {Answer<Types.JoinedTicket>}
   */
  join(schedule) {
    const refused = ['queue_not_open', 'schedule_closed', 'sold_out', 'concert_unavailable'];
    const answer = this.send('POST', 'join', `/v1/schedules/${schedule}/queue`, [200, 201, ...refused]);
    if (answer.code === null && !answer.body.queue_token) fault(unexpectedAnswers, 'a join without a queue_token');
    return this.keepToken(answer);
  }

  /** Polls the state of the ticket. @returns {Answer<Types.Ticket>} */
  poll() {
    return this.keepToken(this.send('GET', 'poll', '/v1/queue/ticket', [200], { ticket: true }));
  }

  /**
   * Stores the new token of an answer, if there is one.
   * @template {Types.Ticket} Body
   * @param {Answer<Body>} answer
   */
  keepToken(answer) {
    if (answer.code === null && answer.body.queue_token) this.queueToken = answer.body.queue_token;
    return answer;
  }

  // Leaves the queue, or gives up the active slot.
  leave() {
    return this.send('DELETE', 'leave', '/v1/queue/ticket', [204], { ticket: true });
  }

  /** @param {number} schedule @returns {Answer<Types.Board>} */
  board(schedule) {
    return this.send('GET', 'board', `/v1/schedules/${schedule}/queue`, [200]);
  }

  /** @param {number} schedule @returns {Answer<Types.Schedule>} */
  schedule(schedule) {
    return this.send('GET', 'schedule', `/v1/schedules/${schedule}`, [200]);
  }

  /** Reads the whole seat map, like a page that opens. @param {number} schedule @returns {Answer<Types.SeatMap>} */
  seats(schedule) {
    const headers = { 'Accept-Encoding': 'gzip' };
    return this.send('GET', 'seats', `/v1/schedules/${schedule}/seats`, [200], { headers });
  }

  /**
   * Reads the states of all seats in order of seat number: 0 available, 1 held, 2 unavailable. Sends the
   * ETag of the last answer, so that an unchanged map is not sent again.
   * @param {Types.OnsaleSale} sale
   */
  look(sale) {
    const path = `/v1/schedules/${sale.schedule}/seats/status`;
    /** @type {Record<string, string>} */
    const headers = this.map?.etag ? { 'If-None-Match': this.map.etag } : {};
    /** @type {Answer<Types.SeatBits>} */
    const answer = this.send('GET', 'seats_status', path, [200, 304], { headers });
    if (answer.status === 200 && answer.code === null) {
      this.map = { etag: answer.etag, states: unpack(answer.body.status, sale.seats) };
    }
    return this.map ? this.map.states : new Uint8Array(0);
  }

  /**
   * Holds seats. `wanted` is `{seat_ids}` or `{quantity, section, max_price}`.
   * @param {number} schedule @param {WantedSeats} wanted @param {string} [key] @returns {Answer<Types.Hold>}
   */
  hold(schedule, wanted, key = this.newKey('hold')) {
    const refused = ['seat_taken', 'not_enough_seats', 'ticket_not_active', 'hold_limit', 'seat_limit_exceeded', 'schedule_closed'];
    const options = { body: wanted, key, ticket: true };
    return this.send('POST', 'hold', `/v1/schedules/${schedule}/reservations`, [201, ...refused], options);
  }

  /**
   * Tries to hold other seats under the key of an earlier hold. This must have no effect.
   * @param {number} schedule @param {WantedSeats} wanted @param {string} key
   */
  holdUnderUsedKey(schedule, wanted, key) {
    const refused = ['idempotency_key_reused', 'seat_taken', 'seat_limit_exceeded', 'ticket_not_active', 'schedule_closed'];
    const options = { body: wanted, key, ticket: true };
    return this.send('POST', 'hold', `/v1/schedules/${schedule}/reservations`, refused, options);
  }

  /**
   * Sends a hold request and disconnects a few milliseconds later. A short timeout is k6's only way to
   * close a connection early.
   * @param {number} schedule @param {WantedSeats} wanted
   */
  holdAndHangUp(schedule, wanted) {
    const headers = {
      Authorization: this.bearer,
      'Content-Type': 'application/json',
      'Queue-Token': this.queueToken ?? '',
      'Idempotency-Key': this.newKey('hang-up'),
    };
    const timeout = `${1 + Math.floor(Math.random() * 8)}ms`;
    const params = { headers, tags: { name: 'hang_up' }, timeout, responseCallback: EVERY_STATUS };
    http.post(`${BASE}/v1/schedules/${schedule}/reservations`, JSON.stringify(wanted), params);
  }

  /**
   * Reads this user's reservations with a status.
   * @param {Types.ReservationStatus} status @returns {Answer<Types.List<Types.Reservation>>}
   */
  reservations(status) {
    return this.send('GET', 'reservations', `/v1/reservations?status=${status}&limit=200`, [200]);
  }

  /** @param {string} holdId */
  release(holdId) {
    return this.send('DELETE', 'release', `/v1/holds/${holdId}`, [204, 'already_paid']);
  }

  /** @returns {Answer<Types.Balance>} */
  points() {
    return this.send('GET', 'points', '/v1/points', [200]);
  }

  /** @param {number} amount */
  charge(amount) {
    return this.send('POST', 'charge', '/v1/points/charges', [201], { body: { amount }, key: this.newKey('charge') });
  }

  /** @param {string} holdId @param {string} [key] @returns {Answer<Types.Paid>} */
  pay(holdId, key = this.newKey('pay')) {
    const expect = [201, 'insufficient_points', 'hold_expired'];
    return this.send('POST', 'pay', '/v1/payments', expect, { body: { hold_id: holdId }, key });
  }

  /** @param {number} paymentId */
  refund(paymentId) {
    return this.send('POST', 'refund', `/v1/payments/${paymentId}/refund`, [200], { key: this.newKey('refund') });
  }

  /** @param {number} schedule @returns {Answer<Types.Stats>} */
  stats(schedule) {
    return this.send('GET', 'stats', `/v1/admin/schedules/${schedule}/stats`, [200]);
  }
}

/** Unpacks the states: two bits per seat, four seats to a byte, the lowest bits first. @param {string} status @param {number} seats */
export function unpack(status, seats) {
  const bytes = new Uint8Array(encoding.b64decode(status, 'std'));
  const states = new Uint8Array(seats);
  for (let seat = 0; seat < seats; seat += 1) {
    states[seat] = (bytes[seat >> 2] >> (2 * (seat & 3))) & 3;
  }
  return states;
}
