// @ts-check
/** Paying once, whatever becomes of the answers. */
import { backoff, pause } from '../onsale/call.js';
import { every } from '../lib/lists.js';
import { onsale } from '../lib/session.js';
import { once, tab } from '../lib/store.js';

/** After so long without an answer it is said to be missing, in ms. */
const UNSURE_MS = 4000;

/** @typedef {{paid?: {payments: any[], total_amount: number, balance: number, charged?: number}, short?: {balance: number, required: number}, error?: any}} Outcome */

/** The names of the keys under which payments of this hold were begun in this tab. @param {string} hold */
const keysOf = (hold) => tab.keys(`onsale.key.pay.${hold}.`);

/** Whether a payment of this hold was begun in this tab, and its answer has not come. @param {string} hold */
export const begun = (hold) => keysOf(hold).length > 0;

/**
 * Pays a hold and charges what is missing for it, in one step, under one key until there is a final
 * answer. Another tab may do the same at the same time, with another charge: the service pays a hold
 * once, and charges only with the payment.
 * @param {any} hold @param {number} charge the most points that may be charged: what the visitor saw
 * @param {() => void} unsure called where the answer is missing for long
 * @returns {Promise<Outcome>}
 */
export async function settle({ hold_id }, charge, unsure) {
  const timer = setTimeout(unsure, UNSURE_MS);
  try {
    for (let failures = 1; ; failures++) {
      try {
        const paid = await once(`pay.${hold_id}.${charge}`, (key) => onsale.pay(hold_id, { key, charge_up_to: charge }));
        keysOf(hold_id).forEach(tab.remove);
        return { paid };
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
