// Creates sales and buyers over the API.

import { randomUUID } from 'node:crypto';

/** @import * as Api from '../../../web/js/onsale/types.d.ts' */

const SECTIONS = [
  { name: 'Floor', rows: 10, seats_per_row: 16, seat_price: 150_000 },
  { name: 'Circle', rows: 8, seats_per_row: 15, seat_price: 110_000 },
  { name: 'Balcony', rows: 6, seats_per_row: 20, seat_price: 70_000 },
];

/** @typedef {import('./service.mjs').Service} Service */
/** @typedef {Api.QueueChange} QueueChange */
/** @typedef {Api.WantedSeats} WantedSeats */
/** @typedef {{ id: number, concert: number, seats: Api.Seat[] }} Sale */
/**
 * @typedef {{ title?: string, description?: string, sections?: Api.NewSection[], queue?: QueueChange, opensIn?: number, closesIn?: number }} SaleChoices
 */
/** @typedef {{ token?: string, ticket?: string, key?: string, body?: unknown }} Sent */
/** @typedef {Awaited<ReturnType<typeof createBuyer>>} Buyer */

/**
 * Calls the API. Throws if the call fails.
 * @param {{ base: string }} service @param {string} method @param {string} path @param {Sent} [sent]
 * @returns {Promise<any>} the answer, whose shape the caller knows by the path
 */
export async function call(service, method, path, { token, ticket, key, body } = {}) {
  /** @type {Record<string, string>} */
  const headers = {
    ...(token && { authorization: `Bearer ${token}` }),
    ...(ticket && { 'queue-token': ticket }),
    ...(key && { 'idempotency-key': key }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
  };
  const response = await fetch(service.base + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await response.text();
  const answer = text ? JSON.parse(text) : null;
  if (!response.ok) throw Object.assign(new Error(`${method} ${path}: ${response.status} ${text}`), { answer });
  return answer;
}

/**
 * Creates an open sale.
 * @param {Service} service @param {SaleChoices} [choices]
 * @returns {Promise<Sale>}
 */
export async function openSale(
  service,
  { title = 'Night Lights', description = 'A test.', sections = SECTIONS, queue = {}, opensIn = -60, closesIn = 86_400 } = {},
) {
  const admin = (/** @type {string} */ method, /** @type {string} */ path, /** @type {unknown} */ body) =>
    call(service, method, path, { token: service.admin, body });
  const concert = await admin('POST', '/v1/admin/concerts', { title, description, status: 'AVAILABLE' });
  const at = (/** @type {number} */ seconds) => new Date(Date.now() + seconds * 1000).toISOString();
  const schedule = await admin('POST', `/v1/admin/concerts/${concert.id}/schedules`, {
    reservation_available_at: at(opensIn),
    deadline_at: at(closesIn),
    concert_at: at(closesIn + 7200),
    queue,
  });
  await admin('POST', `/v1/admin/schedules/${schedule.id}/seats`, { sections });
  const { seats } = await call(service, 'GET', `/v1/schedules/${schedule.id}/seats/layout`);
  return { id: schedule.id, concert: concert.id, seats };
}

/**
 * Creates a buyer with points. With a sale, the buyer also joins its queue.
 * @param {{ base: string }} service @param {{ sale?: Sale, name?: string, points?: number }} [how]
 */
export async function createBuyer(service, { sale, name = 'Kim', points = 0 } = {}) {
  const { id, access_token: token, expires_at } = await call(service, 'POST', '/v1/users', { body: { name } });
  const ask = (/** @type {string} */ method, /** @type {string} */ path, /** @type {Sent} */ more = {}) =>
    call(service, method, path, { token, ...more });
  const charge = (/** @type {number} */ amount) => ask('POST', '/v1/points/charges', { key: randomUUID(), body: { amount } });
  if (points > 0) await charge(points);
  /** @type {Record<number, string>} */
  const tickets = {};
  if (sale) tickets[sale.id] = (await ask('POST', `/v1/schedules/${sale.id}/queue`)).queue_token;
  /** @param {WantedSeats} wanted @param {Sale | undefined} [of] @returns {Promise<Api.Hold>} */
  const hold = async (wanted, of = sale) => {
    if (!of) throw new Error('no sale to hold seats in');
    return ask('POST', `/v1/schedules/${of.id}/reservations`, { ticket: tickets[of.id], key: randomUUID(), body: wanted });
  };
  const pay = (/** @type {string} */ hold_id) => ask('POST', '/v1/payments', { key: randomUUID(), body: { hold_id } });
  return { session: { id, name, token, expires_at }, tickets, ask, charge, hold, pay };
}
