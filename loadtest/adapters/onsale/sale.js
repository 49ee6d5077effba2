// The sale of a run at onsale: a new concert with one schedule, or the schedule that SCHEDULE names.

import http from 'k6/http';
import { sleep } from 'k6';
import { BASE, EVERY_STATUS } from '../address.js';
import { SECTIONS } from '../sections.js';
import { Client } from './client.js';
import { adminOf, createUsers, requireIdentity } from './users.js';

/** @import * as Types from './types.d.ts' */
/** @import { Plan, QueuePlan } from '../../lib/types.d.ts' */
/** @typedef {Types.OnsaleSale} Sale */
/** @typedef {Types.Runs} Runs */

const READY_SECONDS = 60;
const SEATS_PER_ROW = 20;
const HOUR_MS = 3600 * 1000;

/** Waits for the service, creates the users, and creates or finds the sale. @param {Plan} plan @returns {Sale} */
export function prepare(plan) {
  requireIdentity();
  waitUntilReady();
  const run = Date.now().toString(36);
  const users = createUsers(plan.buyers, run);
  const admin = adminOf({ run, ...users });
  const existing = Number(__ENV.SCHEDULE || 0);
  const { schedule, concert } = existing ? findSchedule(admin, existing) : makeSchedule(admin, plan, run);
  const settings = must(admin.send('GET', 'setup', `/v1/admin/schedules/${schedule}/queue`, [200]));
  const sale = {
    run,
    isOurs: !existing,
    concert,
    schedule,
    seats: existing ? must(admin.schedule(schedule)).seats.total : plan.seats,
    buyers: plan.buyers,
    capacity: settings.capacity,
    seatLimit: settings.max_seats_per_user,
    holdSeconds: settings.hold_ttl_seconds,
    ...users,
  };
  const seatRuns = waitForMap(admin, sale);
  const { sold, blocked } = must(admin.schedule(schedule)).seats;
  return { ...sale, seatRuns, takenBefore: sold + blocked, revenueBefore: must(admin.stats(schedule)).revenue };
}

/** Closes the sale of this run, and takes its concert out of the list. Nothing can be deleted. @param {Sale} sale */
export function cleanUp(sale) {
  if (!sale.isOurs || __ENV.KEEP_SALE) return;
  const admin = adminOf(sale);
  const now = Date.now();
  const [opened, closes] = [new Date(now - 2000), new Date(now + 1000)].map((time) => time.toISOString());
  const times = { reservation_available_at: opened, deadline_at: closes, concert_at: closes };
  admin.send('PATCH', 'setup', `/v1/admin/schedules/${sale.schedule}`, [200], { body: times });
  admin.send('PATCH', 'setup', `/v1/admin/concerts/${sale.concert}`, [200], { body: { status: 'UNAVAILABLE' } });
}

/** @param {Client} admin @param {number} schedule */
function findSchedule(admin, schedule) {
  const found = must(admin.schedule(schedule));
  if (found.seats.total === 0) throw new Error(`schedule ${schedule} has no seats`);
  return { schedule, concert: found.concert_id };
}

/** @param {Client} admin @param {Plan} plan @param {string} run */
function makeSchedule(admin, plan, run) {
  /** @type {Types.Answer<Types.Concert>} */
  const created = admin.send('POST', 'setup', '/v1/admin/concerts', [201], {
    body: { title: `Load test ${run}`, description: 'Created by a load test.', status: 'AVAILABLE' },
  });
  const concert = must(created).id;
  const at = (/** @type {number} */ ms) => new Date(Date.now() + ms).toISOString();
  const opensAt = plan.opensInSeconds * 1000;
  // The queue is open now, even if the sale opens later.
  const queueOpens = Math.min(0, opensAt) - 1000;
  /** @type {Types.Answer<Types.ScheduleSettings>} */
  const made = admin.send('POST', 'setup', `/v1/admin/concerts/${concert}/schedules`, [201], {
    body: {
      reservation_available_at: at(opensAt),
      deadline_at: at(opensAt + 6 * HOUR_MS),
      concert_at: at(opensAt + 8 * HOUR_MS),
      queue: { ...queueSettings(plan.queue), queue_opens_at: at(queueOpens) },
    },
  });
  const schedule = must(made).id;
  must(admin.send('POST', 'setup', `/v1/admin/schedules/${schedule}/seats`, [201], { body: { seats: seatList(plan.seats) } }));
  return { schedule, concert };
}

/** @param {QueuePlan} plan @returns {Types.QueueChange} */
function queueSettings(plan) {
  return {
    capacity: plan.capacity,
    admit_per_second: plan.admitPerSecond,
    active_ttl_seconds: plan.activeSeconds,
    hold_ttl_seconds: plan.holdSeconds,
    max_seats_per_user: plan.seatLimit,
    ...(plan.claimSeconds ? { claim_window_seconds: plan.claimSeconds } : {}),
    ...(plan.presenceSeconds ? { presence_window_seconds: plan.presenceSeconds, return_grace_seconds: 3_600 } : {}),
    ...(plan.draw ? { entry_order: 'DRAW' } : {}),
  };
}

/** One fifth of the seats is in A, and two fifths each are in B and C. @param {number} count */
function seatList(count) {
  return Array.from({ length: count }, (_, index) => {
    const part = (5 * index) / count;
    const section = SECTIONS[part < 1 ? 0 : part < 3 ? 1 : 2];
    const row = String(Math.floor(index / SEATS_PER_ROW) + 1);
    return { seat_number: index + 1, section: section.name, row, seat_price: section.price };
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
 * @param {Client} admin @param {{ schedule: number, seats: number }} sale
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
  /** @type {Runs} */
  const runs = [];
  for (const seat of [...map].sort((one, other) => one.seat_number - other.seat_number)) {
    const last = runs[runs.length - 1];
    if (last && seat.seat_number === last[0] + last[2] && seat.id === last[1] + last[2]) last[2] += 1;
    else runs.push([seat.seat_number, seat.id, 1]);
  }
  return runs;
}

/** @template Body @param {Types.Answer<Body>} answer */
function must(answer) {
  if (answer.code !== null) {
    throw new Error(`preparing the sale failed: ${answer.status} ${answer.code}: ${answer.text}`);
  }
  return answer.body;
}
