// @ts-check
/** What a plan and a simulation of a sale say, as figures and tables. */
import { el } from '../lib/dom.js';
import { decimal, duration, number, t } from '../lib/text.js';
import { figure, table } from './parts.js';

/** @import * as Api from '../onsale/types.d.ts' */

const round = (/** @type {number} */ value) => number(Math.round(value));
/** Below ten, a decimal says more. @param {number} value */
const rate = (value) => (value < 10 ? decimal(value) : round(value));
const percent = (/** @type {number} */ share) => t('admin.percent', { value: decimal(100 * share) });

/** A duration that may be below a minute, with its decimals. @param {number} seconds */
const span = (seconds) => (seconds < 60 ? t('admin.seconds', { value: decimal(seconds) }) : duration(seconds));

/** A range over the runs. @param {Api.ForecastRange} range @param {(value: number) => string} format */
const rangeText = ({ low, median, high }, format) =>
  t('admin.forecast.range', { median: format(median), low: format(low), high: format(high) });

/** The figures of a plan. @param {Api.Plan} plan */
function needs({ load, needs: of }) {
  const mega = (/** @type {number} */ value) => decimal(value / 1e6);
  return el(
    'dl',
    { class: 'figures' },
    figure(
      t('admin.forecast.figure.processes'),
      number(of.processes),
      t('admin.forecast.figure.processes.note', { n: of.processes_with_cdn }),
    ),
    figure(t('admin.forecast.figure.cores'), decimal(of.onsale_cores), of.onsale_cores < 0.05 ? '< 0.05' : null),
    figure(t('admin.forecast.figure.redis'), percent(of.redis_cores)),
    figure(t('admin.forecast.figure.memory'), t('admin.forecast.mib', { value: rate(of.redis_bytes / 1e6) })),
    figure(t('admin.forecast.figure.postgresql'), rate(of.postgresql_transactions)),
    figure(t('admin.forecast.figure.sent'), t('admin.forecast.mbit', { value: mega(of.sent_bits) })),
    figure(t('admin.forecast.figure.joins'), rate(load.joins)),
    figure(t('admin.forecast.figure.waiting'), number(load.waiting)),
    figure(t('admin.forecast.figure.polls'), rate(load.polls)),
    figure(t('admin.forecast.figure.cdn'), percent(load.cdn_share)),
  );
}

/** Warnings of a plan, in the reader's language where the console knows them. @param {Api.Plan} plan */
const warnings = ({ warnings: texts, needs: { redis_cores }, input: { utilization } }) =>
  texts.map((text, at) => {
    const isRedis = at === 0 && redis_cores > utilization;
    const shown = isRedis ? t('admin.forecast.warn.redis', { percent: round(100 * redis_cores) }) : text;
    return el('p', { class: 'strip strip-warn' }, shown);
  });

/** The comparison with measurements, and the costs that were not measured. @param {Api.Plan} plan */
function checks({ comparisons, missing }) {
  const heads = ['what', 'predicted', 'measured', 'error'].map((name, at) => ({
    text: t(`admin.forecast.checked.${name}`),
    number: at > 0,
  }));
  return el(
    'details',
    { class: 'more' },
    el('summary', null, t('admin.forecast.checked')),
    table(
      t('admin.forecast.checked'),
      heads,
      comparisons.map((one) => [one.what, rate(one.predicted), rate(one.measured), percent(one.error)]),
    ),
    el('h3', null, t('admin.forecast.missing')),
    el(
      'ul',
      { class: 'reasons' },
      missing.map(({ what, instead }) => el('li', null, `${what}: ${instead}`)),
    ),
  );
}

/** Everything that a plan says. @param {Api.Plan} plan */
export const planResult = (plan) => [...warnings(plan), el('h3', null, t('admin.forecast.needed')), needs(plan), checks(plan)];

/** When something happened, in the runs in which it did. @param {Api.ForecastRange} range @param {number} count @param {number} runs */
const inRuns = (range, count, runs) =>
  count === 0 ? t('admin.forecast.never', { runs }) : t('admin.forecast.in', { range: rangeText(range, span), count, runs });

/** The figures of a simulation. @param {Api.ForecastSummary} summary */
export function summaryFigures(summary) {
  const { waits, runs } = summary;
  /** @type {[string, string][]} */
  const rows = [
    ['nearly_sold', inRuns(summary.nearly_sold_seconds, summary.nearly_sold, runs)],
    ['sold_out', inRuns(summary.sold_out_seconds, summary.sold_out, runs)],
    ['half', rangeText(waits.half, span)],
    ['nine_of_ten', rangeText(waits.nine_of_ten, span)],
    ['most', rangeText(waits.most, span)],
    ['peak_active', rangeText(summary.peak_active, round)],
    ['slot', rangeText(summary.slot_seconds, span)],
    ['polls', rangeText(summary.polls, round)],
    ['refused', rangeText(summary.refused_holds, round)],
  ];
  return el(
    'dl',
    { class: 'forecast-figures' },
    rows.flatMap(([name, value]) => [el('dt', null, t(`admin.forecast.result.${name}`)), el('dd', null, value)]),
  );
}

/** How the people of the first run ended. @param {Api.ForecastSummary} summary */
export function endsTable({ ends, scale }) {
  const all = /** @type {(keyof typeof ends)[]} */ (Object.keys(ends));
  const heads = [{ text: t('admin.forecast.ends') }, { text: t('admin.unit.people'), number: true }];
  return table(
    t('admin.forecast.ends'),
    heads,
    all.filter((name) => ends[name] > 0).map((name) => [t(`admin.forecast.end.${name}`), round(ends[name] * scale)]),
  );
}
