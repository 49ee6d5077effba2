// @ts-check
/** Paying once, whatever becomes of the answers. */
import { backoff, pause } from '../onsale/call.js';
import { every } from '../lib/lists.js';
import { onsale } from '../lib/session.js';
import { once, tab } from '../lib/store.js';

/** After so long without an answer it is said to be missing, in ms. */
const UNSURE_MS = 4000;

/** @typedef {{paid?: {payments: any[], total_amount: number, balance: number}, short?: {balance: number, required: number}, error?: any}} Outcome */

/** Whether a payment of this hold was begun in this tab, and its answer has not come. @param {string} hold */
export const begun = (hold) => tab.get(`onsale.key.pay.${hold}`) !== null;

/**
 * Pays a hold, under one key until there is a final answer.
 * @param {any} hold @param {() => void} unsure called where the answer is missing for long
 * @returns {Promise<Outcome>}
 */
export async function settle({ hold_id }, unsure) {
  const timer = setTimeout(unsure, UNSURE_MS);
  try {
    for (let failures = 1; ; failures++) {
      try {
        return { paid: await once(`pay.${hold_id}`, (key) => onsale.pay(hold_id, { key })) };
      } catch (error) {
        // It may have been paid: only the same key can tell.
        if (error.passing) {
          unsure();
          await pause(Math.max(error.retryAfter ?? 0, backoff(failures)));
          continue;
        }
        return error.code === 'insufficient_points' ? { short: error } : { error };
      }
    }
  } finally {
    clearTimeout(timer);
  }
}

/** The payments of a hold. @param {any} hold @returns {Promise<any[]>} */
export async function paymentsOf({ reservations }) {
  const ids = new Set(reservations.map((/** @type {any} */ one) => one.id));
  const of = (/** @type {any[]} */ payments) => payments.filter(({ reservation_id }) => ids.has(reservation_id));
  return of(await every((page) => onsale.payments(page), (payments) => of(payments).length >= ids.size));
}
