// The contention scenario: all buyers are active at once, and all want the same 100 seats.

import { audit } from './lib/audit.js';
import * as buyers from './lib/buyer.js';
import { grab } from './lib/hostile.js';
import { makeSale, seatId } from './lib/data.js';
import { visits } from './lib/invariants.js';
import { ONE_MORE, options as plan, profile, rush } from './lib/profiles.js';
import { reporter } from './lib/report.js';

/** @import * as Types from './lib/types.d.ts' */
/** @typedef {Types.Sale} Sale */
/** @typedef {import('./lib/client.js').Client} Client */

const SEATS = 100;
// Share of hostile buyers, who try to keep seats from others.
const HOSTILE = 0.02;
// Each buyer's first choice is among the first seats, up to this number.
const FAVOURITES = 20;

// There is no soak profile, because the run ends when 100 seats are sold.
const size = profile({
  smoke: { buyers: 150, seconds: 2, patience: 120 },
  load: { buyers: 2_000, seconds: 4, patience: 240 },
  stress: { buyers: 5_000, seconds: 5, patience: 300 },
});

const QUEUE = {
  capacity: size.buyers,
  admit_per_second: 10_000,
  active_ttl_seconds: 600,
  claim_window_seconds: 60,
  hold_ttl_seconds: 4,
  max_seats_per_user: 4,
};

export const options = plan({
  buyers: size.buyers + ONE_MORE,
  iterations: size.buyers,
  scenarios: { contention: rush(size.buyers, size.seconds, size.patience) },
  routes: ['join', 'poll', 'seats_status', 'hold', 'release', 'charge', 'pay'],
  slowestMs: 8_000,
  thresholds: {
    visits_gave_up: ['count==0'],
    seats_unsold: ['value==0'],
    // Without refusals there was no contention, and the run proves nothing.
    refused_seat_taken: [`count>${size.buyers / 10}`],
  },
});

export function setup() {
  return makeSale({ seats: SEATS, opensInSeconds: -60, queue: QUEUE });
}

/** @param {Sale} sale */
export default function (sale) {
  visits[visit(buyers.thisBuyer(sale), sale)].add(1);
}

/**
 * Tries until the buyer has seats or all are sold. With seats, the buyer pays, releases them or leaves.
 * @param {Client} buyer @param {Sale} sale @returns {Types.End}
 */
function visit(buyer, sale) {
  const turn = buyers.waitForTurn(buyer, sale, { patienceSeconds: size.patience / 2 });
  if (turn !== 'active') return turn;
  if (buyers.chance(HOSTILE)) {
    return grab(buyer, sale, { limit: QUEUE.max_seats_per_user, holdSeconds: QUEUE.hold_ttl_seconds });
  }
  const deadline = Date.now() + (size.patience - 60) * 1000;
  while (Date.now() < deadline) {
    const held = buyers.holdSeats(buyer, sale, (attempt) => wish(buyer, sale, attempt), { attempts: 3, pauseSeconds: 0.5 });
    if (!held.end) return settle(buyer, held);
    if (held.end !== 'sold_out') return held.end;
    buyer.poll();
    if (buyer.ticket?.phase === 'SOLD_OUT') return 'sold_out';
    buyers.think(0.5, 1.5);
  }
  return 'gave_up';
}

/**
 * The first attempt picks from the favourites without looking at the map; later ones pick free seats.
 * @param {Client} buyer @param {Sale} sale @param {number} attempt
 */
function wish(buyer, sale, attempt) {
  const quantity = 1 + Math.floor(Math.random() * 4);
  if (attempt > 1) {
    const ids = buyers.chooseSeats(buyer, sale, quantity);
    return ids && { seat_ids: ids };
  }
  const first = 1 + Math.floor(Math.random() * (FAVOURITES - quantity + 1));
  return { seat_ids: Array.from({ length: quantity }, (_, index) => seatId(sale, first + index)) };
}

/** @param {Client} buyer @param {Types.Held} held @returns {Types.End} */
function settle(buyer, held) {
  if (buyers.chance(0.15)) return 'never_paid';
  if (buyers.chance(0.15)) {
    buyer.release(held.hold.hold_id);
    return 'left';
  }
  return buyers.pay(buyer, held, { twice: true }) ? 'bought' : 'never_paid';
}

/** @param {Sale} sale */
export function teardown(sale) {
  audit(sale, size.buyers + ONE_MORE);
}

export const handleSummary = reporter('contention', size.name, { ...QUEUE, buyers: size.buyers, seats: SEATS });
