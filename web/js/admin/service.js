// @ts-check
/** The calls that the console makes, in the operator's name. */
import { Onsale } from '../onsale.js';
import { learn } from '../lib/clock.js';
import { adminToken } from '../lib/session.js';

/** @typedef {{ id: number, title: string, description: string, status: 'AVAILABLE' | 'UNAVAILABLE' }} Concert */
/** @typedef {{ total: number, available: number, held: number, sold: number, blocked: number }} SeatCounts */
/**
 * @typedef {object} Schedule
 * @property {number} id @property {number} concert_id @property {string} phase
 * @property {string} reservation_available_at @property {string} deadline_at
 * @property {string} concert_at @property {string} queue_opens_at
 * @property {string} entry_order @property {SeatCounts} seats
 * @property {{ section: string, seat_price: number, available: number }[]} prices
 * @property {string} server_time
 */
/** @typedef {Record<string, any>} Settings */

// An operator sees what is so now: no answer of before, not even of a second ago.
const fresh = (/** @type {any} */ what, /** @type {any} */ how) => fetch(what, { ...how, cache: 'no-store' });
const onsale = new Onsale({ token: adminToken, onTime: learn, fetch: fresh });

/** What a stream is opened with. */
export const client = onsale.client;

/** @type {(status: number) => void} */
let refused = () => {};

/** Calls back when the token is not, or no longer, an operator's. @param {(status: number) => void} listener */
export function onRefused(listener) {
  refused = listener;
}

/** Notes a refusal. @param {any} error */
export function note(error) {
  if (error?.status === 401 || (error?.status === 403 && error?.code === 'forbidden')) refused(error.status);
  return error;
}

/** @param {string} method @param {string} path @param {import('../onsale/call.js').Sent} [sent] */
export async function call(method, path, sent) {
  try {
    return await onsale.call(method, path, sent);
  } catch (error) {
    throw note(error);
  }
}

/** Reads, and tries again for a few seconds where a store is away. @param {string} path @param {AbortSignal} [signal] */
export const get = (path, signal) => call('GET', path, { patience: 3000, signal });
/** @param {string} path @param {any} body */
export const post = (path, body) => call('POST', path, { body });
/** @param {string} path @param {any} body */
export const patch = (path, body) => call('PATCH', path, { body });

/** Every page of a list, up to so many items. @param {string} path @param {number} [most] @returns {Promise<any[]>} */
export async function all(path, most = 1000) {
  const items = [];
  let cursor = '';
  do {
    const page = await get(`${path}${path.includes('?') ? '&' : '?'}limit=200${cursor}`);
    items.push(...page.items);
    cursor = page.next_cursor ? `&cursor=${encodeURIComponent(page.next_cursor)}` : '';
  } while (cursor && items.length < most);
  return items;
}

/** Whether a token is an operator's: throws where it isn't. @param {string} token */
export async function isOperator(token) {
  await new Onsale({ token: () => token }).call('GET', '/v1/admin/health', { patience: 3000 });
}

/** A file of the API, which needs the token in a header. @param {string} path @param {string} name */
export async function download(path, name) {
  const response = await fetch(path, { headers: { Authorization: `Bearer ${adminToken()}` }, credentials: 'omit' });
  if (!response.ok) throw note({ status: response.status, code: response.status === 403 ? 'forbidden' : 'unknown' });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
