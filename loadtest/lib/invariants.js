// What must be true whatever the load, counted: each of these metrics has the threshold 0.

import { Counter, Gauge, Trend } from 'k6/metrics';

// Seats sold or held more than once, or more of them than there are.
export const oversold = new Counter('oversold');
// Answers in which a buyer's place was further back than in an earlier answer.
export const positionWentBack = new Counter('position_went_back');
// Tickets of buyers who kept asking, replaced by a later place or ended by the service.
export const placeLost = new Counter('place_lost');
// Looks at the sale that found more active buyers than the capacity.
export const overCapacity = new Counter('over_capacity');
// Looks at one buyer's reservations that found more seats than the limit.
export const overLimit = new Counter('over_limit');
// The seats that a hostile buyer kept from others (the maximum is what the report shows).
export const keptByOne = new Trend('kept_by_one');
// Two accounts of the same thing (reservations, payments, points, map, statistics) that disagree.
export const sumsDiffer = new Counter('sums_differ');
// Seats that the service said were paid, less those refunded, less those found sold at the end.
export const paidSeatsMissing = new Counter('paid_seats_missing');
// Answers that the contract does not give for that call, and calls without an answer.
export const unexpectedAnswers = new Counter('unexpected_answers');

// Answers that asked the client to come back (429, 503 with Retry-After), which it then did.
export const askedToComeBack = new Counter('asked_to_come_back');

export const seatsHeld = new Counter('seats_held');
export const seatsPaid = new Counter('seats_paid');
export const seatsRefunded = new Counter('seats_refunded');
export const seatsSold = new Gauge('seats_sold');
export const seatsUnsold = new Gauge('seats_unsold');
export const refusals = {
  seat_taken: new Counter('refused_seat_taken'),
  not_enough_seats: new Counter('refused_not_enough_seats'),
  insufficient_points: new Counter('refused_insufficient_points'),
};

// How a buyer's visit ended, one counter each.
export const visits = Object.fromEntries(
  [
    'bought',
    'sold_out', // nothing left
    'left', // walked off, from the line or from the sale
    'never_paid', // held seats and let them lapse
    'slot_ran_out', // was too slow
    'gave_up', // was still waiting when patience ended
  ].map((end) => [end, new Counter(`visits_${end}`)]),
);

// From joining to being let in, and from the hold to the payment's answer.
export const waited = new Trend('waited', true);
export const checkout = new Trend('checkout', true);
// The line as the board showed it (the maximum is what the report shows).
export const inLine = new Trend('in_line');
export const inSale = new Trend('in_sale');

// A VU that goes on about the same fault would drown the rest of the output.
const LOUD = 3;
let said = 0;

// Counts a fault and says what it was, on the console.
export function fault(metric, what, count = 1) {
  metric.add(count);
  said += 1;
  if (said <= LOUD) {
    console.error(`${metric.name}: ${what}`);
  }
}

// Makes every fault counter exist, so that a report without faults says 0 and not nothing.
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

// Compares two successive answers about one ticket.
//
// After a recovery a place may be behind others that were restored, so the comparison starts
// anew once `recovering` was seen. The service promises this within one process: run these tests
// against one, or behind something that keeps a client on one.
export function comparePlaces(before, after) {
  if (after.position !== null && after.position !== after.ahead + 1) {
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

// Compares a look at the schedule and its statistics with what can be true of a sale.
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
