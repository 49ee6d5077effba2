// @ts-check
/**
 * The JavaScript client of onsale, for any site. It has no dependencies and is a few kilobytes large.
 *
 *   import { Onsale } from 'https://tickets.example/onsale.js';
 *   const onsale = new Onsale({ base: 'https://tickets.example', token: () => accessToken });
 *   const ticket = await onsale.join(7);
 *   onsale.follow(ticket.queue_token, { onTicket: (now) => show(now.position) });
 *
 * docs/API.md and /docs of a running service describe the answers. Every call may throw an `OnsaleError`,
 * whose `code` says what went wrong.
 */
import { OnsaleError, call } from './onsale/call.js';
import { followSeats, followTicket } from './onsale/follow.js';

export { OnsaleError };

/** @import * as Api from './onsale/types.d.ts' */
/** @typedef {import('./onsale/call.js').Sent} Sent */
/** @typedef {import('./onsale/follow.js').Following} Following */
/** @typedef {import('./onsale/follow.js').Followed} Followed */
/** @typedef {import('./onsale/follow.js').Connection} Connection */
/** @typedef {Api.Ticket} Ticket */
/** @typedef {Api.Hold} Hold */
/** @typedef {Api.ListPage} ListPage */

/** @param {Record<string, string | number | null | undefined>} values */
function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== undefined);
  return given.length > 0 ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : '';
}

export class Onsale {
  /**
   * @param {object} [how]
   * @param {string} [how.base] the service's address; empty for the page's own origin
   * @param {() => (string | null)} [how.token] returns the current access token
   * @param {typeof fetch} [how.fetch]
   * @param {(time: string, sent: number, received: number, slack?: number) => void} [how.onTime] called
   * with the server's time of each answer, when (`performance.now()`) the request was sent and the answer
   * came, and how inexact the time itself is, in ms
   */
  constructor({ base = '', token = () => null, fetch = globalThis.fetch.bind(globalThis), onTime = () => {} } = {}) {
    /** @type {import('./onsale/call.js').Client} */
    this.client = { base, token, fetch, onTime };
  }

  /**
   * Makes any call of the API.
   * @template Answer
   * @param {string} method @param {string} path @param {Sent} [sent]
   * @returns {Promise<Answer>} the answer; null if it has no body
   */
  call(method, path, sent) {
    return call(this.client, method, path, sent);
  }

  /** Creates a user, if sign-up is open. @param {string} name @param {Sent} [sent] @returns {Promise<Api.NewUser>} */
  signUp(name, sent = {}) {
    return this.call('POST', '/v1/users', { body: { name }, ...sent });
  }

  /** Renews the session's access token. @returns {Promise<Api.Renewal>} */
  renew() {
    return this.call('POST', '/v1/users/me/token');
  }

  /** Creates a recovery code, which replaces the previous one. @returns {Promise<Api.NewRecoveryCode>} */
  makeRecoveryCode() {
    return this.call('POST', '/v1/users/me/recovery-code');
  }

  /** Returns when the recovery code was created, or null if there is none. @returns {Promise<Api.RecoveryCodeDate>} */
  recoveryCodeMade() {
    return this.call('GET', '/v1/users/me/recovery-code');
  }

  /** Signs in with a recovery code. @param {string} code @returns {Promise<Api.NewUser>} */
  recover(code) {
    return this.call('POST', '/v1/users/recover', { body: { code } });
  }

  /** Returns the user of the access token. @returns {Promise<Api.User>} */
  me() {
    return this.call('GET', '/v1/users/me');
  }

  /** Lists concerts. @param {ListPage & { status?: string, sale?: string }} [which] @returns {Promise<Api.List<Api.Concert>>} */
  concerts(which = {}) {
    return this.call('GET', `/v1/concerts${query(which)}`);
  }

  /** Returns one concert. @param {number} id @returns {Promise<Api.Concert>} */
  concert(id) {
    return this.call('GET', `/v1/concerts/${id}`);
  }

