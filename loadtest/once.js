// One buyer goes through everything once, in seconds: does the shop answer, and does the kit work with it?

import { CheckedBuyer } from './lib/invariants/checked.js';
import { HOSTILE_KINDS, planCrowd } from './lib/crowd.js';
import { attackQueue } from './lib/hostile.js';
import { begin, end } from './lib/phases.js';
import { options as plan } from './lib/profiles.js';
import { reporter } from './lib/report.js';
import { shop } from './lib/shop.js';
import { chooseSeats, count, waitForTurn } from './lib/visit.js';

export { nothing } from './lib/phases.js';

/** @import * as Types from './lib/types.d.ts' */
/** @typedef {Types.Sale} Sale */

/** @type {Types.QueuePlan} */
const QUEUE = { capacity: 10, admitPerSecond: 10, activeSeconds: 60, claimSeconds: 30, holdSeconds: 30, seatLimit: 4 };
const SEATS = 20;
// The buyer, and one who sends forged tickets.
const BUYERS = 2;

planCrowd(0, HOSTILE_KINDS);

export const options = plan({
  buyers: BUYERS,
  scenarios: { once: { executor: 'shared-iterations', vus: 1, iterations: 1, maxDuration: '2m' } },
  routes: ['join', 'poll', 'seats_status', 'hold', 'release', 'charge', 'pay', 'leave'],
  slowestMs: 5_000,
  // The iteration stops at the first step that fails.
  whole: { visits_bought: ['count==1'], visits_ended: ['count==2'] },
});

export function setup() {
  return begin({ buyers: BUYERS, seats: SEATS, opensInSeconds: -60, queue: QUEUE });
}

/** @param {Sale} sale */
export default function (sale) {
  const buyer = Object.assign(new CheckedBuyer(shop.buyer(sale, 0)), { watches: true });
  const turn = waitForTurn(buyer, sale, { patienceSeconds: 60, reloads: true });
  if (turn !== 'active') throw new Error(`the buyer was not admitted within a minute: ${turn}`);
  buyer.join();
  buyer.poll();
  release(buyer);
  const { held, refused } = buyer.hold({ quantity: Math.min(2, sale.seatLimit) });
  if (!held) throw new Error(`two seats of ${sale.seats} were not held: ${refused}`);
  const paid = buyer.pay(held, { unpreparedly: true, twice: true });
  if (!paid) throw new Error(`the held seats could not be paid: ${JSON.stringify(held)}`);
  buyer.refund(paid);
  count(buyer, 'bought');

  const forger = Object.assign(new CheckedBuyer(shop.buyer(sale, 1), 'forger'), { watches: false });
  attackQueue(forger);
  count(forger, 'left');
}

/** Holds a seat from the map, and releases it. @param {CheckedBuyer & { watches: boolean }} buyer */
function release(buyer) {
  const wanted = chooseSeats(buyer, 1);
  if (!wanted) throw new Error('the map shows no free seat');
  const { held, refused } = buyer.hold(wanted);
  if (!held) throw new Error(`a seat that the map shows as free was not held: ${refused}`);
  buyer.release(held);
}

/** @param {Sale} sale */
export function teardown(sale) {
  end(sale);
}

export const handleSummary = reporter('once', 'smoke', { ...QUEUE, buyers: BUYERS, seats: SEATS });
