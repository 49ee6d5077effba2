// The poll scenario: many users wait, each polls as often as the shop asks, and few are admitted.

import { sleep } from 'k6';
import exec from 'k6/execution';
import { CheckedBuyer } from './lib/invariants/checked.js';
import { checkBoard, checkEnded } from './lib/invariants/checks.js';
import { fault, unexpectedAnswers } from './lib/invariants/metrics.js';
import { begin, end, phase } from './lib/phases.js';
import { options as plan, profile } from './lib/profiles.js';
import { reporter } from './lib/report.js';
import { shop } from './lib/shop.js';

export { nothing } from './lib/phases.js';

/** @import * as Types from './lib/types.d.ts' */
/** @typedef {Types.Sale} Sale */

// `ticks` is per second. A tick polls for one user whose poll is due, or does nothing if none is due.
const size = profile({
  smoke: { line: 200, ticks: 100, pollFor: 20, vus: 10, admitPerSecond: 2 },
  load: { line: 20_000, ticks: 2_500, pollFor: 120, vus: 500, admitPerSecond: 50 },
  stress: { line: 100_000, ticks: 8_000, pollFor: 180, vus: 1_000, admitPerSecond: 150 },
  soak: { line: 20_000, ticks: 1_000, pollFor: 1_800, vus: 200, admitPerSecond: 10 },
});

// One tick in this many reads the public board instead.
const BOARD_EVERY = 50;

/** @type {Types.QueuePlan} */
const QUEUE = {
  capacity: 100_000,
  admitPerSecond: size.admitPerSecond,
  activeSeconds: 3_600,
  claimSeconds: 120,
  holdSeconds: 300,
  seatLimit: 4,
  presenceSeconds: 300,
};

export const options = plan({
  buyers: size.line,
  scenarios: {
    poll: {
      executor: 'constant-arrival-rate',
      rate: size.ticks,
      timeUnit: '1s',
      duration: `${size.pollFor}s`,
      preAllocatedVUs: size.vus,
      maxVUs: size.vus,
      gracefulStop: '30s',
    },
  },
  routes: ['join', 'poll', 'board'],
  slowestMs: 2_000,
  // At least one user has to be admitted: otherwise the run did not test that the queue advances.
  crowd: { iterations: [`count>=${phase === 'whole' ? Math.floor(size.ticks * size.pollFor * 0.99) : 1}`], waited: ['max>0'] },
});

// Creates the sale, and lets all users join before the measured time starts.
export function setup() {
  const sale = begin({ buyers: size.line, seats: 100, opensInSeconds: -60, queue: QUEUE });
  if (phase === 'whole' || phase === 'prepare') shop.fill?.(sale, size.line);
  return sale;
}

/**
 * A waiting user. Has a client once the user has polled.
 * @typedef {{ number: number, buyer: CheckedBuyer | null, dueAt: number }} Person
 */

// Each VU polls for its own part of the queue. The user whose poll is due next is the last in the list.
/** @type {Person[] | null} */
let people = null;
let ticks = 0;

function usersOfThisVu() {
  /** @type {Person[]} */
  const users = [];
  for (let number = exec.vu.idInTest % size.vus; number < size.line; number += size.vus) {
    users.push({ number, buyer: null, dueAt: 0 });
  }
  return users;
}

/** @param {Sale} sale */
export default function (sale) {
  people = people || usersOfThisVu();
  ticks += 1;
  if (ticks % BOARD_EVERY === 0 && shop.board) {
    const board = shop.board(sale);
    return board && checkBoard(board);
  }
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
 * Polls for a user. Returns whether the user still waits. The first call is a join: where `fill` let the
 * user join before, it returns the same entry.
 * @param {Person} person @param {Sale} sale
 */
function ask(person, sale) {
  const first = person.buyer === null;
  const buyer = person.buyer ?? new CheckedBuyer(shop.buyer(sale, person.number));
  person.buyer = buyer;
  const answer = first ? buyer.join() : buyer.poll();
  person.dueAt = Date.now() + (buyer.turn?.askAgainMs ?? 1000);
  if (answer === null || answer === 'sold_out') return answer === null;
  if (first && shop.fill && !answer.repeated) fault(unexpectedAnswers, `${buyer.id} had joined, and joined as new: ${answer.id}`);
  if (answer.state === 'ended') checkEnded(answer);
  return answer.state === 'waiting';
}

/** @param {Sale} sale */
export function teardown(sale) {
  end(sale);
}

export const handleSummary = reporter('poll', size.name, {
  ...QUEUE,
  line: size.line,
  ticks_per_second: size.ticks,
  poll_for_seconds: size.pollFor,
});