  /**
   * Lists the schedules (dates) of a concert.
   * @param {number} concert @param {ListPage & { dates?: string }} [which]
   * @returns {Promise<Api.List<Api.Schedule>>}
   */
  schedules(concert, which = {}) {
    return this.call('GET', `/v1/concerts/${concert}/schedules${query(which)}`);
  }

  /** Returns one schedule: times, phase, prices, seats left. @param {number} id @returns {Promise<Api.Schedule>} */
  schedule(id) {
    return this.call('GET', `/v1/schedules/${id}`);
  }

  /** Returns the public state of a queue. @param {number} schedule @returns {Promise<Api.Board>} */
  board(schedule) {
    return this.call('GET', `/v1/schedules/${schedule}/queue`);
  }

  /** Returns the commitment of a draw, and after the draw also the secret. @param {number} schedule @returns {Promise<Api.Draw>} */
  draw(schedule) {
    return this.call('GET', `/v1/schedules/${schedule}/queue/draw`);
  }

  /** Returns the ticket ids in a draw. @param {number} schedule @returns {Promise<string[]>} */
  async entrants(schedule) {
    const response = await this.client.fetch(`${this.client.base}/v1/schedules/${schedule}/queue/draw/entrants`, { credentials: 'omit' });
    if (!response.ok) throw new OnsaleError(response.status === 410 ? 'entrants_removed' : 'draw_not_frozen', response.status);
    return (await response.text()).split('\n').filter(Boolean);
  }

  /**
   * Joins the queue, or returns the place that this user already has. Repeating it is safe.
   * @param {number} schedule @param {Sent} [sent]
   * @returns {Promise<Api.JoinedTicket>}
   */
  join(schedule, sent = {}) {
    return this.call('POST', `/v1/schedules/${schedule}/queue`, { patience: 20_000, ...sent });
  }

  /** Returns a ticket's current state. @param {string} ticket @returns {Promise<Ticket>} */
  ticket(ticket) {
    return this.call('GET', '/v1/queue/ticket', { ticket });
  }

  /** Follows a ticket until it is final, through network failures. @param {string} ticket @param {Following} on @returns {Followed} */
  follow(ticket, on) {
    return followTicket(this.client, ticket, on);
  }

  /** Leaves the queue. @param {string} ticket @returns {Promise<null>} */
  leave(ticket) {
    return this.call('DELETE', '/v1/queue/ticket', { ticket, patience: 10_000 });
  }

  /**
   * Creates a hand-off code, with which another device takes over the place. It works once, for two minutes.
   * @param {string} ticket
   * @returns {Promise<Api.HandOffCode>}
   */
  handOff(ticket) {
    return this.call('POST', '/v1/queue/ticket/handoff', { ticket });
  }

  /** Takes over a place by a hand-off code. @param {string} code @returns {Promise<Api.TakenOver>} */
  takeOver(code) {
    return this.call('POST', '/v1/handoffs', { body: { code } });
  }

  /**
   * Returns every seat without its state. With the current `layout_version`, the browser caches it for a day.
   * @param {number} schedule @param {number | null} [version]
   * @returns {Promise<Api.Layout>}
   */
  layout(schedule, version = null) {
    return this.call('GET', `/v1/schedules/${schedule}/seats/layout${query({ version })}`);
  }

  /**
   * Returns the states of all seats, two bits each (`states` decodes them).
   * @overload @param {number} schedule @returns {Promise<Api.SeatBits>}
   */
  /**
   * Returns the changes since a version, or all states if the service no longer has these changes.
   * @overload @param {number} schedule @param {string | null} since
   * @returns {Promise<Api.SeatBits | Api.SeatChanges>}
   */
  /** @param {number} schedule @param {string | null} [since] @returns {Promise<Api.SeatBits | Api.SeatChanges>} */
  status(schedule, since = null) {
    return this.call('GET', `/v1/schedules/${schedule}/seats/status${query({ since })}`);
  }

  /**
   * Follows the changes of a seat map from a version on.
   * @param {number} schedule @param {string} version @param {Parameters<typeof followSeats>[3]} on
   * @returns {Followed}
   */
  followSeats(schedule, version, on) {
    return followSeats(this.client, schedule, version, on);
  }

