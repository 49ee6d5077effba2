// The report of a run: an HTML page, the figures as JSON, and a table on the console.

import { SHOWN, number, page } from './page.js';

/** @import * as Types from './types.d.ts' */
/** @typedef {Types.Report} Report */

const DIRECTORY = __ENV.REPORT_DIR || 'loadtest/report';

/**
 * Returns the handleSummary function of a scenario. `size` has the settings of the run.
 *
 * The directory has to exist, because k6 does not create it.
 * @param {string} scenario @param {string} profile @param {Types.Settings} size
 * @returns {(data: Types.Summary) => Record<string, string>}
 */
export function reporter(scenario, profile, size) {
  return (data) => {
    const report = condense(scenario, profile, size, data);
    const path = `${DIRECTORY}/${scenario}-${profile}`;
    return {
      stdout: text(report, path),
      [`${path}.html`]: page(report),
      [`${path}.json`]: `${JSON.stringify(report, null, 2)}\n`,
    };
  };
}

/**
 * Reduces k6's metrics to those in the report.
 * @param {string} scenario @param {string} profile @param {Types.Settings} size
 * @param {Types.Summary} summary
 * @returns {Report}
 */
function condense(scenario, profile, size, { metrics, state }) {
  const thresholds = Object.entries(metrics).flatMap(([metric, { thresholds: limits = {}, values }]) =>
    Object.entries(limits).map(([limit, { ok }]) => ({ metric, limit, ok, found: found(limit, values) })),
  );
  thresholds.sort((one, other) => Number(one.ok) - Number(other.ok) || one.metric.localeCompare(other.metric));
  const routes = Object.entries(metrics)
    .filter(([metric]) => metric.startsWith('http_req_duration{name:'))
    .map(([metric, { values }]) => ({
      route: metric.slice('http_req_duration{name:'.length, -1),
      .../** @type {Types.Figures} */ (values),
    }))
    .filter(({ count }) => count > 0);
  const custom = Object.entries(metrics)
    .filter(([metric]) => !BUILT_IN.test(metric))
    .sort(([one], [other]) => one.localeCompare(other));
  return {
    scenario,
    profile,
    passed: thresholds.every(({ ok }) => ok),
    ended_at: new Date().toISOString(),
    run_seconds: state.testRunDurationMs / 1000,
    size,
    requests: metrics.http_reqs.values.count,
    thresholds,
    routes,
    counts: Object.fromEntries(custom.map(([metric, { values }]) => [metric, values.count ?? values.value])),
    trends: Object.fromEntries(custom.filter(([, { type }]) => type === 'trend').map(([metric, { values }]) => [metric, values])),
  };
}

const BUILT_IN = /^(http_req|data_|iteration_|vus|checks|group_)/;

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
    `${report.scenario} (${report.profile}): ${report.passed ? 'PASSED' : 'FAILED'}`,
    `${number(report.requests)} requests in ${number(report.run_seconds)} s, including the final audit`,
    '',
    row(['route', 'requests', 'median ms', 'p95', 'p99', 'slowest']),
    ...report.routes.map((route) => row([route.route, ...SHOWN.map((value) => number(route[value]))])),
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
