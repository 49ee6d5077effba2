// @ts-check
/** Everything that is somebody's: reservations, payments, points, and what they are for. */
import { every } from '../lib/lists.js';
import { onsale } from '../lib/session.js';
import { labelsOf } from '../seats/labels.js';

/** Changes of the balance on the first page. */
export const HISTORY = 20;

/**
 * @typedef {object} Mine
 * @property {any[]} reservations newest first
 * @property {any[]} payments newest first
 * @property {Map<number, any>} paymentOf by reservation
 * @property {Map<number, any>} schedules
 * @property {Map<number, any>} concerts
 * @property {Map<number, import('../seats/labels.js').Label>} labels
 * @property {{amount: number}} points
 * @property {import('../onsale.js').List} history
 */

/** @returns {Promise<Mine>} */
export async function lookUp() {
  const [reservations, payments, points, history] = await Promise.all([
    every((page) => onsale.reservations(page)),
    every((page) => onsale.payments(page)),
    onsale.points(),
    onsale.pointHistory({ limit: HISTORY }),
  ]);
  const [schedules, concerts, labels] = await Promise.all([
    each(reservations.map((one) => one.schedule_id), (id) => onsale.schedule(id)),
    each(reservations.map((one) => one.concert_id), (id) => onsale.concert(id)),
    labelsOf(reservations),
  ]);
  const paymentOf = new Map(payments.map((one) => [one.reservation_id, one]));
  return { reservations, payments, paymentOf, schedules, concerts, labels, points, history };
}

/** One of each, by id; those that can't be had are left out: they only make the page nicer. @param {number[]} ids @param {(id: number) => Promise<any>} ask */
async function each(ids, ask) {
  const found = new Map();
  const one = async (/** @type {number} */ id) => found.set(id, await ask(id));
  await Promise.all([...new Set(ids)].map((id) => one(id).catch(() => {})));
  return found;
}
