// A client of onsale: one method for each call, one instance for each user.

import http from 'k6/http';
import encoding from 'k6/encoding';
import { sleep } from 'k6';
import { accessToken } from './token.js';
import { askedToComeBack, comparePlaces, fault, placeLost, unexpectedAnswers } from './invariants.js';

export const BASE = (__ENV.BASE_URL || 'http://127.0.0.1:8080').replace(/\/+$/, '');

// How often a client that was told to come back does so before it gives up.
const TRIES = 8;
// "Later", not "no": the same request is sent again, with the same idempotency key.
const LATER = ['rate_limited', 'store_unavailable', 'overloaded', 'request_in_progress'];

// A refusal by contract is not a failed request; no answer, or a 5xx without a reason, is.
http.setResponseCallback(http.expectedStatuses({ min: 200, max: 499 }, 503));

// Reads k6's response: `code` is the problem's code of a refusal, `null` of a success.
export function read(response) {
  const status = response.status;
  let body = null;
  let code = null;
  try {
    body = response.body ? JSON.parse(response.body) : null;
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
    text: response.body,
    etag: response.headers.Etag || response.headers.ETag || null,
    replayed: response.headers['Idempotency-Replayed'] === 'true',
    retryAfter: Number.isFinite(retryAfter) && retryAfter >= 0 ? retryAfter : null,
  };
}

function problemCode(response, body) {
  const type = response.headers['Content-Type'] || '';
  if (!type.startsWith('application/problem+json')) return 'not_a_problem';
  const complete = body && typeof body.code === 'string' && body.status === response.status && body.title;
  return complete ? body.code : 'incomplete_problem';
}

// The answer says to come back, and when.
const isLater = (answer) => LATER.includes(answer.code) && (answer.retryAfter !== null || answer.status === 409);

export class Client {
  // `run` sets the idempotency keys of this run apart from those of earlier ones.
  constructor(user, { role = 'user', run = 'run' } = {}) {
    this.user = user;
    this.run = run;
    this.bearer = `Bearer ${accessToken(user, role)}`;
    this.queueToken = null;
    this.ticket = null;
    this.map = null;
    this.keys = 0;
  }

  // A new idempotency key, never used before by this user.
  newKey(purpose) {
    this.keys += 1;
    return `${this.run}-${purpose}-${this.keys}`;
  }

