// The audit after a run: compares each buyer's reservations, payments and points with the seat map and the
// sale's figures.

import http from 'k6/http';
import { sleep } from 'k6';
import { ADMIN, FIRST_BUYER } from './profiles.js';
import { BASE, Client, read, unpack } from './client.js';
import * as metrics from './invariants.js';

/** @import * as Types from './types.d.ts' */
/** @typedef {Types.Sale} Sale */
/** @template Item @typedef {Types.List<Item>} List */
/** @template Body @typedef {Types.Answer<Body>} Answer */
/** @typedef {Types.Balance} Balance */
/** The sums over all buyers. @typedef {{ seats: number, payments: number, revenue: number }} Totals */

const PEOPLE_AT_ONCE = 40;
const PAGE = 200;
// The seats of a hold are free 5 s after its end. The rest is reserve for slow machines.
const SETTLE_SECONDS = 60;

/**
 * Compares the records of `buyers` buyers once there are no holds any more. Counts each difference in
 * `sums_differ`, and each seat with two owners in `oversold`.
 * @param {Sale} sale @param {number} buyers
 */
export function audit(sale, buyers) {
  const admin = new Client(ADMIN, { role: 'admin', run: sale.run });
  const seats = settled(admin, sale);
  const owners = new Map();
  const totals = { seats: 0, payments: 0, revenue: 0 };
  for (let first = 0; first < buyers; first += PEOPLE_AT_ONCE) {
    const count = Math.min(PEOPLE_AT_ONCE, buyers - first);
    const people = Array.from({ length: count }, (_, index) => new Client(FIRST_BUYER + first + index));
    for (const books of booksOf(people)) checkBooks(books, sale, owners, totals);
  }
  metrics.seatsSold.add(totals.seats);
  metrics.seatsUnsold.add(sale.seats - totals.seats);
  metrics.paidSeatsMissing.add(-totals.seats);
  same('COMPLETE reservations and the schedule', totals.seats, seats.sold);
  same('COMPLETE reservations and COMPLETE payments', totals.seats, totals.payments);
  checkStats(admin, sale, totals);
  checkMaps(admin, sale, owners);
}

/** @param {string} what @param {unknown} one @param {unknown} other */
function same(what, one, other) {
  if (one !== other) metrics.fault(metrics.sumsDiffer, `${what}: ${one} and ${other}`);
}

/** Waits until no seat is held. Returns the schedule's seat counts. @param {Client} admin @param {Sale} sale */
function settled(admin, sale) {
  let { seats } = admin.schedule(sale.schedule).body;
  for (let waited = 1; waited < SETTLE_SECONDS && seats.held > 0; waited += 1) {
    sleep(1);
    ({ seats } = admin.schedule(sale.schedule).body);
  }
  same('seats held after every hold lapsed', seats.held, 0);
  // The answer is at most 1 s old, so 1.5 s after the last change it is exact.
  sleep(1.5);
  seats = admin.schedule(sale.schedule).body.seats;
  same('the states of the seats and their number', seats.available + seats.held + seats.sold + seats.blocked, sale.seats);
  return seats;
}

/** Reads each user's reservations, payments, points and history, several users at a time. @param {Client[]} people */
function booksOf(people) {
  const pages = ['/v1/reservations', '/v1/payments', '/v1/points/history'];
  const requests = people.flatMap((person) => [...pages.map((path) => get(person, `${path}?limit=${PAGE}`)), get(person, '/v1/points')]);
  const answers = http.batch(requests);
  return people.map((person, index) => {
    const [reservations, payments, history, points] = answers.slice(4 * index, 4 * index + 4);
    return {
      user: person.user,
      /** @type {Types.Reservation[]} */
      reservations: everything(person, pages[0], read(reservations)),
      /** @type {Types.Payment[]} */
      payments: everything(person, pages[1], read(payments)),
      /** @type {Types.BalanceChange[]} */
      history: everything(person, pages[2], read(history)),
      balance: balanceOf(person, read(points)),
    };
  });
}

