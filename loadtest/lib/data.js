// The concert of a run. setup() creates it through the administration API.

import http from 'k6/http';
import { sleep } from 'k6';
import { ADMIN } from './profiles.js';
import { BASE, Client, EVERY_STATUS } from './client.js';
import { startAtZero } from './invariants.js';

/** @import * as Types from './types.d.ts' */
/** @typedef {Types.Sale} Sale */

const READY_SECONDS = 60;
const PRICES = { A: 120_000, B: 90_000, C: 60_000 };
const SEATS_PER_ROW = 20;

export const SECTIONS = Object.keys(PRICES);

/**
 * Waits for the service, then creates a concert with one schedule and `seats` seats. The sale opens
 * `opensInSeconds` from now (below zero: it is open already). `queue` has the queue settings.
 *
 * Each VU gets its own copy of the result, so it is small. `seatRuns` are runs of seats whose numbers and
 * ids both rise by one: [number, id, count].
 * @param {{ seats: number, opensInSeconds: number, queue: { capacity: number } & Types.QueueChange }} how @returns {Sale}
 */
export function makeSale({ seats, opensInSeconds, queue }) {
  startAtZero();
  waitUntilReady();
  const run = Date.now().toString(36);
  const admin = new Client(ADMIN, { role: 'admin', run });
  const concert = must(
    admin.send('POST', 'setup', '/v1/admin/concerts', [201], {
      body: { title: `Load test ${run}`, description: 'Created by the load tests.', status: 'AVAILABLE' },
    }),
  );
  const schedule = makeSchedule(admin, concert.id, opensInSeconds, queue);
  must(admin.send('POST', 'setup', `/v1/admin/schedules/${schedule.id}/seats`, [201], { body: { seats: seatList(seats) } }));
  const sale = { run, concert: concert.id, schedule: schedule.id, seats, capacity: queue.capacity };
  return { ...sale, seatRuns: waitForMap(admin, sale) };
}

/**
 * @param {Client} admin @param {number} concert @param {number} opensInSeconds @param {Types.QueueChange} queue
 * @returns {Types.ScheduleSettings}
 */
function makeSchedule(admin, concert, opensInSeconds, queue) {
  const hours = 3600 * 1000;
  const at = (/** @type {number} */ ms) => new Date(Date.now() + ms).toISOString();
  const opensAt = opensInSeconds * 1000;
  // The queue is open now, even if the sale opens later.
  const queueOpens = Math.min(0, opensAt) - 1000;
  return must(
    admin.send('POST', 'setup', `/v1/admin/concerts/${concert}/schedules`, [201], {
      body: {
        reservation_available_at: at(opensAt),
        deadline_at: at(opensAt + 6 * hours),
        concert_at: at(opensAt + 8 * hours),
        queue: { ...queue, queue_opens_at: at(queueOpens) },
      },
    }),
  );
}

/** One fifth of the seats is in A, and two fifths each are in B and C. @param {number} count */
function seatList(count) {
  return Array.from({ length: count }, (_, index) => {
    const part = (5 * index) / count;
    const section = part < 1 ? 'A' : part < 3 ? 'B' : 'C';
    const row = String(Math.floor(index / SEATS_PER_ROW) + 1);
    return { seat_number: index + 1, section, row, seat_price: PRICES[section] };
  });
}

function waitUntilReady() {
  for (let waited = 0; waited < READY_SECONDS; waited += 0.5) {
    const response = http.get(`${BASE}/readyz`, { tags: { name: 'readyz' }, responseCallback: EVERY_STATUS });
    if (response.status === 200) return;
    sleep(0.5);
  }
  throw new Error(`${BASE}/readyz did not answer 200 within ${READY_SECONDS} s`);
}

/**
 * Waits until the seat map shows all seats, since settings and map may be 1 s old.
 * @param {Client} admin @param {Omit<Sale, 'seatRuns'>} sale
 */
function waitForMap(admin, sale) {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    sleep(1);
    const map = must(admin.seats(sale.schedule)).seats;
    if (map.length === sale.seats) return runsOf(map);
  }
  throw new Error(`the seat map of schedule ${sale.schedule} did not show its ${sale.seats} seats in 20 attempts`);
}

/** @param {Types.Seat[]} map */
function runsOf(map) {
  /** @type {Sale['seatRuns']} */
  const runs = [];
  for (const seat of [...map].sort((one, other) => one.seat_number - other.seat_number)) {
    const last = runs[runs.length - 1];
    if (last && seat.seat_number === last[0] + last[2] && seat.id === last[1] + last[2]) last[2] += 1;
    else runs.push([seat.seat_number, seat.id, 1]);
  }
  return runs;
}

/** Returns the id of the seat with this number. @param {Sale} sale @param {number} number */
export function seatId(sale, number) {
  const run = sale.seatRuns.find(([first, , count]) => number >= first && number < first + count);
  if (!run) throw new Error(`there is no seat ${number}`);
  return run[1] + number - run[0];
}

/** @template Body @param {Types.Answer<Body>} answer */
function must(answer) {
  if (answer.code !== null) {
    throw new Error(`creating the sale failed: ${answer.status} ${answer.code}: ${answer.text}`);
  }
  return answer.body;
}
