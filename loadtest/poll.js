// The poll scenario: many users wait, each polls as often as the service asks, and few are admitted.

import http from 'k6/http';
import { sleep } from 'k6';
import exec from 'k6/execution';
import { audit } from './lib/audit.js';
import { BASE, Client, read } from './lib/client.js';
import { makeSale } from './lib/data.js';
import { fault, inLine, inSale, placeLost, sumsDiffer, unexpectedAnswers, waited } from './lib/invariants.js';
import { FIRST_BUYER, options as plan, profile } from './lib/profiles.js';
import { reporter } from './lib/report.js';

/** @typedef {import('./lib/types.d.ts').Sale} Sale */

// `ticks` is per second. A tick polls for one user whose poll is due, or does nothing if none is due.
const size = profile({
  smoke: { line: 200, ticks: 100, seconds: 20, vus: 10, admitPerSecond: 2 },
  load: { line: 20_000, ticks: 2_500, seconds: 120, vus: 500, admitPerSecond: 50 },
  stress: { line: 100_000, ticks: 8_000, seconds: 180, vus: 1_000, admitPerSecond: 150 },
  soak: { line: 20_000, ticks: 1_000, seconds: 1_800, vus: 200, admitPerSecond: 10 },
});

// One tick in this many reads the public board instead.
const BOARD_EVERY = 50;
const JOINS_AT_ONCE = 40;

const QUEUE = {
  capacity: 100_000,
  admit_per_second: size.admitPerSecond,
  active_ttl_seconds: 3_600,
  claim_window_seconds: 120,
  presence_window_seconds: 300,
  return_grace_seconds: 3_600,
};

export const options = plan({
  buyers: size.line,
  iterations: Math.floor(size.ticks * size.seconds * 0.99),
  scenarios: {
    poll: {
      executor: 'constant-arrival-rate',
      rate: size.ticks,
      timeUnit: '1s',
      duration: `${size.seconds}s`,
      preAllocatedVUs: size.vus,
      maxVUs: size.vus,
      gracefulStop: '30s',
    },
  },
  routes: ['join', 'poll', 'board'],
  slowestMs: 2_000,
  // At least one user has to be admitted: otherwise the run did not test that the queue advances.
  thresholds: { waited: ['max>0'] },
});

// Creates the sale, and lets all users join before the measured time starts.
export function setup() {
  const sale = makeSale({ seats: 100, opensInSeconds: -60, queue: QUEUE });
  for (let first = 0; first < size.line; first += JOINS_AT_ONCE) {
    const count = Math.min(JOINS_AT_ONCE, size.line - first);
    const requests = Array.from({ length: count }, (_, index) => joinRequest(sale, FIRST_BUYER + first + index));
    for (const answer of http.batch(requests).map(read)) {
      if (answer.status !== 201) fault(unexpectedAnswers, `a join: ${answer.status} ${answer.text}`);
    }
  }
  return sale;
}

/** @param {Sale} sale @param {number} user @returns {import('k6/http').BatchRequest} */
function joinRequest(sale, user) {
  const params = { headers: { Authorization: new Client(user).bearer }, tags: { name: 'fill' } };
  return { method: 'POST', url: `${BASE}/v1/schedules/${sale.schedule}/queue`, params };
}

/**
 * A waiting user. Has a client once the user has polled.
 * @typedef {{ user: number, client: Client | null, dueAt: number, startedAt: number }} Person
 */

// Each VU polls for its own part of the queue. The user whose poll is due next is the last in the list.
/** @type {Person[] | null} */
let people = null;
let ticks = 0;

function usersOfThisVu() {
  /** @type {Person[]} */
  const users = [];
  for (let number = exec.vu.idInTest % size.vus; number < size.line; number += size.vus) {
    users.push({ user: FIRST_BUYER + number, client: null, dueAt: 0, startedAt: 0 });
  }
  return users;
}

/** @param {Sale} sale */
export default function (sale) {
  people = people || usersOfThisVu();
  ticks += 1;
  if (ticks % BOARD_EVERY === 0) return checkBoard(sale);
  const next = people[people.length - 1];
  if (!next || next.dueAt > Date.now()) return sleep(0.001);
  people.pop();
  if (ask(next, sale)) insertByDueTime(people, next);
}

/** Inserts a user into the list, in order of the time of the next poll. @param {Person[]} people @param {Person} person */
function insertByDueTime(people, person) {
  let low = 0;
  let high = people.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (people[middle].dueAt > person.dueAt) low = middle + 1;
    else high = middle;
  }
  people.splice(low, 0, person);
}

/**
 * Polls for a user. Returns whether the user still waits. The first call is a join: the user has joined
 * before, so it returns the same entry with `200`.
 * @param {Person} person @param {Sale} sale
 */
function ask(person, sale) {
  const first = person.client === null;
  const client = person.client || new Client(person.user, { run: sale.run });
  person.client = client;
  const answer = first ? client.join(sale.schedule) : client.poll();
  person.startedAt = person.startedAt || Date.now();
  person.dueAt = Date.now() + (client.askAgainMs || 1000);
  if (answer.code !== null) return true;
  if (first && answer.status !== 200) fault(unexpectedAnswers, `joined again: ${answer.status} ${answer.text}`);
  const { status, ticket_id: id } = answer.body;
  if (status === 'WAITING') return true;
  if (status === 'ACTIVE') waited.add(Date.now() - person.startedAt);
  else fault(placeLost, `ticket ${id} became ${status} while its owner waited`);
  return false;
}

/** The board's points must rise in both coordinates, and must not exceed the number of waiting users. @param {Sale} sale */
function checkBoard(sale) {
  const board = new Client(FIRST_BUYER).board(sale.schedule).body;
  inLine.add(board.waiting);
  inSale.add(board.active);
  const rises = board.ranks.every(
    ([sequence, before], index, ranks) => index === 0 || (sequence > ranks[index - 1][0] && before >= ranks[index - 1][1]),
  );
  const last = board.ranks.length > 0 ? board.ranks[board.ranks.length - 1][1] : 0;
  if (!rises || board.ranks.length > 257 || last > board.waiting) {
    fault(sumsDiffer, `the board of ${board.waiting} waiting: ${JSON.stringify(board.ranks)}`);
  }
}

/** @param {Sale} sale */
export function teardown(sale) {
  audit(sale, 0);
}

export const handleSummary = reporter('poll', size.name, {
  ...QUEUE,
  line: size.line,
  ticks_per_second: size.ticks,
  seconds: size.seconds,
});
