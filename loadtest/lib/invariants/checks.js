// The invariants of a sale, as functions of what a shop answered. They send no request, and know no shop.

import * as metrics from './metrics.js';

/** @import * as Types from '../types.d.ts' */
/** @typedef {Types.Sale} Sale */

const FREE = 0;
const TAKEN = 2;
// A refusal is false if at least this share of all seats, and no fewer than asked for, was free before and
// after it. Fewer may have been held, and released or expired, in between.
const FALSE_IF_FREE = 0.05;
// Two maps that lie further apart prove nothing, because a whole hold may fit in between.
const FURTHEST_MAPS_MS = 8_000;

/** @param {string} what @param {unknown} one @param {unknown} other */
export function same(what, one, other) {
  if (one !== other) metrics.fault(metrics.sumsDiffer, `${what}: ${one} and ${other}`);
}

/**
 * Compares two successive answers about one entry: it does not move back, and keeps its order.
 *
 * A shop with several processes may guarantee this only within one process. Test one process then, or keep
 * each client on one.
 * @param {Types.Turn | null} before @param {Types.Turn} after
 */
export function compareTurns(before, after) {
  if (after.position !== null && after.ahead !== null && after.position !== after.ahead + 1) {
    metrics.fault(metrics.sumsDiffer, `position ${after.position} with ${after.ahead} ahead`);
  }
  if (!before || before.id !== after.id) return;
  if (before.order !== after.order) {
    metrics.fault(metrics.placeLost, `entry ${after.id}: number ${before.order} became ${after.order}`);
  }
  if (before.unsettled || after.unsettled) return;
  if (before.position === null || after.position === null) return;
  if (after.position > before.position) {
    metrics.fault(metrics.positionWentBack, `entry ${after.id}: ${before.position} became ${after.position}`);
  }
}

/** Compares the answer to a second join with the entry from before. @param {Types.Turn | null} before @param {Types.Turn} after */
export function compareJoins(before, after) {
  if (before && before.state !== 'ended' && (!after.repeated || after.id !== before.id)) {
    metrics.fault(metrics.placeLost, `joined again: entry ${before.id} became ${after.id} (${after.says})`);
  }
}

/** An entry must not end while its owner keeps polling. @param {Types.Turn} turn */
export function checkEnded(turn) {
  metrics.fault(metrics.placeLost, `entry ${turn.id} became ${turn.says} while its buyer waited`);
}

/** Checks the figures of the sale against its limits. @param {Types.Figures} figures @param {Sale} sale */
export function checkFigures(figures, sale) {
  const taken = figures.sold + figures.held;
  if (taken > figures.total) {
    metrics.fault(metrics.oversold, `${figures.sold} sold and ${figures.held} held of ${figures.total} seats`, taken - figures.total);
  }
  metrics.inLine.add(figures.waiting);
  metrics.inSale.add(figures.active);
  if (figures.active > sale.capacity) {
    metrics.fault(metrics.overCapacity, `${figures.active} active, capacity ${sale.capacity}`);
  }
}

/**
 * Compares a hold with its request: all seats or none, each seat once, and the total is their sum.
 * @param {Types.Held} held @param {Types.Wanted} wanted
 */
export function checkHold(held, wanted) {
  const numbers = held.seats.map((seat) => seat.number);
  const asked = 'numbers' in wanted ? wanted.numbers : null;
  const complete = asked ? asked.length === numbers.length && asked.every((number) => numbers.includes(number)) : null;
  const counted = 'quantity' in wanted ? numbers.length === wanted.quantity : complete;
  const total = held.seats.reduce((sum, seat) => sum + seat.price, 0);
  if (!counted || new Set(numbers).size !== numbers.length || held.total !== total) {
    metrics.fault(metrics.unexpectedAnswers, `asked ${JSON.stringify(wanted)}, got ${JSON.stringify(held)}`);
  }
}

/**
 * Compares a refusal of any `quantity` free seats with the map from before it and a map from after it.
 * @param {{ states: Uint8Array, at: number }} before `at`: when it was read, in ms @param {{ states: Uint8Array, at: number }} after
 * @param {number} quantity
 */
export function checkRefusal(before, after, quantity) {
  const apart = after.at - before.at;
  const free = before.states.filter((state, seat) => state === FREE && after.states[seat] === FREE).length;
  if (apart < FURTHEST_MAPS_MS && free >= Math.max(quantity, FALSE_IF_FREE * before.states.length)) {
    const seen = `on two maps ${apart} ms apart`;
    metrics.fault(metrics.refusedWhileFree, `${quantity} seats refused while ${free} of ${before.states.length} were free, ${seen}`);
  }
}

/** Checks what one buyer keeps from others. @param {string} buyer @param {number} kept @param {number} limit */
export function checkKept(buyer, kept, limit) {
  metrics.keptByOne.add(kept);
  if (kept > limit) metrics.fault(metrics.overLimit, `${buyer} keeps ${kept} seats, the limit is ${limit}`);
}

/**
 * The board's points must rise in both coordinates, and must not exceed the number of waiting buyers.
 * @param {Types.Board} board
 */
export function checkBoard({ waiting, active, ranks }) {
  metrics.inLine.add(waiting);
  metrics.inSale.add(active);
  const rises = ranks.every(([order, before], index) => index === 0 || (order > ranks[index - 1][0] && before >= ranks[index - 1][1]));
  const last = ranks.length > 0 ? ranks[ranks.length - 1][1] : 0;
  if (!rises || last > waiting) {
    metrics.fault(metrics.sumsDiffer, `the board of ${waiting} waiting: ${JSON.stringify(ranks)}`);
  }
}

/**
 * Compares the shop's records with each other, after the last buyer: no seat has two owners, and owners,
 * payments, counts, revenue and maps agree.
 * @param {Types.Books} books @param {Sale} sale
 */
export function checkBooks(books, sale) {
  const owners = new Map();
  for (const { seat, buyer } of books.owned) {
    if (owners.has(seat)) metrics.fault(metrics.oversold, `seat ${seat} is ${owners.get(seat)}'s and ${buyer}'s`);
    owners.set(seat, buyer);
  }
  const { free, held, sold, blocked } = books.seats;
  const isOursOnly = sale.takenBefore === 0;
  metrics.seatsSold.add(books.owned.length);
  metrics.seatsUnsold.add(sale.seats - sale.takenBefore - books.owned.length);
  metrics.paidSeatsMissing.add(-books.owned.length);
  same('seats held after every hold ended', held, 0);
  same('the states of the seats and their number', free + held + sold + blocked, sale.seats);
  same('owned seats and the counts of the shop', books.owned.length, sold + blocked - sale.takenBefore);
  same('owned seats and payments', books.owned.length, books.payments);
  if (books.revenue !== null) {
    const paid = books.owned.reduce((sum, { price }) => sum + price, 0);
    same('the prices of the owned seats and the revenue', paid, books.revenue - sale.revenueBefore);
  }
  for (const [name, states] of Object.entries(books.maps)) checkMap(name, states, owners, isOursOnly);
  for (const difference of books.differences) metrics.fault(metrics.sumsDiffer, difference);
}

/** @param {string} name @param {Uint8Array} states @param {Map<number, string>} owners @param {boolean} isOursOnly whether other seats must be free */
function checkMap(name, states, owners, isOursOnly) {
  states.forEach((state, index) => {
    const number = index + 1;
    if (owners.has(number)) same(`seat ${number} on the ${name}`, state, TAKEN);
    else if (isOursOnly) same(`seat ${number} on the ${name}`, state, FREE);
  });
}
