// @ts-check
/** The seats of a schedule that the buyer holds or owns. */
import { msUntil } from '../lib/clock.js';
import { fetchAll } from '../lib/lists.js';
import { currentSession, onsale } from '../lib/session.js';

/** @typedef {import('../onsale/types.d.ts').Reservation} Reservation */

/**
 * Loads the buyer's reservations of this schedule that wait for payment or are paid.
 * @param {number} schedule @returns {Promise<Reservation[]>}
 */
export async function loadOwnReservations(schedule) {
  if (!currentSession()) return [];
  const of = (/** @type {string} */ status) => fetchAll((page) => onsale.reservations({ status, ...page }));
  const found = await Promise.all(['PAYMENT_WAITING', 'COMPLETE'].map(of));
  const counts = (/** @type {Reservation} */ one) => one.status === 'COMPLETE' || msUntil(one.expires_at) > 0;
  return found.flat().filter((one) => one.schedule_id === schedule && counts(one));
}

/**
 * Groups reservations that wait for payment into holds, with their end and number of seats.
 * @param {Reservation[]} reservations @returns {{hold: string, ends: string, seats: number}[]}
 */
export function groupHolds(reservations) {
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
