// Counters of faults that must not occur at any load. Each of them has the threshold 0.

import { Counter, Gauge, Trend } from 'k6/metrics';

/** @import * as Types from './types.d.ts' */

// Seats sold or held more than once, or more seats than there are.
export const oversold = new Counter('oversold');
// Answers with a position further back than in an earlier answer.
export const positionWentBack = new Counter('position_went_back');
// Tickets of polling buyers that the service ended, or replaced by a later entry.
export const placeLost = new Counter('place_lost');
// Reads of the sale with more active slots than the capacity.
export const overCapacity = new Counter('over_capacity');
// Reads of one buyer's reservations with more seats than the limit.
export const overLimit = new Counter('over_limit');
// Seats that a hostile buyer kept from others. The report shows the maximum.
export const keptByOne = new Trend('kept_by_one');
// Two records of the same thing (reservations, payments, points, map, figures) that differ.
export const sumsDiffer = new Counter('sums_differ');
// Seats paid by the service's answers, minus refunded seats, minus seats sold in the final audit.
export const paidSeatsMissing = new Counter('paid_seats_missing');
// Answers that the API does not allow for the call, and calls without an answer.
export const unexpectedAnswers = new Counter('unexpected_answers');

// Answers that asked the client to retry (429, 503 with Retry-After). It then retried.
export const askedToComeBack = new Counter('asked_to_come_back');

export const seatsHeld = new Counter('seats_held');
export const seatsPaid = new Counter('seats_paid');
export const seatsRefunded = new Counter('seats_refunded');
export const seatsSold = new Gauge('seats_sold');
export const seatsUnsold = new Gauge('seats_unsold');
/** @type {Record<string, Counter>} */
export const refusals = {
  seat_taken: new Counter('refused_seat_taken'),
  not_enough_seats: new Counter('refused_not_enough_seats'),
  insufficient_points: new Counter('refused_insufficient_points'),
};

// One counter for each end of a visit.
export const visits = Object.fromEntries(
  [
    'bought',
    'sold_out', // no seat was left
    'left', // left the queue, or gave up the active slot
    'never_paid', // held seats and did not pay
    'slot_ran_out', // the active slot expired
    'gave_up', // still waiting after the longest accepted wait
  ].map((end) => [end, new Counter(`visits_${end}`)]),
);

// Times from joining to admission, and from the hold to the payment's answer.
export const waited = new Trend('waited', true);
export const checkout = new Trend('checkout', true);
// Waiting and active users as the board shows them. The report shows the maximum.
export const inLine = new Trend('in_line');
export const inSale = new Trend('in_sale');

// Faults that one VU prints. More would hide the rest of the output.
const MAX_PRINTED = 3;
let printed = 0;

/** Counts a fault, and prints it on the console. @param {Counter} metric @param {string} what @param {number} [count] */
export function fault(metric, what, count = 1) {
  metric.add(count);
  printed += 1;
  if (printed <= MAX_PRINTED) {
    console.error(`${metric.name}: ${what}`);
  }
}

// Creates all fault counters, so that a report without faults shows 0.
export function startAtZero() {
  const faults = [
    oversold,
    positionWentBack,
    placeLost,
    overCapacity,
    overLimit,
    sumsDiffer,
    paidSeatsMissing,
    unexpectedAnswers,
    askedToComeBack,
  ];
  for (const metric of [...faults, seatsHeld, seatsPaid, seatsRefunded]) {
    metric.add(0);
  }
}

/**
 * Compares two successive answers about one ticket.
 *
 * After a recovery an entry may be behind others that were restored, so answers with `recovering` are not
 * compared. The service guarantees the order only within one process: run these tests against one process,
 * or behind a proxy that keeps each client on one.
 * @param {Types.Ticket | null} before @param {Types.Ticket} after
 */
export function comparePlaces(before, after) {
  if (after.position !== null && after.position !== (after.ahead ?? 0) + 1) {
    fault(sumsDiffer, `position ${after.position} with ${after.ahead} ahead`);
  }
  if (!before || before.ticket_id !== after.ticket_id) return;
  if (before.sequence !== after.sequence) {
    fault(placeLost, `ticket ${after.ticket_id}: sequence ${before.sequence} became ${after.sequence}`);
  }
  if (before.recovering || after.recovering) return;
  if (before.position === null || after.position === null) return;
  if (after.position > before.position) {
    fault(positionWentBack, `ticket ${after.ticket_id}: ${before.position} became ${after.position}`);
  }
}

/**
 * Checks the counts of the schedule and its figures against the limits of the sale.
 * @param {Types.Schedule['seats']} seats @param {Types.Stats} stats @param {number} capacity
 */
export function compareSale(seats, stats, capacity) {
  const taken = seats.sold + seats.held;
  if (taken > seats.total) {
    fault(oversold, `${seats.sold} sold and ${seats.held} held of ${seats.total} seats`, taken - seats.total);
  }
  inLine.add(stats.waiting);
  inSale.add(stats.active);
  if (stats.active > capacity) {
    fault(overCapacity, `${stats.active} active, capacity ${capacity}`);
  }
}
