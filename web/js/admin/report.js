// @ts-check
/** The sales report, to read, print or download as CSV. */
import { el, setChildren } from '../lib/dom.js';
import { hasText, money, number, t, time } from '../lib/text.js';
import { card, runOnce, figure, table } from './parts.js';
import { may } from './role.js';
import { barChart } from './report-drawing.js';
import { atOnceText, joiningCard, paymentsCard, peopleCard, predictionCard, reasonText } from './report-explained.js';
import { percentile, shareText, spanText } from './report-format.js';
import { download, get } from './api.js';
import { exportsCard } from './exports.js';
import { refundCard } from './refund.js';
import { OnsaleError } from '../onsale.js';
import { pause } from '../onsale/call.js';

/** @typedef {import('../onsale/types.d.ts').Report} Report */

/** @param {Report} report */
function reportHead(report) {
  const names = /** @type {const} */ (['queue_opens_at', 'reservation_available_at', 'deadline_at', 'concert_at']);
  return el(
    'header',
    { class: 'report-head' },
    el('h2', { dir: 'auto' }, t('admin.report.of', { title: report.title })),
    el(
      'p',
      { class: report.settled ? 'strip strip-good' : 'strip strip-warn' },
      t(report.settled ? 'admin.report.settled' : 'admin.report.unsettled'),
      ' ',
      t('admin.report.made', { at: time(report.computed_at) }),
      report.updating ? [' ', t('admin.report.updating')] : null,
    ),
    el(
      'dl',
      { class: 'report-times' },
      names.flatMap((name) => [
        el('dt', null, hasText(`admin.time.${name}`) ? t(`admin.time.${name}`) : t(`admin.setting.${name}`)),
        el('dd', null, time(report[name])),
      ]),
    ),
  );
}

/** @param {Report} report */
function mainFigures({ line, waits, sales, rejections: away }) {
  const refused = away.reduce((sum, one) => sum + one.times, 0);
  return el(
    'dl',
    { class: 'figures figures-big' },
    figure(t('admin.report.joined'), number(line.joined), t('admin.report.people', { n: line.people })),
    figure(t('admin.report.admitted'), number(line.admitted), shareText(line.admitted, line.joined)),
    figure(
      t('admin.report.median'),
      spanText(percentile(waits.percentiles, 50)),
      t('admin.report.longest.of', { longest: spanText(waits.longest_seconds) }),
    ),
    figure(t('admin.report.sold'), number(sales.sold), t('admin.report.seats.of', { n: sales.seats })),
    figure(t('admin.report.revenue'), money(sales.revenue), t('admin.report.buyers', { n: sales.buyers })),
    figure(t('admin.report.refused'), number(refused), t('admin.report.requests')),
  );
}

/** @param {Report['line']} line */
function outcomesTable(line) {
  /** @type {[string, number][]} */
  const rows = [
    ['completed', line.completed],
    ['expired_inside', line.expired_inside],
    ['left_inside', line.left_inside],
    ['expired_waiting', line.expired_waiting],
    ['left_waiting', line.left_waiting],
    ['waiting', line.waiting],
    ['inside', line.inside],
  ];
  const heads = [
    { text: t('admin.report.became') },
    { text: t('admin.report.places'), number: true },
    { text: t('admin.report.share'), number: true },
  ];
  return table(
    t('admin.report.became'),
    heads,
    rows.map(([name, value]) => [t(`admin.report.end.${name}`), number(value), shareText(value, line.joined)]),
  );
}

/** @param {Report} report */
function waitsTable(report) {
  const { line, waits, waits_from_opening: opening, queued } = report;
  const columns = [waits, opening, ...(queued ? [queued.waits] : [])];
  const names = ['fromjoin', 'fromopen', ...(queued ? ['queued'] : [])];
  const heads = [{ text: t('admin.report.waited') }, ...names.map((name) => ({ text: t(`admin.report.${name}`), number: true }))];
  const percentiles = waits.percentiles.map(({ percent }) => [
    t('admin.report.percentile', { percent }),
    ...columns.map((one) => spanText(percentile(one.percentiles, percent))),
  ]);
  const rows = [
    ...percentiles,
    [t('admin.report.longest'), ...columns.map((one) => spanText(one.longest_seconds))],
    [t('admin.report.mean'), ...columns.map((one) => spanText(one.mean_seconds))],
  ];
  return [
    table(t('admin.report.waits'), heads, rows),
    atOnceText(report),
    el('p', { class: 'hint' }, t('admin.report.invain', { longest: spanText(line.longest_in_vain_seconds) })),
  ];
}

/** @param {Report} report */
function salesTables({ sales, sections }) {
  const states = /** @type {const} */ (['sold', 'guests', 'blocked', 'held', 'refunded', 'expired', 'cancelled']);
  const heads = ['section', 'seats', 'blocked', 'sold', 'share', 'revenue'].map((name, at) => ({
    text: t(`admin.report.head.${name}`),
    number: at > 0,
  }));
  return [
    el(
      'dl',
      { class: 'figures' },
      states.map((name) => figure(t(`admin.report.seat.${name}`), number(sales[name] ?? 0))),
      figure(t('admin.report.refunds'), money(sales.refunds)),
    ),
    table(
      t('admin.report.sections'),
      heads,
      sections.map((one) => [
        one.section,
        number(one.seats),
        number(one.blocked),
        number(one.sold),
        shareText(one.sold, one.seats),
        money(one.revenue),
      ]),
    ),
  ];
}

