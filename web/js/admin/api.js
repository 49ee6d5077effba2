// @ts-check
/** The console's API calls, with the operator's token. */
import { Onsale } from '../onsale.js';
import { syncClock } from '../lib/clock.js';
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

// An operator must see current data, so answers are never cached, not even for a second.
const fetchFresh = (/** @type {any} */ what, /** @type {any} */ how) => fetch(what, { ...how, cache: 'no-store' });
const onsale = new Onsale({ token: adminToken, onTime: syncClock, fetch: fetchFresh });

/** The client for streams. */
export const client = onsale.client;

/** @type {(status: number) => void} */
let refused = () => {};

/** Calls `listener` when the token is not, or no longer, an operator's. @param {(status: number) => void} listener */
export function onRefused(listener) {
  refused = listener;
}

/** Reports an error to the listener if the service refused the token. @param {any} error */
export function reportRefusal(error) {
  if (error?.status === 401 || (error?.status === 403 && error?.code === 'forbidden')) refused(error.status);
  return error;
}

/** @param {string} method @param {string} path @param {import('../onsale/call.js').Sent} [sent] */
export async function call(method, path, sent) {
  try {
    return await onsale.call(method, path, sent);
  } catch (error) {
    throw reportRefusal(error);
  }
}

/** Reads, and repeats for up to 3 s if a store does not respond. @param {string} path @param {AbortSignal} [signal] */
export const get = (path, signal) => call('GET', path, { patience: 3000, signal });
/** @param {string} path @param {any} body */
export const post = (path, body) => call('POST', path, { body });
/** @param {string} path @param {any} body */
export const patch = (path, body) => call('PATCH', path, { body });

/** Fetches all pages of a list, up to `most` items. @param {string} path @param {number} [most] @returns {Promise<any[]>} */
export async function fetchAll(path, most = 1000) {
  const items = [];
  let cursor = '';
  do {
    const page = await get(`${path}${path.includes('?') ? '&' : '?'}limit=200${cursor}`);
    items.push(...page.items);
    cursor = page.next_cursor ? `&cursor=${encodeURIComponent(page.next_cursor)}` : '';
  } while (cursor && items.length < most);
  return items;
}

/** Checks that a token is an operator's; throws if not. @param {string} token */
export async function checkOperator(token) {
  await new Onsale({ token: () => token }).call('GET', '/v1/admin/health', { patience: 3000 });
}

/** Downloads a file of the API, with the token in a header. @param {string} path @param {string} name */
export async function download(path, name) {
  const response = await fetch(path, { headers: { Authorization: `Bearer ${adminToken()}` }, credentials: 'omit' });
  if (!response.ok) throw reportRefusal({ status: response.status, code: response.status === 403 ? 'forbidden' : 'unknown' });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
