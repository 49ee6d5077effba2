// @ts-check
/** Loads a buyer's account: reservations, payments, points, and their concerts and seats. */
import { fetchAll } from '../lib/lists.js';
import { onsale } from '../lib/session.js';
import { loadLabels } from '../seats/labels.js';

/** @import * as Api from '../onsale/types.d.ts' */

/** Balance changes on the first page. */
export const HISTORY_PAGE_SIZE = 20;

/**
 * @typedef {object} Account
 * @property {Api.Reservation[]} reservations newest first
 * @property {Api.Payment[]} payments newest first
 * @property {Map<number, Api.Payment>} paymentOf by reservation
 * @property {Map<number, Api.Schedule>} schedules
 * @property {Map<number, Api.Concert>} concerts
 * @property {Map<number, import('../seats/labels.js').Label>} labels
 * @property {Api.Balance} points
 * @property {Api.List<Api.BalanceChange>} history
 */

/** @returns {Promise<Account>} */
export async function loadAccount() {
  const [reservations, payments, points, history] = await Promise.all([
    fetchAll((page) => onsale.reservations(page)),
    fetchAll((page) => onsale.payments(page)),
    onsale.points(),
    onsale.pointHistory({ limit: HISTORY_PAGE_SIZE }),
  ]);
  const [schedules, concerts, labels] = await Promise.all([
    fetchEach(
      reservations.map((one) => one.schedule_id),
      (id) => onsale.schedule(id),
    ),
    fetchEach(
      reservations.map((one) => one.concert_id),
      (id) => onsale.concert(id),
    ),
    loadLabels(reservations),
  ]);
  const paymentOf = new Map(payments.map((one) => [one.reservation_id, one]));
  return { reservations, payments, paymentOf, schedules, concerts, labels, points, history };
}

/**
 * Fetches each id once and returns the results by id. An id that can't be fetched is left out.
 * @template Found
 * @param {number[]} ids
 * @param {(id: number) => Promise<Found>} ask
 */
async function fetchEach(ids, ask) {
  /** @type {Map<number, Found>} */
  const found = new Map();
  const one = async (/** @type {number} */ id) => found.set(id, await ask(id));
  await Promise.all([...new Set(ids)].map((id) => one(id).catch(() => {})));
  return found;
}