/** @param {Report['rejections']} away */
function rejectionsTable(away) {
  if (away.length === 0) return el('p', { class: 'muted' }, t('admin.report.noaway'));
  const heads = [{ text: t('admin.report.wanted') }, { text: t('admin.report.why') }, { text: t('admin.report.times'), number: true }];
  return table(
    t('admin.report.away'),
    heads,
    away.map(({ wanted, reason, times }) => [t(`admin.wanted.${wanted}`), reasonText(reason), number(times)]),
  );
}

/** @param {Report} report */
function overTime({ course: parts, interval_seconds: seconds }) {
  if (parts.length === 0) return el('p', { class: 'muted' }, t('admin.report.nothing'));
  const line = (/** @type {import('./report-drawing.js').Count} */ name, /** @type {number} */ colour) => ({
    name,
    colour,
    label: t(`admin.report.course.${name}`),
  });
  return [
    el('p', { class: 'hint' }, t('admin.report.interval', { span: spanText(seconds) })),
    barChart(t('admin.report.course.people'), parts, seconds, [line('joined', 1), line('admitted', 2)]),
    barChart(t('admin.report.course.seats'), parts, seconds, [line('sold', 3), line('refunded', 5)]),
    barChart(t('admin.report.course.away'), parts, seconds, [line('rejections', 4)]),
    overTimeTable(parts),
  ];
}

/** The figures over time as a table. @param {Report['course']} parts */
function overTimeTable(parts) {
  const names = /** @type {const} */ (['joined', 'admitted', 'sold', 'paid', 'refunded', 'rejections']);
  const heads = [{ text: t('admin.report.since') }, ...names.map((name) => ({ text: t(`admin.report.course.${name}`), number: true }))];
  const rows = parts.map((part) => [
    time(part.since, 'exact'),
    ...names.map((name) => (name === 'paid' ? money(part[name]) : number(part[name]))),
  ]);
  return el('details', { class: 'more' }, el('summary', null, t('admin.report.numbers')), table(t('admin.report.numbers'), heads, rows));
}

/** What the figures mean, and their limits. */
const meaning = () =>
  el(
    'ul',
    { class: 'meaning' },
    ['written', 'waits', 'people', 'away', 'money', 'loss'].map((name) => el('li', null, t(`admin.report.meaning.${name}`))),
  );

/** How long to wait before the next look for newer figures, in ms. */
const LOOK_AGAIN = 2000;

/**
 * Reads the report. Until its first figures are computed, shows that they are.
 * @param {HTMLElement} place @param {string} path
 * @returns {Promise<Report | null>} null if the tab was left meanwhile
 */
async function readReport(place, path) {
  for (;;) {
    try {
      return await get(path);
    } catch (error) {
      if (OnsaleError.from(error).code !== 'report_pending') throw error;
    }
    const text = el('p', { class: 'muted', role: 'status' }, t('admin.report.pending'));
    setChildren(place, text);
    await pause(LOOK_AGAIN);
    if (!text.isConnected) return null;
  }
}

/** @type {import('./schedule.js').Tab} */
export async function reportPart(place, { schedule, concert }) {
  const path = `/v1/admin/schedules/${schedule.id}/report`;
  const report = await readReport(place, path);
  if (report === null) return;
  const csv = el('button', { type: 'button', class: 'button quiet' }, t('admin.report.csv'));
  csv.addEventListener('click', () => runOnce(csv, () => download(`${path}.csv`, `onsale-schedule-${schedule.id}.csv`)));
  const print = el('button', { type: 'button', class: 'button quiet', on: { click: () => window.print() } }, t('admin.report.print'));
  const again = el('button', { type: 'button', class: 'button' }, t('admin.report.again'));
  again.addEventListener('click', () => runOnce(again, async () => void (await reportPart(place, { schedule, concert }))));
  const article = el(
    'article',
    { class: 'report' },
    reportHead(report),
    mainFigures(report),
    card(t('admin.report.course'), overTime(report)),
    card(t('admin.report.waits'), waitsTable(report)),
    joiningCard(report),
    peopleCard(report),
    card(t('admin.report.became'), outcomesTable(report.line)),
    card(t('admin.report.sales'), salesTables(report)),
    paymentsCard(report),
    card(t('admin.report.away'), rejectionsTable(report.rejections)),
    predictionCard(report),
    card(t('admin.report.meaning'), meaning()),
  );
  const tools = may('box_office') && el('div', { class: 'report-tools' }, exportsCard(schedule.id), refundCard(schedule));
  setChildren(place, el('div', { class: 'actions report-actions' }, print, csv, again), article, tools);
  if (report.updating) void showNewer(place, { schedule, concert }, article, report.computed_at);
}

/**
 * Shows newer figures once they are computed, unless the tab was left or the report read again meanwhile.
 * @param {HTMLElement} place @param {import('./schedule.js').Sale} sale
 * @param {HTMLElement} article @param {string} computedAt
 */
async function showNewer(place, sale, article, computedAt) {
  for (;;) {
    await pause(LOOK_AGAIN);
    if (!article.isConnected) return;
    try {
      /** @type {Report} */
      const newer = await get(`/v1/admin/schedules/${sale.schedule.id}/report`);
      if (newer.computed_at === computedAt && newer.updating) continue;
      if (article.isConnected) await reportPart(place, sale);
    } catch {
      // The figures that are shown stay.
    }
    return;
  }
}
