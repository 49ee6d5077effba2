// The report of a run: an HTML page, the figures as JSON, and a table on the console.

import { BASE } from '../adapters/address.js';
import { KINDS } from './crowd.js';
import { SHOWN, number, page } from './page.js';
import { DIRECTORY, SALE_FILE, openReports, part, phase, runnerReports } from './phases.js';
import { shop } from './shop.js';

/** @import * as Types from './types.d.ts' */
/** @typedef {Types.Report} Report */
/** @typedef {Types.Summary['metrics']} Metrics */

const BUILT_IN = /^(http_req|data_|iteration_|vus|checks|group_|crowd_)/;
const ROUTE = 'http_req_duration{name:';

/**
 * Returns the handleSummary function of a scenario. `settings` has the settings of the run.
 *
 * The directory has to exist, because k6 does not create it.
 * @param {string} scenario @param {string} profile @param {Types.Settings} settings
 * @returns {(data: Types.Summary) => Record<string, string>}
 */
export function reporter(scenario, profile, settings) {
  const name = `${scenario}-${profile}`;
  openReports(name);
  return (data) => {
    if (phase === 'prepare') return writeSale(data);
    const report = condense(scenario, profile, settings, data);
    addRunners(report);
    const path = `${DIRECTORY}/${name}${report.part && report.part !== 'books' ? `.${report.part}` : ''}`;
    return {
      stdout: text(report, path),
      [`${path}.html`]: page(report),
      [`${path}.json`]: `${JSON.stringify(report, null, 2)}\n`,
    };
  };
}

/** Writes the prepared sale for the runners. @param {Types.Summary} data @returns {Record<string, string>} */
function writeSale({ setup_data: sale }) {
  if (!sale) return { stderr: 'The sale was not prepared: see the error above.\n' };
  const path = `${DIRECTORY}/${SALE_FILE}`;
  return { stdout: `prepared the sale: ${path}\n`, [path]: `${JSON.stringify(sale)}\n` };
}

/**
 * Reduces k6's metrics to those in the report.
 * @param {string} scenario @param {string} profile @param {Types.Settings} settings
 * @param {Types.Summary} summary
 * @returns {Report}
 */
function condense(scenario, profile, settings, { metrics, state }) {
  const custom = Object.entries(metrics)
    .filter(([metric]) => !BUILT_IN.test(metric))
    .sort(([one], [other]) => one.localeCompare(other));
  const thresholds = limits(metrics);
  return {
    shop: shop.name,
    scenario,
    profile,
    part: part(),
    passed: thresholds.every(({ ok }) => ok),
    ended_at: new Date().toISOString(),
    run_seconds: state.testRunDurationMs / 1000,
    settings: { address: BASE.replace(/\/\/.*@/, '//'), ...settings },
    requests: metrics.http_reqs?.values.count ?? 0,
    thresholds,
    routes: routes(metrics),
    crowd: KINDS.map((kind) => crowdRow(kind, metrics)).filter(({ visits, calls }) => visits + calls > 0),
    counts: Object.fromEntries(custom.map(([metric, { values }]) => [metric, values.count ?? values.value])),
    trends: Object.fromEntries(custom.filter(([, { type }]) => type === 'trend').map(([metric, { values }]) => [metric, values])),
  };
}

/** The limits, the broken ones first, without those of routes that were not called. @param {Metrics} metrics */
function limits(metrics) {
  const all = Object.entries(metrics)
    .filter(([metric, { values }]) => !metric.startsWith('crowd_') && !(metric.startsWith(ROUTE) && values.count === 0))
    .flatMap(([metric, { thresholds = {}, values }]) =>
      Object.entries(thresholds).map(([limit, { ok }]) => ({ metric, limit, ok, found: found(limit, values) })),
    );
  return all.sort((one, other) => Number(one.ok) - Number(other.ok) || one.metric.localeCompare(other.metric));
}

