// The rush scenario: all buyers come within seconds, wait in the queue, and buy or leave.

import { audit } from './lib/audit.js';
import * as buyers from './lib/buyer.js';
import { grab } from './lib/hostile.js';
import { makeSale } from './lib/data.js';
import { visits } from './lib/invariants.js';
import { ONE_MORE, options as plan, profile, rush } from './lib/profiles.js';
import { reporter } from './lib/report.js';

/** @import * as Types from './lib/types.d.ts' */
/** @typedef {Types.Sale} Sale */
/** @typedef {import('./lib/client.js').Client} Client */

// `opensIn`: seconds until the sale opens; half of the buyers of a rush come before that. `sellsOut`:
// there are enough buyers that an unsold seat at the end is a fault.
const size = profile({
  smoke: { buyers: 60, seats: 40, capacity: 10, admitPerSecond: 5, seconds: 4, opensIn: 2, patience: 180, sellsOut: true },
  load: { buyers: 5_000, seats: 1_000, capacity: 200, admitPerSecond: 30, seconds: 10, opensIn: 5, patience: 600, sellsOut: true },
  stress: { buyers: 8_000, seats: 3_000, capacity: 500, admitPerSecond: 100, seconds: 5, opensIn: 2, patience: 600, sellsOut: true },
  // A long sale with a short queue: 8 buyers a second for half an hour.
  soak: { buyers: 14_400, seats: 50_000, capacity: 300, admitPerSecond: 12, seconds: 1_800, opensIn: 1, patience: 300, waiting: 1_200 },
});

const HOLD_SECONDS = 12;
// Share of hostile buyers, who try to keep seats from others.
const HOSTILE = 0.02;
const QUEUE = {
  capacity: size.capacity,
  admit_per_second: size.admitPerSecond,
  active_ttl_seconds: 45,
  claim_window_seconds: 30,
  hold_ttl_seconds: HOLD_SECONDS,
  max_seats_per_user: 4,
  entry_order: /** @type {'FIFO' | 'DRAW'} */ (__ENV.ENTRY_ORDER || 'FIFO'),
};

const arrivals = rush(size.buyers, size.seconds, size.patience);

export const options = plan({
  buyers: size.buyers + ONE_MORE,
  iterations: size.buyers,
  // Fewer VUs than buyers only if the buyers come over a long time.
  scenarios: { rush: size.waiting ? { ...arrivals, preAllocatedVUs: size.waiting, maxVUs: size.waiting } : arrivals },
  routes: ['join', 'poll', 'seats', 'seats_status', 'hold', 'charge', 'pay', 'leave'],
  slowestMs: 5_000,
  thresholds: {
    visits_gave_up: ['count==0'],
    ...(size.sellsOut ? { seats_unsold: ['value==0'] } : {}),
  },
});

export function setup() {
  return makeSale({ seats: size.seats, opensInSeconds: size.opensIn, queue: QUEUE });
}

/** @param {Sale} sale */
export default function (sale) {
  visits[visit(buyers.thisBuyer(sale), sale)].add(1);
}

/** Runs one buyer's visit. Returns how it ended. @param {Client} buyer @param {Sale} sale @returns {Types.End} */
function visit(buyer, sale) {
  const turn = buyers.waitForTurn(buyer, sale, {
    patienceSeconds: size.patience - 60,
    impatient: buyers.chance(0.05),
    reloads: buyers.chance(0.05),
  });
  if (turn !== 'active') return turn;
  if (buyers.chance(HOSTILE)) return grab(buyer, sale, { limit: QUEUE.max_seats_per_user, holdSeconds: HOLD_SECONDS });
  if (buyers.chance(0.1)) buyer.seats(sale.schedule);
  buyer.look(sale);
  buyers.think(0.5, 2);
  if (buyers.chance(0.05)) {
    buyer.leave();
    return 'left';
  }
  const held = buyers.holdSeats(buyer, sale, wishes(buyer, sale), { attempts: 4, pauseSeconds: 1.5 });
  if (held.end) {
    buyer.leave();
    return held.end;
  }
  if (buyers.chance(0.08)) return 'never_paid';
  buyers.think(0.5, 2.5);
  const prepared = { unpreparedly: buyers.chance(0.1), twice: buyers.chance(0.05) };
  return buyers.pay(buyer, held, prepared) ? 'bought' : 'never_paid';
}

/**
 * Chooses one to four seats, from the map or the best available. After a refusal it chooses fewer, from
 * any section.
 * @param {Client} buyer @param {Sale} sale @returns {(attempt: number) => Types.WantedSeats | null}
 */
function wishes(buyer, sale) {
  const quantity = 1 + Math.floor(Math.random() * 4);
  const picky = buyers.chance(0.3);
  return (attempt) => {
    const wanted = Math.max(1, quantity - attempt + 1);
    if (picky && attempt < 3) {
      const ids = buyers.chooseSeats(buyer, sale, wanted);
      return ids && { seat_ids: ids };
    }
    return attempt === 1 ? buyers.bestAvailable(wanted) : { quantity: wanted, section: null, max_price: null };
  };
}

/** @param {Sale} sale */
export function teardown(sale) {
  audit(sale, size.buyers + ONE_MORE);
}

export const handleSummary = reporter('rush', size.name, {
  ...QUEUE,
  buyers: size.buyers,
  seats: size.seats,
  arrive_within_seconds: size.seconds,
});
