// @ts-check
/** Explains the sales report: how far people came, why waits differ, refused payments, and the prediction. */
import { el } from '../lib/dom.js';
import { decimal, hasText, money, number, t, time } from '../lib/text.js';
import { card, table } from './parts.js';
import { percentile, percentText, shareText, spanText } from './report-format.js';

/** @typedef {import('../onsale/types.d.ts').Report} Report */
/** @typedef {import('../onsale/types.d.ts').Prediction} Prediction */
/** @typedef {import('../lib/dom.js').Child} Child */

/** The text of a problem code. @param {string} code */
export const reasonText = (code) => (hasText(`admin.why.${code}`) ? t(`admin.why.${code}`) : code);

/** A sentence below a table. @param {string} text */
const hint = (text) => el('p', { class: 'hint' }, text);

/**
 * How many people took each step, with a sentence about the step that the fewest took.
 * @param {NonNullable<Report['people']>} people
 */
function stepsTable({ steps }) {
  const heads = ['step', 'people', 'ofprevious', 'ofjoined'].map((name, at) => ({ text: t(`admin.report.steps.${name}`), number: at > 0 }));
  const rows = steps.map((one) => [
    t(`admin.report.step.${one.step}`),
    number(one.people),
    percentText(one.of_previous),
    percentText(one.of_joined),
  ]);
  const shares = steps.map((one) => one.of_previous ?? 1);
  const least = shares.indexOf(Math.min(...shares));
  const [before, after] = [steps[least - 1], steps[least]];
  return [
    table(t('admin.report.steps'), heads, rows),
    before && after
      ? hint(
          t('admin.report.steps.least', {
            before: t(`admin.report.step.${before.step}`),
            after: t(`admin.report.step.${after.step}`),
            lost: number(before.people - after.people),
            of: number(before.people),
          }),
        )
      : null,
  ];
}

/** What became of the people who were admitted. @param {NonNullable<Report['people']>} people */
function admittedTable({ admitted }) {
  const names = /** @type {const} */ (['paid', 'held_not_paid', 'held_nothing', 'no_shows', 'open']);
  const all = names.reduce((sum, name) => sum + admitted[name], 0);
  const heads = [
    { text: t('admin.report.outcomes') },
    { text: t('admin.report.steps.people'), number: true },
    { text: t('admin.report.outcomes.share'), number: true },
  ];
  const rows = names.map((name) => [t(`admin.report.outcome.${name}`), number(admitted[name]), shareText(admitted[name], all)]);
  return [table(t('admin.report.outcomes'), heads, rows), hint(t('admin.report.outcomes.noshows'))];
}

/** How far people came. @param {Report} report */
export function peopleCard({ people }) {
  if (!people) return null;
  return card(t('admin.report.steps'), ...stepsTable(people), ...admittedTable(people));
}

/** Why the percentiles with and without the people who did not wait differ. @param {Report} report */
export function atOnceText({ waits, queued, line }) {
  if (!queued) return null;
  if (queued.admitted_at_once === 0) return hint(t('admin.report.atonce.none'));
  return hint(
    t('admin.report.atonce', {
      count: number(queued.admitted_at_once),
      all: number(line.admitted),
      with: spanText(percentile(waits.percentiles, 50)),
      without: spanText(percentile(queued.waits.percentiles, 50)),
    }),
  );
}

/** Waits by order of joining. @param {Report} report */
export function joiningCard({ waits_by_joining: groups, entry_order: order }) {
  const [first, last] = [groups[0], groups.at(-1)];
  if (!first || !last) return null;
  const heads = ['group', 'from', 'joined', 'admitted', 'median', 'p95', 'median.open', 'p95.open'].map((name, at) => ({
    text: t(`admin.report.joining.${name}`),
    number: at > 1,
  }));
  const rows = groups.map((group, at) => [
    number(at + 1),
    time(group.joined_from, 'exact'),
    number(group.joined),
    number(group.admitted),
    spanText(group.median_seconds),
    spanText(group.p95_seconds),
    spanText(group.median_from_opening_seconds),
    spanText(group.p95_from_opening_seconds),
  ]);
  return card(
    t('admin.report.joining'),
    hint(t('admin.report.joining.does')),
    table(t('admin.report.joining'), heads, rows),
    hint(t('admin.report.joining.ends', { first: spanText(first.median_seconds), last: spanText(last.median_seconds) })),
    order === 'DRAW' ? hint(t('admin.report.joining.draw')) : null,
  );
}

