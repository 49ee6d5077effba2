// The steps of a buyer's visit: wait for the turn, choose seats, hold them, pay.

import { sleep } from 'k6';
import exec from 'k6/execution';
import { ADMIN, FIRST_BUYER } from './profiles.js';
import { Client } from './client.js';
import { SECTIONS, seatId } from './data.js';
import * as metrics from './invariants.js';

/** @import * as Types from './types.d.ts' */
/** @typedef {Types.Sale} Sale */
/** @typedef {Types.WantedSeats} WantedSeats */

// One buyer in this many also reads the figures of the sale at each poll.
const WATCH_EVERY = 25;
const AVAILABLE = 0;

/** @param {number} share */
export const chance = (share) => Math.random() < share;
/** @param {number} low @param {number} high */
const between = (low, high) => low + Math.random() * (high - low);
/** @template Item @param {Item[]} list */
const oneOf = (list) => list[Math.floor(Math.random() * list.length)];

/**
 * Pauses like a person who hesitates. The pauses are short, so that a run ends in minutes.
 * @param {number} least @param {number} most in seconds
 */
export const think = (least, most) => sleep(between(least, most));

/** Returns the buyer of this iteration. Each iteration is another user. @param {Sale} sale */
export function thisBuyer(sale) {
  const number = exec.scenario.iterationInTest;
  const buyer = new Client(FIRST_BUYER + number, { run: sale.run });
  const admin = number % WATCH_EVERY === WATCH_EVERY - 1 ? new Client(ADMIN, { role: 'admin', run: sale.run }) : undefined;
  return Object.assign(buyer, { admin });
}

/** @param {Client} buyer @param {Client} admin @param {Sale} sale */
function watch(buyer, admin, sale) {
  const seen = buyer.schedule(sale.schedule);
  const stats = admin.stats(sale.schedule);
  if (seen.code === null && stats.code === null) {
    metrics.compareSale(seen.body.seats, stats.body, sale.capacity);
  }
}

/**
 * Joins, and polls at the requested intervals until admission. Returns `active`, or how the visit ended:
 * `sold_out`, `left` (an `impatient` buyer after a few answers) or `gave_up`.
 * @param {Client & { admin?: Client }} buyer @param {Sale} sale
 * @param {{ patienceSeconds: number, impatient?: boolean, reloads?: boolean }} how
 * @returns {'active' | 'sold_out' | 'left' | 'gave_up'}
 */
export function waitForTurn(buyer, sale, { patienceSeconds, impatient = false, reloads = false }) {
  const joinedAt = Date.now();
  const joined = buyer.join(sale.schedule);
  if (joined.code !== null) return joined.code === 'sold_out' ? 'sold_out' : 'gave_up';
  for (let asked = 0; buyer.ticket?.status === 'WAITING'; asked += 1) {
    if (buyer.ticket.phase === 'SOLD_OUT') {
      buyer.leave();
      return 'sold_out';
    }
    if (impatient && asked >= 2) {
      buyer.leave();
      return 'left';
    }
    if (Date.now() - joinedAt > patienceSeconds * 1000) return 'gave_up';
    buyer.waitToAskAgain();
    if (buyer.admin) watch(buyer, buyer.admin, sale);
    const answer = reloads && asked === 1 ? buyer.rejoin(sale.schedule) : buyer.poll();
    if (answer.code !== null) return 'gave_up';
  }
  if (buyer.ticket?.status !== 'ACTIVE') {
    metrics.fault(metrics.placeLost, `ticket ${buyer.ticket?.ticket_id} became ${buyer.ticket?.status} while its buyer waited`);
    return 'gave_up';
  }
  metrics.waited.add(Date.now() - joinedAt);
  return 'active';
}

/**
 * Chooses seats with consecutive numbers that the map shows as free, or fewer if there are none. Returns
 * `null` if no seat is free.
 * @param {Client} buyer @param {Sale} sale @param {number} quantity
 */
export function chooseSeats(buyer, sale, quantity) {
  const states = buyer.look(sale);
  const start = Math.floor(Math.random() * states.length);
  for (let wanted = quantity; wanted > 0; wanted -= 1) {
    for (let step = 0; step < states.length; step += 1) {
      const first = (start + step) % states.length;
      if (first + wanted <= states.length && allFree(states, first, wanted)) {
        return Array.from({ length: wanted }, (_, index) => seatId(sale, first + 1 + index));
      }
    }
  }
  return null;
}

