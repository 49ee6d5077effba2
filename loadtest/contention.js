// The contention scenario: all buyers are active at once, and all want the same 100 seats.

import { planCrowd } from './lib/crowd.js';
import { attackSeats, getIn } from './lib/hostile.js';
import { begin, end } from './lib/phases.js';
import { ONE_MORE, options as plan, profile, rush } from './lib/profiles.js';
import { reporter } from './lib/report.js';
import * as steps from './lib/visit.js';

export { nothing } from './lib/phases.js';

/** @import * as Types from './lib/types.d.ts' */
/** @typedef {Types.Sale} Sale */

const SEATS = 100;
// Each buyer's first choice is among the first seats, up to this number.
const FAVOURITES = 20;

// There is no soak profile, because the run ends when 100 seats are sold.
const size = profile({
  smoke: { buyers: 150, arriveWithin: 2, patience: 120 },
  load: { buyers: 2_000, arriveWithin: 4, patience: 240 },
  stress: { buyers: 5_000, arriveWithin: 5, patience: 300 },
});

/** @type {Types.QueuePlan} */
const QUEUE = { capacity: size.buyers, admitPerSecond: 10_000, activeSeconds: 600, claimSeconds: 60, holdSeconds: 4, seatLimit: 4 };

// Nobody has to wait, so bots that attack the queue have nothing to attack.
const crowd = planCrowd(0.02, ['hoarder', 'grabber', 'forger']);
const isUsual = !size.isChanged && !__ENV.SCHEDULE && !__ENV.HOSTILE;

export const options = plan({
  buyers: size.buyers + ONE_MORE,
  scenarios: { contention: rush(size.buyers, size.arriveWithin, size.patience) },
  routes: ['join', 'poll', 'seats_status', 'hold', 'release', 'charge', 'pay'],
  slowestMs: 8_000,
  whole: {
    visits_ended: [`count>=${size.buyers}`],
    visits_gave_up: ['count==0'],
    ...(isUsual ? { seats_unsold: ['value==0'] } : {}),
    // Without refusals there was no contention, and the run proves nothing.
    refused_seat_taken: [`count>${size.buyers / 10}`],
  },
});

export function setup() {
  return begin({ buyers: size.buyers + ONE_MORE, seats: SEATS, opensInSeconds: -60, queue: QUEUE });
}

/** @param {Sale} sale */
export default function (sale) {
  const buyer = steps.thisBuyer(sale);
  if (buyer) steps.count(buyer, visit(buyer, sale));
}

/**
 * Tries until the buyer has seats or all are sold. With seats, the buyer pays, releases them or leaves.
 * @param {steps.Visitor} buyer @param {Sale} sale @returns {Types.End}
 */
function visit(buyer, sale) {
  const turn = getIn(buyer, sale, { patienceSeconds: size.patience / 2 });
  if (turn !== 'active') return turn;
  const attacked = attackSeats(buyer, sale);
  if (attacked) return attacked;
  const deadline = Date.now() + (size.patience - 60) * 1000;
  while (Date.now() < deadline) {
    const { held, end: gone } = steps.holdSeats(buyer, (attempt) => wish(buyer, attempt), { attempts: 3, pauseSeconds: 0.5 });
    if (held) return settle(buyer, held);
    if (gone !== 'sold_out') return gone;
    if (buyer.poll()?.soldOut) return 'sold_out';
    steps.think(0.5, 1.5);
  }
  return 'gave_up';
}

/**
 * The first attempt picks from the favourites without looking at the map; later ones pick free seats.
 * @param {steps.Visitor} buyer @param {number} attempt
 */
function wish(buyer, attempt) {
  const quantity = 1 + Math.floor(Math.random() * QUEUE.seatLimit);
  return attempt > 1 ? steps.chooseSeats(buyer, quantity) : steps.anySeats(quantity, FAVOURITES);
}

/** @param {steps.Visitor} buyer @param {Types.Held} held @returns {Types.End} */
function settle(buyer, held) {
  if (steps.chance(0.15)) return 'never_paid';
  if (steps.chance(0.15)) {
    buyer.release(held);
    return 'left';
  }
  return buyer.pay(held, { twice: true }) ? 'bought' : 'never_paid';
}

/** @param {Sale} sale */
export function teardown(sale) {
  end(sale);
}

export const handleSummary = reporter('contention', size.name, { ...crowd, ...QUEUE, buyers: size.buyers, seats: SEATS });
