// @ts-check
/** The report of a sale: what it came to, to be read, printed, and taken along as CSV. */
import { el, fill } from '../lib/dom.js';
import { decimal, duration, has, money, number, t, time } from '../lib/text.js';
import { card, doing, figure, table } from './parts.js';
import { bars } from './report-drawing.js';
import { download, get } from './service.js';


/** A length of time, fine where it is short. @param {number | null} seconds */
const span = (seconds) => (seconds === null ? '–' : seconds < 60 ? t('admin.seconds', { value: decimal(seconds) }) : duration(seconds));
/** A part of a whole. @param {number} part @param {number} whole */
const share = (part, whole) => (whole > 0 ? t('admin.percent', { value: decimal((100 * part) / whole) }) : '');

/** @param {any} report */
function about(report) {
  const rows = ['queue_opens_at', 'reservation_available_at', 'deadline_at', 'concert_at'].map((name) => [name, report[name]]);
  return el(
    'header',
    { class: 'report-head' },
    el('h2', { dir: 'auto' }, t('admin.report.of', { title: report.title })),
    el('p', { class: report.settled ? 'strip strip-good' : 'strip strip-warn' }, t(report.settled ? 'admin.report.settled' : 'admin.report.unsettled'), ' ', t('admin.report.made', { at: time(report.server_time) })),
    el('dl', { class: 'report-times' }, rows.flatMap(([name, at]) => [el('dt', null, has(`admin.time.${name}`) ? t(`admin.time.${name}`) : t(`admin.setting.${name}`)), el('dd', null, time(at))])),
  );
}

/** @param {any} report */
function main({ line, waits, sales, turned_away: away }) {
  const refused = away.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.times, 0);
  return el(
    'dl',
    { class: 'figures figures-big' },
    figure(t('admin.report.joined'), number(line.joined), t('admin.report.people', { n: line.people })),
    figure(t('admin.report.admitted'), number(line.admitted), share(line.admitted, line.joined)),
    figure(t('admin.report.median'), span(waits.percentiles.find((/** @type {any} */ one) => one.percent === 50)?.seconds ?? null), t('admin.report.longest.of', { longest: span(waits.longest_seconds) })),
    figure(t('admin.report.sold'), number(sales.sold), t('admin.report.seats.of', { n: sales.seats })),
    figure(t('admin.report.revenue'), money(sales.revenue), t('admin.report.buyers', { n: sales.buyers })),
    figure(t('admin.report.refused'), number(refused), t('admin.report.requests')),
  );
}

/** @param {any} line */
function ends(line) {
  const rows = [
    ['completed', line.completed], ['expired_inside', line.expired_inside], ['left_inside', line.left_inside],
    ['expired_waiting', line.expired_waiting], ['left_waiting', line.left_waiting], ['waiting', line.waiting], ['inside', line.inside],
  ];
  const heads = [{ text: t('admin.report.became') }, { text: t('admin.report.places'), number: true }, { text: t('admin.report.share'), number: true }];
  return table(t('admin.report.became'), heads, rows.map(([name, value]) => [t(`admin.report.end.${name}`), number(/** @type {number} */ (value)), share(/** @type {number} */ (value), line.joined)]));
}

/** @param {any} report */
function waitsTable({ line, waits, waits_from_opening: opening }) {
  const heads = [{ text: t('admin.report.waited') }, { text: t('admin.report.fromjoin'), number: true }, { text: t('admin.report.fromopen'), number: true }];
  const percentiles = waits.percentiles.map((/** @type {any} */ one, /** @type {number} */ at) => [t('admin.report.percentile', { percent: one.percent }), span(one.seconds), span(opening.percentiles[at]?.seconds ?? null)]);
  const rows = [...percentiles, [t('admin.report.longest'), span(waits.longest_seconds), span(opening.longest_seconds)], [t('admin.report.mean'), span(waits.mean_seconds), span(opening.mean_seconds)]];
  return [table(t('admin.report.waits'), heads, rows), el('p', { class: 'hint' }, t('admin.report.invain', { longest: span(line.longest_in_vain_seconds) }))];
}

