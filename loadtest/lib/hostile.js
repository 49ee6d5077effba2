// A hostile buyer, who tries to keep seats from others: with used keys and other seats, with connections
// closed right after sending, and with holds that lapse and are held again. The seats kept from others must
// stay within the limit.

import * as buyers from './buyer.js';
import { seatId } from './data.js';
import * as metrics from './invariants.js';

/** @import * as Types from './types.d.ts' */
/** @typedef {Types.Sale} Sale */

// Time after the end of a hold in which other buyers cannot have its seats.
const TAKEOVER_AFTER_MS = 5_000;

/**
 * Runs the visit of an active hostile buyer. Returns how it ended.
 * @param {import('./client.js').Client} buyer @param {Sale} sale
 * @param {{ limit: number, holdSeconds: number, rounds?: number }} how
 * @returns {Types.End}
 */
export function grab(buyer, sale, { limit, holdSeconds, rounds = 2 }) {
  const key = buyer.newKey('used');
  const first = buyer.hold(sale.schedule, { quantity: 1, section: null, max_price: null }, key);
  for (let round = 0; round < rounds; round += 1) {
    for (let times = 0; times < 6; times += 1) {
      if (first.code === null) buyer.holdUnderUsedKey(sale.schedule, anySeats(sale, limit - 1), key);
      buyer.holdAndHangUp(sale.schedule, anySeats(sale, limit));
      buyer.hold(sale.schedule, anySeats(sale, limit));
      countKept(buyer, limit);
    }
    buyers.think(holdSeconds, holdSeconds + 0.5);
  }
  buyer.leave();
  return 'never_paid';
}

/** @param {Sale} sale @param {number} quantity */
function anySeats(sale, quantity) {
  const first = 1 + Math.floor(Math.random() * (sale.seats - quantity + 1));
  return { seat_ids: Array.from({ length: quantity }, (_, index) => seatId(sale, first + index)) };
}

/**
 * Counts the seats that this buyer keeps from others, from the buyer's reservations.
 * @param {import('./client.js').Client} buyer @param {number} limit
 */
function countKept(buyer, limit) {
  const waiting = buyer.reservations('PAYMENT_WAITING');
  const paid = buyer.reservations('COMPLETE');
  if (waiting.code !== null || paid.code !== null) return;
  const now = Date.now();
  const live = waiting.body.items.filter((it) => Date.parse(it.expires_at) + TAKEOVER_AFTER_MS > now);
  const kept = live.length + paid.body.items.length;
  metrics.keptByOne.add(kept);
  if (kept > limit) metrics.fault(metrics.overLimit, `user ${buyer.user} keeps ${kept} seats, the limit is ${limit}`);
}
