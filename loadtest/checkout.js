// The checkout scenario: nobody has to wait, and purchases come at a steady or rising rate.

import { audit } from './lib/audit.js';
import * as buyers from './lib/buyer.js';
import { makeSale } from './lib/data.js';
import { visits } from './lib/invariants.js';
import { options as plan, profile } from './lib/profiles.js';
import { reporter } from './lib/report.js';

/** @import * as Types from './lib/types.d.ts' */
/** @typedef {Types.Sale} Sale */
/** @typedef {import('./lib/client.js').Client} Client */

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

const QUEUE = {
  capacity: 100_000,
  admit_per_second: 10_000,
  active_ttl_seconds: 120,
  claim_window_seconds: 60,
  hold_ttl_seconds: 60,
  max_seats_per_user: 4,
};

export const options = plan({
  buyers: mostBuyers,
  iterations: Math.floor(purchases) - stages.length,
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
  thresholds: {
    visits_gave_up: ['count==0'],
    visits_bought: [`count>=${Math.floor(purchases) - stages.length}`],
  },
});

export function setup() {
  return makeSale({ seats: size.seats, opensInSeconds: -60, queue: QUEUE });
}

/** @param {Sale} sale */
export default function (sale) {
  visits[visit(buyers.thisBuyer(sale), sale)].add(1);
}

/**
 * Buys without pauses. Every fifth buyer refunds a seat.
 * @param {Client} buyer @param {Sale} sale @returns {Types.End}
 */
function visit(buyer, sale) {
  const turn = buyers.waitForTurn(buyer, sale, { patienceSeconds: 60 });
  if (turn !== 'active') return turn;
  const quantity = 1 + Math.floor(Math.random() * 2);
  const wanted = () => ({ quantity, section: null, max_price: null });
  const held = buyers.holdSeats(buyer, sale, wanted, { attempts: 5, pauseSeconds: 0.5 });
  if (held.end) return held.end;
  const paid = buyers.pay(buyer, held, { twice: buyers.chance(0.02) });
  if (!paid) return 'never_paid';
  if (buyers.chance(0.2)) buyers.refund(buyer, paid.payments[0]);
  return 'bought';
}

/** @param {Sale} sale */
export function teardown(sale) {
  audit(sale, mostBuyers);
}

export const handleSummary = reporter('checkout', size.name, {
  ...QUEUE,
  purchases_per_second: size.rates.join(', '),
  seconds_each: size.step,
  seats: size.seats,
});