/** @param {any} report */
function salesTables({ sales, sections }) {
  const states = ['sold', 'blocked', 'held', 'refunded', 'expired', 'cancelled'];
  const heads = ['section', 'seats', 'blocked', 'sold', 'share', 'revenue'].map((name, at) => ({ text: t(`admin.report.head.${name}`), number: at > 0 }));
  return [
    el('dl', { class: 'figures' }, states.map((name) => figure(t(`admin.report.seat.${name}`), number(sales[name]))), figure(t('admin.report.refunds'), money(sales.refunds))),
    table(t('admin.report.sections'), heads, sections.map((/** @type {any} */ one) => [one.section, number(one.seats), number(one.blocked), number(one.sold), share(one.sold, one.seats), money(one.revenue)])),
  ];
}

/** @param {any[]} away */
function awayTable(away) {
  if (away.length === 0) return el('p', { class: 'muted' }, t('admin.report.noaway'));
  const why = (/** @type {string} */ code) => (has(`admin.why.${code}`) ? t(`admin.why.${code}`) : code);
  const heads = [{ text: t('admin.report.wanted') }, { text: t('admin.report.why') }, { text: t('admin.report.times'), number: true }];
  return table(t('admin.report.away'), heads, away.map(({ wanted, reason, times }) => [t(`admin.wanted.${wanted}`), why(reason), number(times)]));
}

/** @param {any} report */
function course({ course: parts, interval_seconds: seconds }) {
  if (parts.length === 0) return el('p', { class: 'muted' }, t('admin.report.nothing'));
  const line = (/** @type {string} */ name, /** @type {number} */ colour) => ({ name, colour, label: t(`admin.report.course.${name}`) });
  return [
    el('p', { class: 'hint' }, t('admin.report.interval', { span: span(seconds) })),
    bars(t('admin.report.course.people'), parts, seconds, [line('joined', 1), line('admitted', 2)]),
    bars(t('admin.report.course.seats'), parts, seconds, [line('sold', 3), line('refunded', 5)]),
    bars(t('admin.report.course.away'), parts, seconds, [line('turned_away', 4)]),
    courseTable(parts),
  ];
}

/** The same in numbers. @param {any[]} parts */
function courseTable(parts) {
  const names = ['joined', 'admitted', 'sold', 'paid', 'refunded', 'turned_away'];
  const heads = [{ text: t('admin.report.since') }, ...names.map((name) => ({ text: t(`admin.report.course.${name}`), number: true }))];
  const rows = parts.map((part) => [time(part.since, 'exact'), ...names.map((name) => (name === 'paid' ? money(part[name]) : number(part[name])))]);
  return el('details', { class: 'more' }, el('summary', null, t('admin.report.numbers')), table(t('admin.report.numbers'), heads, rows));
}

/** What the figures mean, and what they don't. */
const meaning = () => el('ul', { class: 'meaning' }, ['written', 'waits', 'people', 'away', 'money', 'loss'].map((name) => el('li', null, t(`admin.report.meaning.${name}`))));

/** @type {import('./schedule.js').Tab} */
export async function reportPart(place, { schedule, concert }) {
  const path = `/v1/admin/schedules/${schedule.id}/report`;
  const report = await get(path);
  const csv = el('button', { type: 'button', class: 'button quiet' }, t('admin.report.csv'));
  csv.addEventListener('click', () => doing(csv, () => download(`${path}.csv`, `onsale-schedule-${schedule.id}.csv`)));
  const print = el('button', { type: 'button', class: 'button quiet', on: { click: () => window.print() } }, t('admin.report.print'));
  const again = el('button', { type: 'button', class: 'button' }, t('admin.report.again'));
  again.addEventListener('click', () => doing(again, async () => void (await reportPart(place, { schedule, concert }))));
  fill(
    place,
    el('div', { class: 'actions report-actions' }, print, csv, again),
    el(
      'article',
      { class: 'report' },
      about(report),
      main(report),
      card(t('admin.report.course'), course(report)),
      card(t('admin.report.waits'), waitsTable(report)),
      card(t('admin.report.became'), ends(report.line)),
      card(t('admin.report.sales'), salesTables(report)),
      card(t('admin.report.away'), awayTable(report.turned_away)),
      card(t('admin.report.meaning'), meaning()),
    ),
  );
}
