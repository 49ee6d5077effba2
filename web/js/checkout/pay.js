// @ts-check
/** Pays a hold exactly once, even if answers are lost. */
import { OnsaleError } from '../onsale.js';
import { fetchAll } from '../lib/lists.js';
import { retry } from '../lib/retry.js';
import { onsale } from '../lib/session.js';
import { withIdempotencyKey, tabStore } from '../lib/store.js';

/** @import * as Api from '../onsale/types.d.ts' */

/** After this long without an answer the page says so, in ms. */
const UNSURE_AFTER_MS = 4000;

/** @typedef {Api.Payment} Payment */
/**
 * How a payment ended; `balance`: the points of a buyer who has too few.
 * @typedef {{ paid: Api.Paid } | { balance: number } | { error: unknown }} Outcome
 */

/** The names of the idempotency keys of this hold's payments that this tab has started and not finished. @param {string} hold */
const keysOf = (hold) => tabStore.keys(`onsale.key.pay.${hold}.`);

/** Whether this tab started a payment of this hold and got no answer. @param {string} hold */
export const isPaymentPending = (hold) => keysOf(hold).length > 0;

/**
 * Pays a hold and adds the missing points in the same step, under one key until there is a final
 * answer. Another tab may do the same with another charge: the service pays a hold once, and adds
 * points only with the payment.
 * @param {{ hold_id: string }} hold @param {number} charge the most points to add: the amount that the buyer saw
 * @param {() => void} onUnsure called when the answer is late or lost
 * @returns {Promise<Outcome>}
 */
export async function payHold({ hold_id }, charge, onUnsure) {
  const timer = setTimeout(onUnsure, UNSURE_AFTER_MS);
  try {
    const pay = (/** @type {string} */ key) => onsale.pay(hold_id, { key, charge_up_to: charge });
    // After a lost answer only the same key can tell whether it was paid.
    const paid = await retry(() => withIdempotencyKey(`pay.${hold_id}.${charge}`, pay), { onError: onUnsure });
    keysOf(hold_id).forEach(tabStore.remove);
    return { paid };
  } catch (error) {
    const { code, balance } = OnsaleError.from(error);
    return code === 'insufficient_points' && balance !== undefined ? { balance } : { error };
  } finally {
    clearTimeout(timer);
  }
}

/** Loads the payments of a hold. @param {Api.Hold} hold */
export async function loadPayments({ reservations }) {
  const ids = new Set(reservations.map((one) => one.id));
  const of = (/** @type {Payment[]} */ payments) => payments.filter(({ reservation_id }) => ids.has(reservation_id));
  return of(
    await fetchAll(
      (page) => onsale.payments(page),
      (payments) => of(payments).length >= ids.size,
    ),
  );
}
