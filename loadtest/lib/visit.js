// The steps of a visit that several scenarios share, for buyers of any shop.

import { sleep } from 'k6';
import exec from 'k6/execution';
import { kindOf } from './crowd.js';
import { CheckedBuyer } from './invariants/checked.js';
import { checkEnded, checkFigures } from './invariants/checks.js';
import { visits, visitsEnded } from './invariants/metrics.js';
import { shop } from './shop.js';

/** @import * as Types from './types.d.ts' */
/** @typedef {Types.Sale} Sale */

// One buyer in this many also reads the figures of the sale at each poll.
const WATCH_EVERY = 25;
const FREE = 0;

/** @param {number} share */
export const chance = (share) => Math.random() < share;
/** @param {number} low @param {number} high */
const between = (low, high) => low + Math.random() * (high - low);

/**
 * Pauses like a person who hesitates. The pauses are short, so that a run ends in minutes.
 * @param {number} least @param {number} most in seconds
 */
export const think = (least, most) => sleep(between(least, most));

/**
 * Returns the buyer of this iteration. Each iteration is another user. Null: on a busy machine k6 starts some
 * iterations more than planned, for which there are no users.
 * @param {Sale} sale
 */
export function thisBuyer(sale) {
  const number = exec.scenario.iterationInTest;
  if (number >= sale.buyers) return null;
  const buyer = new CheckedBuyer(shop.buyer(sale, number), kindOf(number));
  return Object.assign(buyer, { watches: number % WATCH_EVERY === WATCH_EVERY - 1 });
}
/** @typedef {NonNullable<ReturnType<typeof thisBuyer>>} Visitor */

/** Counts a visit that ended. @param {Visitor} buyer @param {Types.End} end */
export function count(buyer, end) {
  visits[end].add(1);
  visitsEnded.add(1);
  buyer.count('visits');
}

/** @param {Sale} sale */
function watch(sale) {
  const figures = shop.figures(sale);
  if (figures) checkFigures(figures, sale);
}

/**
 * Joins, and asks again at the requested intervals until admission. Returns `active`, or how the visit
 * ended: `sold_out`, `left` (an `impatient` buyer after a few answers) or `gave_up`.
 * @param {Visitor} buyer @param {Sale} sale
 * @param {{ patienceSeconds: number, impatient?: boolean, reloads?: boolean }} how
 * @returns {'active' | 'sold_out' | 'left' | 'gave_up'}
 */
export function waitForTurn(buyer, sale, { patienceSeconds, impatient = false, reloads = false }) {
  const joinedAt = Date.now();
  let turn = buyer.turn ?? buyer.join();
  if (turn === 'sold_out') return 'sold_out';
  for (let asked = 0; turn?.state === 'waiting'; asked += 1) {
    if (turn.soldOut) {
      buyer.leave();
      return 'sold_out';
    }
    if (impatient && asked >= 2) {
      buyer.leave();
      return 'left';
    }
    if (Date.now() - joinedAt > patienceSeconds * 1000) return 'gave_up';
    if (buyer.watches) watch(sale);
    const again = reloads && asked === 1 ? buyer.join() : buyer.next();
    if (again === 'sold_out') return 'sold_out';
    turn = again;
  }
  if (turn === null) return 'gave_up';
  if (turn.state === 'active') return 'active';
  checkEnded(turn);
  return 'gave_up';
}

/**
 * Chooses seats with consecutive numbers that the map shows as free, or fewer if there are none. Returns
 * `null` if no seat is free.
 * @param {Visitor} buyer @param {number} quantity
 */
export function chooseSeats(buyer, quantity) {
  const states = buyer.look();
  const start = Math.floor(Math.random() * states.length);
  for (let wanted = quantity; wanted > 0; wanted -= 1) {
    for (let step = 0; step < states.length; step += 1) {
      const first = (start + step) % states.length;
      if (first + wanted <= states.length && allFree(states, first, wanted)) {
        return { numbers: Array.from({ length: wanted }, (_, index) => first + 1 + index) };
      }
    }
  }
  return null;
}

/** @param {Uint8Array} states @param {number} first @param {number} count */
function allFree(states, first, count) {
  for (let seat = first; seat < first + count; seat += 1) {
    if (states[seat] !== FREE) return false;
  }
  return true;
}

/** Neighbouring seats somewhere among the first `among` seats, free or not. @param {number} quantity @param {number} among */
export function anySeats(quantity, among) {
  const first = 1 + Math.floor(Math.random() * Math.max(1, among - quantity + 1));
  return { numbers: Array.from({ length: Math.min(quantity, among) }, (_, index) => first + index) };
}

/**
 * Holds seats. `wanted` returns the request for each attempt. After a refusal it pauses and tries again, up
 * to `attempts` times. Returns the hold, or how the visit ended.
 * @param {Visitor} buyer @param {(attempt: number) => Types.Wanted | null} wanted
 * @param {{ attempts: number, pauseSeconds: number }} how
 * @returns {{ held: Types.Held, end?: undefined } | { held?: undefined, end: Types.End }}
 */
export function holdSeats(buyer, wanted, { attempts, pauseSeconds }) {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const request = wanted(attempt);
    const answer = request ? buyer.hold(request) : { refused: /** @type {const} */ ('not_enough_seats') };
    if ('held' in answer && answer.held) return { held: answer.held };
    if (answer.refused === 'not_active') return { end: 'slot_ran_out' };
    if (answer.refused !== 'seat_taken' && answer.refused !== 'not_enough_seats') return { end: 'gave_up' };
    think(pauseSeconds * 0.5, pauseSeconds * 1.5);
  }
  return { end: 'sold_out' };
}
