// @ts-check
/** Paying once, whatever becomes of the answers. */
import { backoff, pause } from '../onsale/call.js';
import { onsale } from '../lib/session.js';
import { intent, tab } from '../lib/store.js';

/** After so long without an answer it is said to be missing, in ms. */
const UNSURE_MS = 4000;
/** Payments are looked through so far, newest first. */
const A_PAGE = 200;
const MOST_PAGES = 5;

/** @typedef {{paid?: {payments: any[], total_amount: number, balance: number}, short?: {balance: number, required: number}, error?: any}} Outcome */

/** Whether a payment of this hold was begun in this tab, and its answer has not come. @param {string} hold */
export const begun = (hold) => tab.get(`onsale.key.pay.${hold}`) !== null;

/**
 * Pays a hold, under one key until there is a final answer.
 * @param {any} hold @param {() => void} unsure called where the answer is missing for long
 * @returns {Promise<Outcome>}
 */
export async function settle({ hold_id }, unsure) {
  const { key, done } = intent(`pay.${hold_id}`);
  const timer = setTimeout(unsure, UNSURE_MS);
  try {
    for (let failures = 1; ; failures++) {
      try {
        const paid = await onsale.pay(hold_id, { key });
        done();
        return { paid };
      } catch (error) {
        // It may have been paid: only the same key can tell.
        if (error.passing) {
          unsure();
          await pause(Math.max(error.retryAfter ?? 0, backoff(failures)));
          continue;
        }
        done();
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
  const found = [];
  /** @type {string | null} */
  let cursor = null;
  for (let page = 0; page < MOST_PAGES && found.length < ids.size; page++) {
    const { items, next_cursor } = await onsale.payments({ limit: A_PAGE, cursor });
    found.push(...items.filter(({ reservation_id }) => ids.has(reservation_id)));
    if (!next_cursor) break;
    cursor = next_cursor;
  }
  return found;
}
