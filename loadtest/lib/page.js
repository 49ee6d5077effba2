// Renders the report as one HTML file without external resources.

/** @typedef {import('./types.d.ts').Report} Report */

/** Formats a number, with separators for thousands. @param {number | null | undefined} value */
export const number = (value) => {
  if (value === null || value === undefined) return '–';
  const rounded = Math.abs(value) >= 100 || Number.isInteger(value) ? Math.round(value) : Number(value.toFixed(1));
  return String(rounded).replace(/\B(?=(\d{3})+$)/g, ',');
};

/** @param {string | number} value */
const escape = (value) => String(value).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

// The figures shown for each route.
export const SHOWN = /** @type {const} */ (['count', 'med', 'p(95)', 'p(99)', 'max']);

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --bar: #4a7fd4; --good: #2a8a4a; --bad: #c23b3b; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; }
h2 { font-size: 1.1rem; margin-top: 2.2rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
.verdict { font-weight: 700; }
.good { color: var(--good); } .bad { color: var(--bad); }
.bar { display: inline-block; height: .7em; background: var(--bar); min-width: 1px; }
td.wide { width: 40%; text-align: left; }
`;

/** @param {string[]} heads @param {string[][]} rows */
const table = (heads, rows) => `<table>
<tr>${heads.map((head) => `<th scope="col">${escape(head)}</th>`).join('')}</tr>
${rows.map((cells) => `<tr>${cells.join('')}</tr>`).join('\n')}
</table>`;
/** @param {string | number} value */
const cell = (value) => `<td>${escape(value)}</td>`;
/** @param {string} name */
const words = (name) => name.replace(/_|(?=[A-Z])/g, ' ').toLowerCase();

/** @param {Report} report */
function limits(report) {
  const rows = report.thresholds.map(({ metric, limit, ok, found }) => [
    cell(metric),
    cell(limit),
    cell(number(found)),
    `<td class="${ok ? 'good' : 'bad'}">${ok ? 'met' : 'missed'}</td>`,
  ]);
  return table(['metric', 'limit', 'measured', ''], rows);
}

/** @param {Report} report */
function latencies(report) {
  const slowest = Math.max(1, ...report.routes.map((route) => route['p(99)']));
  const rows = report.routes.map((route) => [
    cell(route.route),
    ...SHOWN.map((value) => cell(number(route[value]))),
    `<td class="wide"><span class="bar" style="width:${((100 * route['p(99)']) / slowest).toFixed(1)}%"></span></td>`,
  ]);
  return table(['route', 'requests', 'median', 'p95', 'p99', 'slowest', 'p99 compared'], rows);
}

/** What each kind of buyer got, and its share. @param {Report} report */
function crowd(report) {
  const shown = /** @type {const} */ (['visits', 'calls', 'admitted', 'held', 'bought']);
  const total = Object.fromEntries(shown.map((what) => [what, report.crowd.reduce((sum, row) => sum + row[what], 0)]));
  const rows = report.crowd.map((row) => [
    cell(row.kind),
    ...shown.map((what) => cell(`${number(row[what])} (${percent(row[what], total[what])})`)),
    cell(number(row.waited)),
  ]);
  return table(['buyers', 'visits', 'calls', 'admitted', 'seats held', 'seats bought', 'median wait in ms'], rows);
}

/** @param {number} part @param {number} whole */
const percent = (part, whole) => (whole > 0 ? `${((100 * part) / whole).toFixed(1)} %` : '–');

/** Everything that was counted, except what must be zero: that is among the limits. @param {Report} report */
function counts(report) {
  const faults = report.thresholds.filter(({ limit }) => limit === 'count==0').map(({ metric }) => metric);
  const rows = Object.entries(report.counts)
    .filter(([name]) => !report.trends[name] && !faults.includes(name))
    .map(([name, value]) => [cell(words(name)), cell(number(value))]);
  return table(['count', 'value'], rows);
}

/** @param {Report} report */
function trends(report) {
  const rows = Object.entries(report.trends).map(([name, values]) => [
    cell(words(name)),
    ...['count', 'min', 'med', 'p(95)', 'max'].map((value) => cell(number(values[value]))),
  ]);
  return table(['measure', 'samples', 'minimum', 'median', 'p95', 'maximum'], rows);
}

/** Renders the whole page. @param {Report} report */
export function page(report) {
  const verdict = report.passed ? 'passed' : 'failed';
  const settings = Object.entries(report.settings)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [cell(words(name)), cell(String(value))]);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Load test of ${escape(report.shop)}: ${escape(report.scenario)}, ${escape(report.profile)}: ${verdict}</title>
<style>${STYLE}</style>
<h1>${escape(report.shop)}: ${escape(report.scenario)}, ${escape(report.profile)}:
<span class="verdict ${report.passed ? 'good' : 'bad'}">${verdict}</span></h1>
<p>Ended ${escape(report.ended_at)} after ${number(report.run_seconds)} s;
${number(report.requests)} requests, including the setup of the sale and the check of the books.</p>
<h2>Limits</h2>
${limits(report)}
<h2>What happened</h2>
${counts(report)}
<h2>Who got what: each kind of buyer, and its share</h2>
${crowd(report)}
<h2>Latency by route, in milliseconds</h2>
${latencies(report)}
<h2>Along the way (times in milliseconds, the queue in users)</h2>
${trends(report)}
<h2>Settings of the run</h2>
${table(['setting', 'value'], settings)}
</html>
`;
}
