// @ts-check
/** What the visitor holds and owns of a schedule already. */
import { until } from '../lib/clock.js';
import { current, onsale } from '../lib/session.js';

/** Reservations of a page, and pages at most: a buyer has few. */
const A_PAGE = 200;
const MOST_PAGES = 5;

/** @typedef {import('../onsale.js').Hold['reservations'][number]} Reservation */

/**
 * Reservations of this schedule that count: waiting for payment, or paid.
 * @param {number} schedule @returns {Promise<Reservation[]>}
 */
export async function mineOf(schedule) {
  if (!current()) return [];
  const found = await Promise.all(['PAYMENT_WAITING', 'COMPLETE'].map(every));
  const counts = (/** @type {Reservation} */ one) => one.status === 'COMPLETE' || until(one.expires_at) > 0;
  return found.flat().filter((one) => one.schedule_id === schedule && counts(one));
}

/** @param {string} status @returns {Promise<Reservation[]>} */
async function every(status) {
  const found = [];
  /** @type {string | null} */
  let cursor = null;
  for (let page = 0; page < MOST_PAGES; page++) {
    const { items, next_cursor } = await onsale.reservations({ status, limit: A_PAGE, cursor });
    found.push(...items);
    if (!next_cursor) break;
    cursor = next_cursor;
  }
  return found;
}

/**
 * Holds among reservations, each with when it ends and how many seats it has.
 * @param {Reservation[]} reservations @returns {{hold: string, ends: string, seats: number}[]}
 */
export function holdsIn(reservations) {
  /** @type {Map<string, {hold: string, ends: string, seats: number}>} */
  const holds = new Map();
  for (const { status, hold_id, expires_at } of reservations) {
    if (status !== 'PAYMENT_WAITING') continue;
    const known = holds.get(hold_id) ?? { hold: hold_id, ends: expires_at, seats: 0 };
    known.seats += 1;
    holds.set(hold_id, known);
  }
  return [...holds.values()];
}
