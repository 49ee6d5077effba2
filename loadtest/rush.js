// The rush scenario: all buyers come within seconds, wait in the queue, and buy or leave.

import { planCrowd } from './lib/crowd.js';
import { attackSeats, getIn } from './lib/hostile.js';
import { begin, end } from './lib/phases.js';
import { ONE_MORE, options as plan, profile, rush } from './lib/profiles.js';
import { reporter } from './lib/report.js';
import { anyInSection, picksFromMap } from './lib/tastes.js';
import * as steps from './lib/visit.js';

export { nothing } from './lib/phases.js';

/** @import * as Types from './lib/types.d.ts' */
/** @typedef {Types.Sale} Sale */

// `opensIn`: seconds until the sale opens; half of the buyers of a rush come before that. `patience`: longest
// visit in seconds. `usualHostile`: share of hostile buyers. `waiting`: VUs, if fewer than buyers. `sellsOut`: there are enough buyers that an unsold
// seat at the end is a fault.
const size = profile({
  smoke: {
    buyers: 60,
    seats: 40,
    capacity: 10,
    admitPerSecond: 5,
    arriveWithin: 4,
    opensIn: 2,
    patience: 180,
    usualHostile: 0.1,
    sellsOut: true,
  },
  load: {
    buyers: 5_000,
    seats: 1_000,
    capacity: 200,
    admitPerSecond: 30,
    arriveWithin: 10,
    opensIn: 5,
    patience: 600,
    usualHostile: 0.02,
    sellsOut: true,
  },
  stress: {
    buyers: 8_000,
    seats: 3_000,
    capacity: 500,
    admitPerSecond: 100,
    arriveWithin: 5,
    opensIn: 2,
    patience: 600,
    usualHostile: 0.02,
    sellsOut: true,
  },
  // A long sale with a short queue: 8 buyers a second for half an hour.
  soak: {
    buyers: 14_400,
    seats: 50_000,
    capacity: 300,
    admitPerSecond: 12,
    arriveWithin: 1_800,
    opensIn: 1,
    patience: 300,
    usualHostile: 0.02,
    waiting: 1_200,
    sellsOut: false,
  },
});

/** @type {Types.QueuePlan} */
const QUEUE = {
  capacity: size.capacity,
  admitPerSecond: size.admitPerSecond,
  activeSeconds: 45,
  claimSeconds: 30,
  holdSeconds: 12,
  seatLimit: 4,
  draw: __ENV.ENTRY_ORDER === 'DRAW',
};

const crowd = planCrowd(size.usualHostile);
const arrivals = rush(size.buyers, size.arriveWithin, size.patience);
// With other sizes, or in somebody's own sale, seats may be left over.
const sellsOut = size.sellsOut && !size.isChanged && !__ENV.SCHEDULE && !__ENV.HOSTILE;

export const options = plan({
  buyers: size.buyers + ONE_MORE,
  // Fewer VUs than buyers only if the buyers come over a long time.
  scenarios: { rush: size.waiting ? { ...arrivals, preAllocatedVUs: size.waiting, maxVUs: size.waiting } : arrivals },
  routes: ['join', 'poll', 'seats', 'seats_status', 'hold', 'charge', 'pay', 'leave'],
  slowestMs: 5_000,
  whole: {
    visits_ended: [`count>=${size.buyers}`],
    visits_gave_up: ['count==0'],
    ...(sellsOut ? { seats_unsold: ['value==0'] } : {}),
  },
});

export function setup() {
  return begin({ buyers: size.buyers + ONE_MORE, seats: size.seats, opensInSeconds: size.opensIn, queue: QUEUE });
}

/** @param {Sale} sale */
export default function (sale) {
  const buyer = steps.thisBuyer(sale);
  if (buyer) steps.count(buyer, visit(buyer, sale));
}

/** Runs one buyer's visit. Returns how it ended. @param {steps.Visitor} buyer @param {Sale} sale @returns {Types.End} */
function visit(buyer, sale) {
  const turn = getIn(buyer, sale, {
    patienceSeconds: size.patience - 60,
    impatient: steps.chance(0.05),
    reloads: steps.chance(0.05),
  });
  if (turn !== 'active') return turn;
  const attacked = attackSeats(buyer, sale);
  if (attacked) return attacked;
  buyer.look();
  steps.think(0.5, 2);
  if (steps.chance(0.05)) {
    buyer.leave();
    return 'left';
  }
  const { held, end: gone } = steps.holdSeats(buyer, wishes(buyer), { attempts: 4, pauseSeconds: 1.5 });
  if (gone) {
    buyer.leave();
    return gone;
  }
  if (steps.chance(0.08)) return 'never_paid';
  steps.think(0.5, 2.5);
  return buyer.pay(held, { unpreparedly: steps.chance(0.1), twice: steps.chance(0.05) }) ? 'bought' : 'never_paid';
}

/**
 * Chooses one to four seats, from the map or the best available. After a refusal it chooses fewer, from
 * any section.
 * @param {steps.Visitor} buyer @returns {(attempt: number) => Types.Wanted | null}
 */
function wishes(buyer) {
  const quantity = 1 + Math.floor(Math.random() * QUEUE.seatLimit);
  const picky = picksFromMap();
  return (attempt) => {
    const wanted = Math.max(1, quantity - attempt + 1);
    if (picky && attempt < 3) return steps.chooseSeats(buyer, wanted);
    return attempt === 1 ? anyInSection(wanted) : { quantity: wanted };
  };
}

/** @param {Sale} sale */
export function teardown(sale) {
  end(sale);
}

export const handleSummary = reporter('rush', size.name, {
  ...crowd,
  ...QUEUE,
  buyers: size.buyers,
  seats: size.seats,
  arrive_within_seconds: size.arriveWithin,
});
