// The metrics of the load tests. The faults must stay zero at any load.

import { Counter, Gauge, Trend } from 'k6/metrics';

// Seats sold or held more than once, or more seats than there are.
export const oversold = new Counter('oversold');
// Answers with a position further back than in an earlier answer.
export const positionWentBack = new Counter('position_went_back');
// Entries of polling buyers that the shop ended, or replaced by a later entry.
export const placeLost = new Counter('place_lost');
// Reads of the sale with more active buyers than the capacity.
export const overCapacity = new Counter('over_capacity');
// Reads of one buyer's reservations with more seats than the limit.
export const overLimit = new Counter('over_limit');
// Two records of the same thing (reservations, payments, maps, figures) that differ.
export const sumsDiffer = new Counter('sums_differ');
// Seats whose payment was confirmed, minus refunded seats, minus seats sold by the books.
export const paidSeatsMissing = new Counter('paid_seats_missing');
// Requests for any free seats that were refused while the map showed many free seats before and after.
export const refusedWhileFree = new Counter('refused_while_free');
// Forged tickets that the shop accepted.
export const forgeryAccepted = new Counter('forgery_accepted');
// Answers that the shop's API does not allow for the call, and calls without an answer.
export const unexpectedAnswers = new Counter('unexpected_answers');
// Buyers that the runners of a distributed run could not start in time. Counted when their reports are added.
export const buyersDropped = new Counter('buyers_dropped');

/** The counters that must stay zero. */
export const FAULTS = [
  oversold,
  positionWentBack,
  placeLost,
  overCapacity,
  overLimit,
  sumsDiffer,
  paidSeatsMissing,
  refusedWhileFree,
  forgeryAccepted,
  unexpectedAnswers,
  buyersDropped,
];

// Answers that asked the client to retry. It then retried.
export const askedToComeBack = new Counter('asked_to_come_back');
// Seats that a hostile buyer kept from others. The report shows the maximum.
export const keptByOne = new Trend('kept_by_one');

export const seatsHeld = new Counter('seats_held');
export const seatsPaid = new Counter('seats_paid');
export const seatsRefunded = new Counter('seats_refunded');
export const seatsSold = new Gauge('seats_sold');
export const seatsUnsold = new Gauge('seats_unsold');

/** Refusals that are part of a sale. @type {Record<string, Counter>} */
export const refusals = {
  seat_taken: new Counter('refused_seat_taken'),
  not_enough_seats: new Counter('refused_not_enough_seats'),
  no_money: new Counter('refused_without_money'),
};

/** Counts how visits ended. @type {Record<import('../types.d.ts').End, Counter>} */
export const visits = {
  bought: new Counter('visits_bought'),
  sold_out: new Counter('visits_sold_out'), // no seat was left
  left: new Counter('visits_left'), // left the queue, or gave up the active slot
  never_paid: new Counter('visits_never_paid'), // held seats and did not pay
  slot_ran_out: new Counter('visits_slot_ran_out'), // the active slot expired
  gave_up: new Counter('visits_gave_up'), // still waiting after the longest accepted wait
};
// All visits that ended. A visit that was cut off at the end of the run is missing.
export const visitsEnded = new Counter('visits_ended');

// Times from joining to admission, and from the hold to the payment's answer.
export const waited = new Trend('waited', true);
export const checkout = new Trend('checkout', true);
// Waiting and active buyers as the operator sees them. The report shows the maximum.
export const inLine = new Trend('in_line');
export const inSale = new Trend('in_sale');

// What each kind of buyer got. The tag `kind` says which.
export const crowd = {
  visits: new Counter('crowd_visits'),
  calls: new Counter('crowd_calls'),
  admitted: new Counter('crowd_admitted'),
  held: new Counter('crowd_seats_held'),
  bought: new Counter('crowd_seats_bought'),
};
export const crowdWaited = new Trend('crowd_waited', true);

/** All counters that a distributed run adds up, by name. */
export const SUMMED = new Map(
  [...FAULTS, askedToComeBack, seatsHeld, seatsPaid, seatsRefunded, ...Object.values(refusals), ...Object.values(visits), visitsEnded].map(
    (counter) => [counter.name, counter],
  ),
);

// Faults that one VU prints. More would hide the rest of the output.
const MAX_PRINTED = 3;
let printed = 0;

/** Counts a fault, and prints it on the console. @param {Counter} metric @param {string} what @param {number} [count] */
export function fault(metric, what, count = 1) {
  metric.add(count);
  printed += 1;
  if (printed <= MAX_PRINTED) console.error(`${metric.name}: ${what}`);
}

// Creates the counters of faults and seats, so that a report without any shows 0.
export function startAtZero() {
  for (const metric of [...FAULTS, askedToComeBack, seatsHeld, seatsPaid, seatsRefunded]) metric.add(0);
}