  // Sends a request, comes back as often as told to, and counts answers that the contract does
  // not give: `expect` lists the statuses of success and the codes of refusal.
  send(method, route, path, expect, { body = null, key = null, ticket = false, headers = {} } = {}) {
    const params = { tags: { name: route }, timeout: '30s', headers: { Authorization: this.bearer, ...headers } };
    if (body !== null) params.headers['Content-Type'] = 'application/json';
    if (key !== null) params.headers['Idempotency-Key'] = key;
    if (ticket) params.headers['Queue-Token'] = this.queueToken;
    const payload = body === null ? null : JSON.stringify(body);
    let answer;
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      answer = read(http.request(method, BASE + path, payload, params));
      if (!isLater(answer) || attempt === TRIES) break;
      askedToComeBack.add(1, { code: answer.code });
      sleep(answer.retryAfter || 0.2);
    }
    if (!expect.includes(answer.code === null ? answer.status : answer.code)) {
      fault(unexpectedAnswers, `${method} ${path} of user ${this.user}: ${answer.status} ${answer.code}: ${answer.text}`);
    }
    return answer;
  }

  // Joins the line of a schedule; joining again gives the same ticket as long as it lives.
  join(schedule) {
    const refused = ['queue_not_open', 'schedule_closed', 'sold_out', 'concert_unavailable'];
    const answer = this.send('POST', 'join', `/v1/schedules/${schedule}/queue`, [200, 201, ...refused]);
    if (answer.code === null) {
      if (!answer.body.queue_token) fault(unexpectedAnswers, 'a join without a queue_token');
      this.keepTicket(answer.body);
    }
    return answer;
  }

  // Joins again, as a page reloaded while waiting does: the place must be the same.
  rejoin(schedule) {
    const before = this.ticket;
    const answer = this.join(schedule);
    if (answer.code !== null) return answer;
    if (answer.status !== 200 || answer.body.ticket_id !== before.ticket_id) {
      fault(placeLost, `joined again: ${answer.status}, ticket ${before.ticket_id} became ${answer.body.ticket_id}`);
    }
    return answer;
  }

  // Asks where the ticket stands.
  poll() {
    const answer = this.send('GET', 'poll', '/v1/queue/ticket', [200], { ticket: true });
    if (answer.code === null) this.keepTicket(answer.body, answer.retryAfter);
    return answer;
  }

  // Takes over what an answer says about the ticket, and the new token where there is one.
  keepTicket(ticket, retryAfter = null) {
    comparePlaces(this.ticket, ticket);
    if (ticket.queue_token) this.queueToken = ticket.queue_token;
    this.ticket = ticket;
    this.askAgainMs = ticket.poll_after_ms || (retryAfter || 1) * 1000;
  }

  // Waits for as long as the last answer asked for.
  waitToAskAgain() {
    sleep(this.askAgainMs / 1000);
  }

  // Leaves the line or the sale.
  leave() {
    return this.send('DELETE', 'leave', '/v1/queue/ticket', [204], { ticket: true });
  }

  board(schedule) {
    return this.send('GET', 'board', `/v1/schedules/${schedule}/queue`, [200]);
  }

  schedule(schedule) {
    return this.send('GET', 'schedule', `/v1/schedules/${schedule}`, [200]);
  }

  // The whole seat map, as a page that opens loads it.
  seats(schedule) {
    const headers = { 'Accept-Encoding': 'gzip' };
    return this.send('GET', 'seats', `/v1/schedules/${schedule}/seats`, [200], { headers });
  }

  // The seats' states, one number each in order of seat number (0 available, 1 held,
  // 2 unavailable); asks with the ETag of the last look, so that nothing is sent twice.
  look(sale) {
    const path = `/v1/schedules/${sale.schedule}/seats/status`;
    const headers = this.map ? { 'If-None-Match': this.map.etag } : {};
    const answer = this.send('GET', 'seats_status', path, [200, 304], { headers });
    if (answer.status === 200 && answer.code === null) {
      this.map = { etag: answer.etag, states: unpack(answer.body.status, sale.seats) };
    }
    return this.map ? this.map.states : [];
  }

  // Holds seats: `wanted` is `{seat_ids}` or `{quantity, section, max_price}`.
  hold(schedule, wanted, key = this.newKey('hold')) {
    const refused = ['seat_taken', 'not_enough_seats', 'ticket_not_active', 'hold_limit', 'seat_limit_exceeded', 'schedule_closed'];
    const options = { body: wanted, key, ticket: true };
    return this.send('POST', 'hold', `/v1/schedules/${schedule}/reservations`, [201, ...refused], options);
  }

  // Tries to hold other seats under a key that was used for a hold. None of it may have an effect.
  holdUnderUsedKey(schedule, wanted, key) {
    const refused = ['idempotency_key_reused', 'seat_taken', 'seat_limit_exceeded', 'ticket_not_active', 'schedule_closed'];
    const options = { body: wanted, key, ticket: true };
    return this.send('POST', 'hold', `/v1/schedules/${schedule}/reservations`, refused, options);
  }

  // Sends a hold request and hangs up a few milliseconds later, whatever has come of it. k6 has no
  // other way to close a connection early.
  holdAndHangUp(schedule, wanted) {
    const headers = { Authorization: this.bearer, 'Content-Type': 'application/json', 'Queue-Token': this.queueToken };
    headers['Idempotency-Key'] = this.newKey('hang-up');
    const params = { headers, tags: { name: 'hang_up' }, timeout: `${1 + Math.floor(Math.random() * 8)}ms` };
    params.responseCallback = null;
    http.post(`${BASE}/v1/schedules/${schedule}/reservations`, JSON.stringify(wanted), params);
  }

  // The reservations of this user that wait for payment or are paid.
  reservations(status) {
    return this.send('GET', 'reservations', `/v1/reservations?status=${status}&limit=200`, [200]);
  }

  release(holdId) {
    return this.send('DELETE', 'release', `/v1/holds/${holdId}`, [204, 'already_paid']);
  }

  charge(amount) {
    return this.send('POST', 'charge', '/v1/points/charges', [201], { body: { amount }, key: this.newKey('charge') });
  }

  pay(holdId, key = this.newKey('pay')) {
    const expect = [201, 'insufficient_points', 'hold_expired'];
    return this.send('POST', 'pay', '/v1/payments', expect, { body: { hold_id: holdId }, key });
  }

  refund(paymentId) {
    return this.send('POST', 'refund', `/v1/payments/${paymentId}/refund`, [200], { key: this.newKey('refund') });
  }

  stats(schedule) {
    return this.send('GET', 'stats', `/v1/admin/schedules/${schedule}/stats`, [200]);
  }
}

// Two bits for each seat, four seats to a byte, the lowest bits first.
export function unpack(status, seats) {
  const bytes = new Uint8Array(encoding.b64decode(status, 'std'));
  const states = new Uint8Array(seats);
  for (let seat = 0; seat < seats; seat += 1) {
    states[seat] = (bytes[seat >> 2] >> (2 * (seat & 3))) & 3;
  }
  return states;
}
