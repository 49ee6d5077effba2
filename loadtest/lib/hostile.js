// Hostile buyers and bots. Each kind tries to get a turn or seats in a way that must not pay.

import { sleep } from 'k6';
import { anySeats, think, waitForTurn } from './visit.js';

/** @import * as Types from './types.d.ts' */
/** @typedef {Types.Sale} Sale */
/** @typedef {import('./visit.js').Visitor} Visitor */

const BOT_SECONDS = 10;
const BOT_CALLS_PER_SECOND = 20;

/**
 * Runs what a hostile buyer does before it is admitted: a `hasty` one polls, and a `rejoiner` joins, many
 * times a second, whatever the shop asks for. A `forger` sends forged tickets, and leaves. Returns how the
 * visit ended, or null if it goes on.
 * @param {Visitor} buyer @returns {Types.End | null}
 */
export function attackQueue(buyer) {
  if (!['hasty', 'rejoiner', 'forger'].includes(buyer.kind)) return null;
  const joined = buyer.join();
  if (joined === 'sold_out') return 'sold_out';
  if (joined === null) return 'gave_up';
  if (buyer.kind === 'forger') {
    buyer.forge();
    buyer.leave();
    return 'left';
  }
  buyer.buyer.patient = false;
  for (let call = 0; call < BOT_SECONDS * BOT_CALLS_PER_SECOND && buyer.turn?.state === 'waiting'; call += 1) {
    sleep(1 / BOT_CALLS_PER_SECOND);
    if (buyer.kind === 'hasty') buyer.poll();
    else buyer.join();
  }
  buyer.buyer.patient = true;
  return null;
}

/**
 * Runs the visit of a hostile buyer who is active: a `hoarder` holds as many seats as possible, again and
 * again, and never pays. A `grabber` also tries what the shop's protocol may permit. Others buy as
 * everybody does: returns null.
 * @param {Visitor} buyer @param {Sale} sale @returns {Types.End | null}
 */
export function attackSeats(buyer, sale) {
  if (buyer.kind === 'hoarder') {
    for (let round = 0; round < 2; round += 1) {
      buyer.hold({ quantity: sale.seatLimit });
      think(sale.holdSeconds, sale.holdSeconds + 0.5);
    }
    buyer.leave();
    return 'never_paid';
  }
  if (buyer.kind === 'grabber') {
    for (let round = 0; round < 2; round += 1) {
      for (let times = 0; times < 6; times += 1) {
        buyer.hold(anySeats(sale.seatLimit, sale.seats));
        buyer.grab(sale.seatLimit);
      }
      think(sale.holdSeconds, sale.holdSeconds + 0.5);
    }
    buyer.leave();
    return 'never_paid';
  }
  return null;
}

/**
 * Waits for the buyer's turn as its kind does. Returns `active`, or how the visit ended.
 * @param {Visitor} buyer @param {Sale} sale @param {Parameters<typeof waitForTurn>[2]} how
 * @returns {'active' | Types.End}
 */
export function getIn(buyer, sale, how) {
  return attackQueue(buyer) ?? waitForTurn(buyer, sale, buyer.kind === 'ordinary' ? how : { patienceSeconds: how.patienceSeconds });
}