  /**
   * Returns the best free seats now, which a hold of the same wish tries first. Holds nothing.
   * @param {number} schedule
   * @param {Api.BestSeatsWish & { except?: number[] }} wish
   * @returns {Promise<Api.BestSeats>}
   */
  bestSeats(schedule, { exclude_prices, except = [], ...wish }) {
    const ranges = (exclude_prices ?? []).map(([low, high]) => `${low}-${high}`).join(',');
    const exclusions = { exclude_prices: ranges || null, except: except.join(',') || null };
    return this.call('GET', `/v1/schedules/${schedule}/seats/best${query({ ...wish, ...exclusions })}`);
  }

  /**
   * Holds the given seats, all or none, or the best free ones.
   * @param {number} schedule
   * @param {Api.WantedSeats} wanted
   * @param {{ ticket: string, key: string, signal?: AbortSignal }} how
   * @returns {Promise<Hold>}
   */
  hold(schedule, wanted, how) {
    return this.call('POST', `/v1/schedules/${schedule}/reservations`, { body: wanted, ...how });
  }

  /** Returns a hold. @param {string} hold @returns {Promise<Api.HoldView>} */
  getHold(hold) {
    return this.call('GET', `/v1/holds/${encodeURIComponent(hold)}`);
  }

  /** Releases held seats. Repeating it is safe. @param {string} hold @returns {Promise<null>} */
  release(hold) {
    return this.call('DELETE', `/v1/holds/${encodeURIComponent(hold)}`, { patience: 10_000 });
  }

  /**
   * Pays for a hold, once per key. With `charge_up_to`, missing points are added in the same step, up to
   * this number. If the hold is not paid, no points are added.
   * @param {string} hold
   * @param {{ key: string, charge_up_to?: number, signal?: AbortSignal }} how
   * @returns {Promise<Api.Paid>}
   */
  pay(hold, { charge_up_to = 0, ...how }) {
    const body = charge_up_to > 0 ? { hold_id: hold, charge_up_to } : { hold_id: hold };
    return this.call('POST', '/v1/payments', { body, ...how });
  }

  /**
   * Refunds one paid seat in points.
   * @param {number} payment @param {{ key: string, signal?: AbortSignal }} how
   * @returns {Promise<Api.Refund>}
   */
  refund(payment, how) {
    return this.call('POST', `/v1/payments/${payment}/refund`, how);
  }

  /** Returns the balance. @returns {Promise<Api.Balance>} */
  points() {
    return this.call('GET', '/v1/points');
  }

  /**
   * Adds points to the balance.
   * @param {number} amount @param {{ key: string, signal?: AbortSignal }} how
   * @returns {Promise<Api.Charge>}
   */
  charge(amount, how) {
    return this.call('POST', '/v1/points/charges', { body: { amount }, ...how });
  }

  /** Lists the balance changes, newest first. @param {ListPage} [which] @returns {Promise<Api.List<Api.BalanceChange>>} */
  pointHistory(which = {}) {
    return this.call('GET', `/v1/points/history${query(which)}`);
  }

  /**
   * Lists the user's reservations, newest first.
   * @param {ListPage & { status?: string }} [which]
   * @returns {Promise<Api.List<Api.Reservation>>}
   */
  reservations(which = {}) {
    return this.call('GET', `/v1/reservations${query(which)}`);
  }

  /** Lists the user's payments, newest first. @param {ListPage} [which] @returns {Promise<Api.List<Api.Payment>>} */
  payments(which = {}) {
    return this.call('GET', `/v1/payments${query(which)}`);
  }
}

/**
 * Decodes `status` into the states of all seats: 0 available, 1 held, 2 unavailable. The index is the
 * seat number minus 1.
 * @param {string} status base64, two bits per seat
 * @param {number} seats the number of seats
 * @returns {Uint8Array}
 */
export function states(status, seats) {
  const bytes = Uint8Array.from(atob(status), (character) => character.charCodeAt(0));
  const all = new Uint8Array(seats);
  for (let at = 0; at < seats; at += 1) all[at] = (bytes[at >> 2] >> ((at & 3) * 2)) & 3;
  return all;
}
