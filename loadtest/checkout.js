// The checkout scenario: nobody has to wait, and purchases come at a steady or rising rate.

import { planCrowd } from './lib/crowd.js';
import { attackSeats, getIn } from './lib/hostile.js';
import { begin, end } from './lib/phases.js';
import { options as plan, profile } from './lib/profiles.js';
import { reporter } from './lib/report.js';
import * as steps from './lib/visit.js';

export { nothing } from './lib/phases.js';

/** @import * as Types from './lib/types.d.ts' */
/** @typedef {Types.Sale} Sale */

// `rates` are purchases per second. Each rate lasts `step` seconds, after a rise of 5 s.
const size = profile({
  smoke: { rates: [10], step: 8, vus: 100, seats: 1_000 },
  load: { rates: [50], step: 60, vus: 500, seats: 20_000 },
  stress: { rates: [50, 100, 200, 300], step: 30, vus: 3_000, seats: 60_000 },
  soak: { rates: [10], step: 1_800, vus: 300, seats: 60_000 },
});

const RISE_SECONDS = 5;
const stages = size.rates.flatMap((target) => [
  { target, duration: `${RISE_SECONDS}s` },
  { target, duration: `${size.step}s` },
]);
// During a rise the rate grows linearly, so its mean is the mean of the rates before and after it.
const purchases = size.rates.reduce(
  (sum, rate, index) => sum + rate * size.step + (RISE_SECONDS * (rate + (size.rates[index - 1] || 0))) / 2,
  0,
);
// k6 may start one iteration more or fewer per stage.
const mostBuyers = Math.ceil(purchases) + stages.length;

/** @type {Types.QueuePlan} */
const QUEUE = { capacity: 100_000, admitPerSecond: 10_000, activeSeconds: 120, claimSeconds: 60, holdSeconds: 60, seatLimit: 4 };

const crowd = planCrowd(0);

export const options = plan({
  buyers: mostBuyers,
  scenarios: {
    checkout: {
      executor: 'ramping-arrival-rate',
      startRate: 0,
      timeUnit: '1s',
      stages,
      preAllocatedVUs: size.vus,
      maxVUs: size.vus,
      gracefulStop: '120s',
    },
  },
  routes: ['join', 'poll', 'hold', 'charge', 'pay', 'refund'],
  slowestMs: 5_000,
  whole: {
    visits_ended: [`count>=${Math.floor(purchases) - stages.length}`],
    visits_gave_up: ['count==0'],
    ...(__ENV.HOSTILE ? {} : { visits_bought: [`count>=${Math.floor(purchases) - stages.length}`] }),
  },
});

export function setup() {
  return begin({ buyers: mostBuyers, seats: size.seats, opensInSeconds: -60, queue: QUEUE });
}

/** @param {Sale} sale */
export default function (sale) {
  const buyer = steps.thisBuyer(sale);
  if (buyer) steps.count(buyer, visit(buyer, sale));
}

/**
 * Buys without pauses. Every fifth buyer gives a seat back, where the shop takes seats back.
 * @param {steps.Visitor} buyer @param {Sale} sale @returns {Types.End}
 */
function visit(buyer, sale) {
  const turn = getIn(buyer, sale, { patienceSeconds: 60 });
  if (turn !== 'active') return turn;
  const attacked = attackSeats(buyer, sale);
  if (attacked) return attacked;
  const quantity = 1 + Math.floor(Math.random() * 2);
  const { held, end: gone } = steps.holdSeats(buyer, () => ({ quantity }), { attempts: 5, pauseSeconds: 0.5 });
  if (gone) return gone;
  const paid = buyer.pay(held, { twice: steps.chance(0.02) });
  if (!paid) return 'never_paid';
  if (steps.chance(0.2)) buyer.refund(paid);
  return 'bought';
}

/** @param {Sale} sale */
export function teardown(sale) {
  end(sale);
}

export const handleSummary = reporter('checkout', size.name, {
  ...crowd,
  ...QUEUE,
  purchases_per_second: size.rates.join(', '),
  seconds_each: size.step,
  seats: size.seats,
});