/** @param {Uint8Array} states @param {number} first @param {number} count */
function allFree(states, first, count) {
  for (let seat = first; seat < first + count; seat += 1) {
    if (states[seat] !== AVAILABLE) return false;
  }
  return true;
}

/** Asks for the best available seats, sometimes in one section or up to a price. @param {number} quantity @returns {WantedSeats} */
export function bestAvailable(quantity) {
  const section = chance(0.15) ? oneOf(SECTIONS) : null;
  return { quantity, section, max_price: section === null && chance(0.1) ? 90_000 : null };
}

/**
 * Holds seats. `wanted` returns the request for each attempt. After a refusal it pauses and tries again, up
 * to `attempts` times. Returns the hold, or how the visit ended.
 * @param {Client} buyer @param {Sale} sale @param {(attempt: number) => WantedSeats | null} wanted
 * @param {{ attempts: number, pauseSeconds: number }} how
 * @returns {Types.Held | { end: Types.End }}
 */
export function holdSeats(buyer, sale, wanted, { attempts, pauseSeconds }) {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const request = wanted(attempt);
    const answer = request && buyer.hold(sale.schedule, request);
    if (request && answer && answer.code === null) return checkHold(answer.body, request);
    const code = answer?.code ?? 'not_enough_seats';
    if (code === 'ticket_not_active') return { end: 'slot_ran_out' };
    const refused = metrics.refusals[code];
    if (!refused) return { end: 'gave_up' };
    refused.add(1);
    think(pauseSeconds * 0.5, pauseSeconds * 1.5);
  }
  return { end: 'sold_out' };
}

/**
 * Compares a hold with its request: all seats or none, each seat once, and the total is their sum.
 * @param {Types.Hold} hold @param {WantedSeats} request
 */
function checkHold(hold, request) {
  const ids = hold.reservations.map((reservation) => reservation.seat_id);
  const wanted = 'seat_ids' in request ? request.seat_ids.length : request.quantity;
  const asked = !('seat_ids' in request) || ids.every((id) => request.seat_ids.includes(id));
  const total = hold.reservations.reduce((sum, reservation) => sum + reservation.amount, 0);
  if (ids.length !== wanted || new Set(ids).size !== wanted || !asked || total !== hold.total_amount) {
    metrics.fault(metrics.unexpectedAnswers, `asked ${JSON.stringify(request)}, got ${JSON.stringify(hold)}`);
  }
  metrics.seatsHeld.add(ids.length);
  return { hold, heldAt: Date.now() };
}

/**
 * Charges the price of the hold and pays it. `unpreparedly` first tries to pay without points and is
 * refused. `twice` repeats the payment, as after a lost answer. Returns the payment's answer, or `null`
 * if the hold expired.
 * @param {Client} buyer @param {Types.Held} held @param {{ unpreparedly?: boolean, twice?: boolean }} [how]
 */
export function pay(buyer, { hold, heldAt }, { unpreparedly = false, twice = false } = {}) {
  if (unpreparedly) {
    const refused = buyer.pay(hold.hold_id);
    if (refused.code === 'insufficient_points') metrics.refusals.insufficient_points.add(1);
    else if (refused.code === null) metrics.fault(metrics.sumsDiffer, 'a hold was paid without points');
  }
  buyer.charge(hold.total_amount);
  const key = buyer.newKey('pay');
  const paid = buyer.pay(hold.hold_id, key);
  if (paid.code !== null) return null;
  metrics.checkout.add(Date.now() - heldAt);
  if (paid.body.total_amount !== hold.total_amount || paid.body.payments.length !== hold.reservations.length) {
    metrics.fault(metrics.sumsDiffer, `held ${JSON.stringify(hold)}, paid ${paid.text}`);
  }
  metrics.seatsPaid.add(paid.body.payments.length);
  metrics.paidSeatsMissing.add(paid.body.payments.length);
  if (twice) compareReplay(paid, buyer.pay(hold.hold_id, key));
  return paid.body;
}

/** @param {Types.Answer<unknown>} first @param {Types.Answer<unknown>} second */
function compareReplay(first, second) {
  if (second.text !== first.text || !second.replayed) {
    metrics.fault(metrics.unexpectedAnswers, `the same payment again: ${second.status} ${second.text}, first ${first.text}`);
  }
}

/** Refunds a paid seat. @param {Client} buyer @param {Types.Payment} payment */
export function refund(buyer, payment) {
  const answer = buyer.refund(payment.id);
  if (answer.code === null) {
    metrics.seatsRefunded.add(1);
    metrics.paidSeatsMissing.add(-1);
  }
}
