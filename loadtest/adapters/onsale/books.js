// The books of onsale: each buyer's reservations, payments and points, and the sale's figures and maps.

import http from 'k6/http';
import { sleep } from 'k6';
import { BASE } from '../address.js';
import { read, unpack } from './client.js';
import { adminOf, buyerOf } from './users.js';

/** @import * as Types from './types.d.ts' */
/** @import { Books } from '../../lib/types.d.ts' */
/** @typedef {import('./client.js').Client} Client */
/** @typedef {Types.OnsaleSale} Sale */
/** @template Item @typedef {Types.List<Item>} List */
/** @template Body @typedef {Types.Answer<Body>} Answer */
/** @typedef {Types.Balance} Balance */

const PEOPLE_AT_ONCE = 40;
const PAGE = 200;
// The seats of a hold are free 5 s after its end. The rest is reserve for slow machines.
const SETTLE_SECONDS = 60;

/** Reads the books, once no seat is held any more. @param {Sale} sale @returns {Books} */
export function books(sale) {
  const admin = adminOf(sale);
  const counts = settled(admin, sale);
  /** @type {Books} */
  const found = {
    owned: [],
    payments: 0,
    seats: { free: counts.available, held: counts.held, sold: counts.sold, blocked: counts.blocked },
    revenue: null,
    maps: {},
    differences: [],
  };
  for (let first = 0; first < sale.buyers; first += PEOPLE_AT_ONCE) {
    const count = Math.min(PEOPLE_AT_ONCE, sale.buyers - first);
    const people = Array.from({ length: count }, (_, index) => buyerOf(sale, first + index));
    for (const records of recordsOf(people)) addRecords(records, sale, found);
  }
  addFigures(admin, sale, found);
  return found;
}

/** Waits until no seat is held. Returns the schedule's seat counts. @param {Client} admin @param {Sale} sale */
function settled(admin, sale) {
  let { seats } = admin.schedule(sale.schedule).body;
  for (let waited = 1; waited < Math.max(SETTLE_SECONDS, sale.holdSeconds + 10) && seats.held > 0; waited += 1) {
    sleep(1);
    ({ seats } = admin.schedule(sale.schedule).body);
  }
  // The answer is at most 1 s old, so 1.5 s after the last change it is exact.
  sleep(1.5);
  return admin.schedule(sale.schedule).body.seats;
}

/** Reads each user's reservations, payments, points and history, several users at a time. @param {Client[]} people */
function recordsOf(people) {
  const pages = ['/v1/reservations', '/v1/payments', '/v1/points/history'];
  const requests = people.flatMap((person) => [...pages.map((path) => get(person, `${path}?limit=${PAGE}`)), get(person, '/v1/points')]);
  const answers = http.batch(requests);
  return people.map((person, index) => {
    const [reservations, payments, history, points] = answers.slice(4 * index, 4 * index + 4);
    return {
      user: person.id,
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

/** Adds one buyer's records. @param {ReturnType<typeof recordsOf>[number]} records @param {Sale} sale @param {Books} found */
function addRecords({ user, reservations, payments, history, balance }, sale, found) {
  const ours = reservations.filter((reservation) => reservation.schedule_id === sale.schedule);
  const byId = new Map(ours.map((reservation) => [reservation.id, reservation]));
  const paid = payments.filter((payment) => byId.has(payment.reservation_id));
  /** @param {string} what @param {unknown} one @param {unknown} other */
  const same = (what, one, other) => {
    if (one !== other) found.differences.push(`${what} of ${user}: ${one} and ${other}`);
  };
  for (const { id, seat_number: seat, status, amount } of ours) {
    if (status !== 'COMPLETE') continue;
    found.owned.push({ seat, buyer: user, price: amount });
    const matching = paid.filter((payment) => payment.reservation_id === id && payment.status === 'COMPLETE');
    same(`the payments of reservation ${id}`, matching.length, 1);
    same(`the price of reservation ${id}`, amount, matching[0]?.amount);
  }
  for (const payment of paid) {
    const complete = payment.status === 'COMPLETE';
    found.payments += complete ? 1 : 0;
    same(`the reservation of payment ${payment.id}`, byId.get(payment.reservation_id)?.status, complete ? 'COMPLETE' : 'REFUNDED');
  }
  const sum = history.reduce((total, { kind, amount }) => total + (kind === 'PAYMENT' ? -1 : 1) * Math.abs(amount), 0);
  same('the points and their history', balance, sum);
}

/** Adds the statistics, and both maps. @param {Client} admin @param {Sale} sale @param {Books} found */
function addFigures(admin, sale, found) {
  const stats = admin.stats(sale.schedule).body;
  found.revenue = stats.revenue;
  for (const name of /** @type {const} */ (['sold', 'held'])) {
    if (stats[name] !== found.seats[name]) found.differences.push(`${name}: ${found.seats[name]}, by the statistics ${stats[name]}`);
  }
  const states = { AVAILABLE: 0, HELD: 1, UNAVAILABLE: 2 };
  const map = new Uint8Array(sale.seats);
  for (const seat of admin.seats(sale.schedule).body.seats) map[seat.seat_number - 1] = states[seat.status];
  /** @type {Answer<Types.SeatBits>} */
  const packed = admin.send('GET', 'audit', `/v1/schedules/${sale.schedule}/seats/status`, [200]);
  found.maps = { map, 'packed map': unpack(packed.body.status, sale.seats) };
}
