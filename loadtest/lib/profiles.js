// The size of a run, and the k6 options that all scenarios share.

import { KINDS } from './crowd.js';
import { FAULTS } from './invariants/metrics.js';
import { phase } from './phases.js';

/** @typedef {Record<string, string[]>} Thresholds */

/**
 * Returns the numbers of PROFILE from a scenario's `table` (profile name → numbers), and its name. An
 * environment variable of a number's name changes it: BUYERS for `buyers`, ADMIT_PER_SECOND for
 * `admitPerSecond`.
 * @template {object} Numbers
 * @param {Record<string, Numbers>} table
 * @returns {Numbers & { name: string, isChanged: boolean }}
 */
export function profile(table) {
  const name = __ENV.PROFILE || 'smoke';
  if (!table[name]) {
    throw new Error(`PROFILE is "${name}", but this scenario has only ${Object.keys(table).join(', ')}`);
  }
  const changed = Object.entries(table[name])
    .filter(([key, value]) => typeof value === 'number' && __ENV[variable(key)])
    .map(([key]) => /** @type {const} */ ([key, wholeNumber(variable(key))]));
  return { ...table[name], ...Object.fromEntries(changed), name, isChanged: changed.length > 0 };
}

/** @param {string} key */
const variable = (key) => key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

/** @param {string} name */
function wholeNumber(name) {
  const value = Number(__ENV[name]);
  if (!Number.isInteger(value)) throw new Error(`${name} is "${__ENV[name]}": it must be a whole number`);
  return value;
}

// k6 often starts one iteration more than rate × duration.
export const ONE_MORE = 1;

/**
 * Starts `buyers` iterations evenly over `seconds`, each with its own VU. So no buyer waits for a VU, and a
 * slow service cannot slow down the arrivals.
 * @param {number} buyers @param {number} seconds @param {number} patienceSeconds
 * @returns {import('k6/options').ConstantArrivalRateScenario}
 */
export function rush(buyers, seconds, patienceSeconds) {
  return {
    executor: 'constant-arrival-rate',
    rate: buyers,
    timeUnit: `${seconds}s`,
    duration: `${seconds}s`,
    preAllocatedVUs: buyers + ONE_MORE,
    maxVUs: buyers + ONE_MORE,
    gracefulStop: `${patienceSeconds}s`,
  };
}

/**
 * A route's latency limit is a sanity check, not a promise, because generator, service and stores may share
 * the machine. The thresholds also make k6 keep figures for each route.
 * @param {string[]} routes @param {number} slowestMs
 * @returns {[string, string[]][]}
 */
function latency(routes, slowestMs) {
  return routes.map((route) => [`http_req_duration{name:${route}}`, [`p(95)<${slowestMs / 2}`, `p(99)<${slowestMs}`]]);
}

// k6 keeps figures for a tag only if there is a threshold for it. These are always met.
const CROWD = KINDS.flatMap((kind) => [
  ...['visits', 'calls', 'admitted', 'seats_held', 'seats_bought'].map((what) => [`crowd_${what}{kind:${kind}}`, ['count>=0']]),
  [`crowd_waited{kind:${kind}}`, ['max>=0']],
]);

/**
 * Returns the k6 options of a scenario. `plan.routes` lists the routes whose latency is limited and shown.
 * @param {object} plan
 * @param {NonNullable<import('k6/options').Options['scenarios']>} plan.scenarios
 * @param {string[]} plan.routes
 * @param {number} plan.slowestMs the slowest p99, in ms
 * @param {number} plan.buyers the largest possible number of buyers, who have to exist as users
 * @param {Thresholds} [plan.crowd] further limits of what the buyers saw
 * @param {Thresholds} [plan.whole] further limits of the whole run: its sums, and its books
 */
export function options(plan) {
  const faults = FAULTS.map(({ name }) => name);
  // The payments of one runner are no fault before the books are read.
  const zero = faults.filter((name) => phase !== 'crowd' || name !== 'paid_seats_missing').map((name) => [name, ['count==0']]);
  const hasBuyers = phase === 'whole' || phase === 'crowd';
  const isSummed = phase === 'whole' || phase === 'books';
  const latencies = [['dropped_iterations', ['count==0']], ...latency(plan.routes, plan.slowestMs), ...CROWD];
  const thresholds = Object.fromEntries([
    ...zero,
    ...(hasBuyers ? [...latencies, ...Object.entries(plan.crowd ?? {})] : []),
    ...(isSummed ? Object.entries(plan.whole ?? {}) : []),
  ]);
  // A phase without buyers has only setup() and teardown().
  const nothing = { nothing: { executor: /** @type {const} */ ('shared-iterations'), vus: 1, iterations: 1, exec: 'nothing' } };
  return {
    scenarios: hasBuyers ? plan.scenarios : nothing,
    thresholds,
    // For loadtest/inside.sh, which creates the users: the buyers, and an administrator.
    ext: { onsale: { users: plan.buyers + 1 } },
    setupTimeout: '15m',
    teardownTimeout: '15m',
    batch: 40,
    batchPerHost: 40,
    systemTags: ['status', 'method', 'name', 'scenario', 'error_code', 'expected_response'],
    summaryTrendStats: ['count', 'avg', 'min', 'med', 'p(90)', 'p(95)', 'p(99)', 'max'],
    userAgent: 'onsale-loadtest',
  };
}