/** @param {Metrics} metrics */
function routes(metrics) {
  return Object.entries(metrics)
    .filter(([metric]) => metric.startsWith(ROUTE))
    .map(([metric, { values }]) => ({ route: metric.slice(ROUTE.length, -1), .../** @type {Types.Figured} */ (values) }))
    .filter(({ count }) => count > 0);
}

/** What the buyers of one kind got. @param {string} kind @param {Metrics} metrics @returns {Types.CrowdRow} */
function crowdRow(kind, metrics) {
  /** @param {string} what @param {string} value */
  const of = (what, value) => metrics[`crowd_${what}{kind:${kind}}`]?.values[value] ?? 0;
  return {
    kind,
    visits: of('visits', 'count'),
    calls: of('calls', 'count'),
    admitted: of('admitted', 'count'),
    held: of('seats_held', 'count'),
    bought: of('seats_bought', 'count'),
    waited: of('waited', 'count') > 0 ? of('waited', 'med') : null,
  };
}

/**
 * Adds what only the runners measured: their requests, crowds and latencies. Of latencies and waiting times
 * it takes the highest, because percentiles cannot be added.
 * @param {Report} report
 */
function addRunners(report) {
  for (const runner of runnerReports()) {
    report.requests += runner.requests;
    for (const route of runner.routes) {
      const sum = report.routes.find((it) => it.route === route.route);
      if (sum) merge(sum, route, ['count']);
      else report.routes.push({ ...route });
    }
    for (const row of runner.crowd) {
      const sum = report.crowd.find((it) => it.kind === row.kind);
      if (sum) merge(sum, row, ['visits', 'calls', 'admitted', 'held', 'bought']);
      else report.crowd.push({ ...row });
    }
    for (const [name, values] of Object.entries(runner.trends)) {
      report.trends[name] = report.trends[name] ?? {};
      merge(report.trends[name], values, ['count']);
    }
  }
}

/** Adds the `summed` numbers of `other` to `sum`; of the others, keeps the higher. @param {object} sum @param {object} other @param {string[]} summed */
function merge(sum, other, summed) {
  const target = /** @type {Record<string, unknown>} */ (sum);
  for (const [key, value] of Object.entries(other)) {
    if (typeof value !== 'number') continue;
    const before = typeof target[key] === 'number' ? target[key] : 0;
    target[key] = summed.includes(key) ? before + value : Math.max(before, value);
  }
}

/**
 * Returns the value that a threshold such as `p(95)<500` or `count==0` compares.
 * @param {string} limit @param {Types.Values} values
 */
function found(limit, values) {
  const [name = ''] = limit.match(/^[a-z]+(\([\d.]+\))?/) ?? [];
  return values[name] ?? null;
}

/** @param {Report} report @param {string} path */
function text(report, path) {
  const failed = report.thresholds.filter(({ ok }) => !ok);
  const lines = [
    '',
    `${report.scenario} (${report.profile}) at ${report.shop}: ${report.passed ? 'PASSED' : 'FAILED'}`,
    `${number(report.requests)} requests in ${number(report.run_seconds)} s, including the check of the books`,
    '',
    row(['route', 'requests', 'median ms', 'p95', 'p99', 'slowest']),
    ...report.routes.map((route) => row([route.route, ...SHOWN.map((value) => number(route[value]))])),
    '',
    row(['buyers', 'visits', 'calls', 'admitted', 'held', 'bought']),
    ...report.crowd.map((it) => row([it.kind, ...[it.visits, it.calls, it.admitted, it.held, it.bought].map(number)])),
    '',
    ...Object.entries(report.counts)
      .filter(([name]) => !report.trends[name])
      .map(([name, value]) => `${name.padEnd(28)}${number(value).padStart(10)}`),
    '',
    ...failed.map(({ metric, limit, found: value }) => `FAILED ${metric}: ${limit}, found ${number(value)}`),
    `report: ${path}.html, ${path}.json`,
    '',
  ];
  return lines.join('\n');
}

/** @param {string[]} cells */
const row = ([first, ...rest]) => first.padEnd(14) + rest.map((cell) => cell.padStart(11)).join('');