/** Refused payments and refunds. @param {Report} report */
export function paymentsCard({ refused_payments: refused, sales }) {
  const heads = [{ text: t('admin.report.why') }, { text: t('admin.report.times'), number: true }];
  const paid = sales.sold + sales.refunded;
  return card(
    t('admin.report.payments'),
    refused.length === 0
      ? el('p', { class: 'muted' }, t('admin.report.payments.none'))
      : table(
          t('admin.report.payments'),
          heads,
          refused.map(({ reason, times }) => [reasonText(reason), number(times)]),
        ),
    hint(t('admin.report.payments.does')),
    sales.refunded > 0
      ? hint(
          t('admin.report.payments.refunds', {
            seats: number(sales.refunded),
            share: shareText(sales.refunded, paid),
            amount: money(sales.refunds),
          }),
        )
      : hint(t('admin.report.payments.norefunds')),
  );
}

/** The median of the runs, and their range. @param {Prediction['sold'] | null} range @param {(value: number) => string} text */
const rangeText = (range, text) =>
  range ? t('admin.report.prediction.range', { median: text(range.median), low: text(range.low), high: text(range.high) }) : '–';

/** Measured and predicted figures. @param {Report} report @param {Prediction} prediction */
function comparison({ waits, waits_from_opening: opening, sales, sold_out_seconds: soldOut }, prediction) {
  const percents = /** @type {const} */ ([50, 90, 99]);
  const whole = (/** @type {number} */ value) => number(Math.round(value));
  /** @type {(from: string, measured: Report['waits'], predicted: Prediction['waits']) => string[][]} */
  const rows = (from, measured, predicted) =>
    percents.map((percent) => [
      `${t('admin.report.percentile', { percent })} (${t(from)})`,
      spanText(percentile(measured.percentiles, percent)),
      rangeText(predicted[`p${percent}`], spanText),
    ]);
  return [
    ...rows('admin.report.fromjoin', waits, prediction.waits),
    ...rows('admin.report.fromopen', opening, prediction.waits_from_opening),
    [t('admin.report.sold'), number(sales.sold), rangeText(prediction.sold, whole)],
    [t('admin.report.prediction.soldout'), spanText(soldOut), rangeText(prediction.sold_out_seconds ?? null, spanText)],
  ];
}

/** What the prediction took from the sale, and what it assumes. @param {Prediction} prediction */
function assumptions({ assumed, ...of }) {
  const shares = { pays: assumed.pays, away: assumed.no_shows, leave: assumed.leaves_sale };
  const texts = Object.fromEntries(Object.entries(shares).map(([name, share]) => [name, percentText(share)]));
  return [
    t('admin.report.prediction.given', {
      people: number(of.people),
      seats: number(of.seats),
      capacity: number(of.capacity),
      rate: number(of.admit_per_second),
      hold: spanText(of.hold_seconds),
    }),
    t('admin.report.prediction.arrivals', { early: percentText(of.arrivals.early_share), late: spanText(of.arrivals.late_seconds) }),
    t('admin.report.prediction.assumed', {
      ...texts,
      choose: spanText(assumed.choose_seconds),
      pay: spanText(assumed.pay_seconds),
    }),
    ...(of.settings_changed ? [t('admin.report.prediction.changed')] : []),
    ...(of.people_per_simulated > 1 ? [t('admin.report.prediction.scale', { people: decimal(of.people_per_simulated) })] : []),
  ];
}

/** How the sale should have gone by the simulation. @param {Report} report */
export function predictionCard(report) {
  const { prediction, no_prediction: reason } = report;
  if (!prediction) return reason ? card(t('admin.report.prediction'), hint(t(`admin.report.noprediction.${reason}`))) : null;
  const heads = ['figure', 'measured', 'predicted'].map((name, at) => ({ text: t(`admin.report.prediction.${name}`), number: at > 0 }));
  return card(
    t('admin.report.prediction'),
    hint(t('admin.report.prediction.does')),
    table(t('admin.report.prediction'), heads, comparison(report, prediction)),
    el(
      'ul',
      { class: 'meaning' },
      assumptions(prediction).map((text) => el('li', null, text)),
    ),
  );
}
