// @ts-check
/** What the visitor holds and owns of a schedule already. */
import { until } from '../lib/clock.js';
import { every } from '../lib/lists.js';
import { current, onsale } from '../lib/session.js';

/** @typedef {import('../onsale.js').Hold['reservations'][number]} Reservation */

/**
 * Reservations of this schedule that count: waiting for payment, or paid.
 * @param {number} schedule @returns {Promise<Reservation[]>}
 */
export async function mineOf(schedule) {
  if (!current()) return [];
  const of = (/** @type {string} */ status) => every((page) => onsale.reservations({ status, ...page }));
  const found = await Promise.all(['PAYMENT_WAITING', 'COMPLETE'].map(of));
  const counts = (/** @type {Reservation} */ one) => one.status === 'COMPLETE' || until(one.expires_at) > 0;
  return found.flat().filter((one) => one.schedule_id === schedule && counts(one));
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