/** The balance in an answer, which is requested again if it was refused. @param {Client} person @param {Answer<Balance>} first */
function balanceOf(person, first) {
  /** @type {Answer<Balance>} */
  const answer = first.code === null ? first : person.send('GET', 'audit', '/v1/points', [200]);
  return answer.body.amount;
}

/** @param {Client} person @param {string} path @returns {import('k6/http').BatchRequest} */
function get(person, path) {
  const params = { headers: { Authorization: person.bearer }, tags: { name: 'audit' }, timeout: '60s' };
  return { method: 'GET', url: BASE + path, params };
}

/**
 * Reads all pages of a list. `first` is the first page; it is requested again if it was refused.
 * @template Item
 * @param {Client} person @param {string} path @param {Answer<List<Item>>} first
 * @returns {Item[]}
 */
function everything(person, path, first) {
  /** @param {string} from @returns {Answer<List<Item>>} */
  const load = (from) => person.send('GET', 'audit', `${path}?limit=${PAGE}${from}`, [200]);
  let page = first.code === null ? first : load('');
  const items = [...page.body.items];
  while (page.body.next_cursor !== null) {
    page = load(`&cursor=${encodeURIComponent(page.body.next_cursor)}`);
    items.push(...page.body.items);
  }
  return items;
}

/** @param {ReturnType<typeof booksOf>[number]} books @param {Sale} sale @param {Map<number, number>} owners @param {Totals} totals */
function checkBooks({ user, reservations, payments, history, balance }, sale, owners, totals) {
  const ours = reservations.filter((reservation) => reservation.schedule_id === sale.schedule);
  const byId = new Map(ours.map((reservation) => [reservation.id, reservation]));
  const paid = payments.filter((payment) => byId.has(payment.reservation_id));
  for (const reservation of ours.filter(({ status }) => status === 'COMPLETE')) {
    const owner = owners.get(reservation.seat_id);
    if (owner !== undefined) {
      metrics.fault(metrics.oversold, `seat ${reservation.seat_id} is user ${owner}'s and user ${user}'s`);
    }
    owners.set(reservation.seat_id, user);
    totals.seats += 1;
    totals.revenue += reservation.amount;
    const matching = paid.filter((payment) => payment.reservation_id === reservation.id && payment.status === 'COMPLETE');
    same(`payments of reservation ${reservation.id}`, matching.length, 1);
    same(`the price of reservation ${reservation.id}`, reservation.amount, matching.length && matching[0].amount);
  }
  for (const payment of paid) {
    const complete = payment.status === 'COMPLETE';
    totals.payments += complete ? 1 : 0;
    same(`reservation of payment ${payment.id}`, byId.get(payment.reservation_id)?.status, complete ? 'COMPLETE' : 'REFUNDED');
  }
  const sum = history.reduce((total, { kind, amount }) => total + (kind === 'PAYMENT' ? -1 : 1) * Math.abs(amount), 0);
  same(`user ${user}'s points and their history`, balance, sum);
}

/** @param {Client} admin @param {Sale} sale @param {Totals} totals */
function checkStats(admin, sale, totals) {
  const stats = admin.stats(sale.schedule).body;
  same('sold, by the statistics', stats.sold, totals.seats);
  same('held, by the statistics', stats.held, 0);
  same('revenue, by the statistics', stats.revenue, totals.revenue);
}

/** Compares both maps with the owners, seat by seat. @param {Client} admin @param {Sale} sale @param {Map<number, number>} owners */
function checkMaps(admin, sale, owners) {
  const map = admin.seats(sale.schedule).body.seats;
  const packed = admin.send('GET', 'audit', `/v1/schedules/${sale.schedule}/seats/status`, [200]).body.status;
  const states = unpack(packed, sale.seats);
  for (const seat of map) {
    const state = owners.has(seat.id) ? 'UNAVAILABLE' : 'AVAILABLE';
    same(`seat ${seat.seat_number} on the map`, seat.status, state);
    same(`seat ${seat.seat_number} on the packed map`, states[seat.seat_number - 1], state === 'AVAILABLE' ? 0 : 2);
  }
}
