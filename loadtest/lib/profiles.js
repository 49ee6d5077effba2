// The size of a run, and the k6 options that all scenarios share.

// User 1 creates the concert. The users after it are the buyers.
export const ADMIN = 1;
export const FIRST_BUYER = 2;

/**
 * Returns the numbers of PROFILE from a scenario's `table` (profile name → numbers), and its name.
 * @template Numbers
 * @param {Record<string, Numbers>} table
 */
export function profile(table) {
  const name = __ENV.PROFILE || 'smoke';
  if (!table[name]) {
    throw new Error(`PROFILE is "${name}", but this scenario has only ${Object.keys(table).join(', ')}`);
  }
  return { name, ...table[name] };
}

// k6 may start one iteration more than rate × duration.
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

// Counters that must be zero in every scenario, at any load.
const ALWAYS_ZERO = [
  'oversold',
  'position_went_back',
  'place_lost',
  'over_capacity',
  'over_limit',
  'sums_differ',
  'paid_seats_missing',
  'unexpected_answers',
  'dropped_iterations',
];

/**
 * A route's latency limit is a sanity check, not a promise, because generator, service and stores share
 * the machine. The thresholds also make k6 keep figures for each route.
 * @param {string[]} routes @param {number} slowestMs
 */
function latency(routes, slowestMs) {
  return routes.map((route) => [`http_req_duration{name:${route}}`, [`p(95)<${slowestMs / 2}`, `p(99)<${slowestMs}`]]);
}

/**
 * Returns the k6 options of a scenario. `plan.routes` lists the routes whose latency is limited and shown.
 * `plan.buyers` is the largest possible number of buyers: they and the administrator have to exist as
 * users. The runner reads their number with `k6 inspect`.
 * @param {object} plan
 * @param {import('k6/options').Options['scenarios']} plan.scenarios
 * @param {string[]} plan.routes
 * @param {number} plan.slowestMs the slowest p99, in ms
 * @param {number} plan.buyers
 * @param {number} plan.iterations the fewest iterations
 * @param {Record<string, string[]>} [plan.thresholds] further limits
 */
export function options(plan) {
  const zero = ALWAYS_ZERO.map((metric) => [metric, ['count==0']]);
  const thresholds = Object.fromEntries([
    ...zero,
    ...latency(plan.routes, plan.slowestMs),
    ['iterations', [`count>=${plan.iterations}`]],
    ...Object.entries(plan.thresholds || {}),
  ]);
  return {
    scenarios: plan.scenarios,
    thresholds,
    ext: { onsale: { users: plan.buyers + FIRST_BUYER - 1 } },
    setupTimeout: '5m',
    teardownTimeout: '15m',
    batch: 40,
    batchPerHost: 40,
    systemTags: ['status', 'method', 'name', 'scenario', 'error_code', 'expected_response'],
    summaryTrendStats: ['count', 'avg', 'min', 'med', 'p(90)', 'p(95)', 'p(99)', 'max'],
    userAgent: 'onsale-loadtest',
  };
}
