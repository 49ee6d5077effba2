// @ts-check
/** The live view of a sale: status, figures, charts, admission controls and the next in the queue. */
import { el, setChildren, setText } from '../lib/dom.js';
import { decimal, duration, money, number, t } from '../lib/text.js';
import { chartsCard } from './charts-card.js';
import { admissionControls } from './controls.js';
import { follow, isQueueDataOld, sumRates } from './feed.js';
import { nextInQueue } from './next-in-queue.js';
import { may } from './role.js';
import { admissionStatus } from './status.js';

/** @typedef {import('./feed.js').Stats} Stats */
/** @typedef {import('./series.js').SaleSeries} SaleSeries */

/**
 * The tiles: a name, its figure, and a note.
 * @type {[string, (stats: Stats, series: SaleSeries) => (string | null), (stats: Stats) => string][]}
 */
const TILES = [
  ['waiting', (stats) => number(stats.waiting + stats.returned), (stats) => t('admin.tile.parked', { n: stats.parked })],
  ['inside', (stats) => number(stats.active), (stats) => t('admin.tile.of', { n: stats.in_force.capacity })],
  ['joins', (_, { values }) => lastText(values.joins), (stats) => t('admin.tile.all', { n: stats.joined_total })],
  [
    'admissions',
    (_, { values }) => lastText(values.admissions),
    (stats) =>
      t('admin.tile.eta', {
        eta: stats.eta_seconds === null ? t('admin.unknown') : stats.eta_seconds === 0 ? t('admin.tile.now') : duration(stats.eta_seconds),
      }),
  ],
  ['held', (stats) => number(stats.held), (stats) => t('admin.tile.free', { n: stats.seats.available })],
  [
    'sold',
    (stats) => number(stats.sold),
    (stats) =>
      t('admin.tile.share', { percent: decimal(stats.seats.total > 0 ? (100 * stats.sold) / stats.seats.total : 0), n: stats.seats.total }),
  ],
  ['revenue', (stats) => money(stats.revenue), () => t('admin.tile.revenue.note')],
  ['p99', (stats) => slowestText(stats), () => t('admin.tile.p99.note')],
  [
    'errors',
    (stats) => decimalOrNull(sumRates(stats, 'errors_per_second')),
    (stats) => t('admin.tile.limited', { value: decimalOrNull(sumRates(stats, 'limited_per_second')) ?? '–' }),
  ],
  ['refused', (stats) => number(stats.rejections), () => t('admin.tile.refused.note')],
];
/** The tiles whose figures come from Redis, unknown while it does not respond. */
const FROM_REDIS = ['waiting', 'inside', 'joins', 'admissions'];

/** The tiles whose figures are in the bar of a small screen. */
const BAR = ['waiting', 'inside', 'sold'];

/** @param {number | null | undefined} value */
const decimalOrNull = (value) => (value === null || value === undefined ? null : decimal(value));
/** @param {(number | null)[]} values */
const lastText = (values) => decimalOrNull(values.at(-1));

/** The slowest p99 of the calls that buyers wait for. @param {Stats} stats */
function slowestText(stats) {
  const all = stats.all_answers.filter(({ call }) => ['join', 'hold', 'pay'].includes(call)).map(({ p99_ms }) => p99_ms);
  const found = all.filter((value) => value !== null);
  return found.length > 0 ? t('admin.ms', { value: decimal(Math.max(...found)) }) : null;
}

function tiles() {
  const made = TILES.map(([name]) => {
    const [value, note] = [el('strong', null, '–'), el('span', { class: 'kpi-note' }, ' ')];
    return {
      value,
      note,
      element: el('div', { class: 'kpi', id: `tile-${name}` }, el('dt', null, t(`admin.tile.${name}`)), el('dd', null, value, note)),
    };
  });
  return {
    element: el(
      'dl',
      { class: 'kpis' },
      made.map(({ element }) => element),
    ),
    /** The figure that a tile shows now. @param {string} name */
    text: (name) => made[TILES.findIndex(([tile]) => tile === name)]?.value.textContent ?? '–',
    /** @param {Stats} stats @param {SaleSeries} series */
    show: (stats, series) => {
      const queueIsOld = isQueueDataOld(stats);
      TILES.forEach(([name, figure, note], at) => {
        const unknown = queueIsOld && FROM_REDIS.includes(name);
        setText(made[at].value, (unknown ? null : figure(stats, series)) ?? '–');
        setText(made[at].note, unknown ? t('admin.unknown') : note(stats));
        made[at].element.classList.toggle('kpi-alarm', name === 'errors' && (sumRates(stats, 'errors_per_second') ?? 0) > 0);
      });
    },
  };
}

/**
 * The bar at the bottom of a small screen: the figures that matter, and the button that pauses or resumes.
 * @param {HTMLButtonElement | null} button
 */
function bottomBar(button) {
  const figures = BAR.map((name) => ({ name, value: el('dd', null, '–') }));
  return {
    element: el(
      'div',
      { class: 'live-bar', role: 'group', 'aria-label': t('admin.bar') },
      el(
        'dl',
        null,
        figures.map(({ name, value }) => el('div', null, el('dt', null, t(`admin.tile.${name}`)), value)),
      ),
      button,
    ),
    /** @param {(name: string) => string} text */
    show: (text) => {
      for (const { name, value } of figures) setText(value, text(name));
    },
  };
}

/** @type {import('./schedule.js').Tab} */
export function livePart(place, { schedule, onPhase }) {
  const ending = new AbortController();
  if (schedule.seats.total === 0) {
    return setChildren(
      place,
      el(
        'p',
        { class: 'strip strip-warn' },
        t('admin.block.NO_SEATS'),
        ' ',
        may('admin') && el('a', { href: `#/schedules/${schedule.id}/venue` }, t('admin.venue.make')),
      ),
    );
  }
  const [top, figures] = [admissionStatus(ending.signal), tiles()];
  const control = may('operator') ? admissionControls(schedule.id) : null;
  const drawn = chartsCard(schedule);
  const next = nextInQueue(schedule.id, ending.signal);
  const bar = bottomBar(control?.quick ?? null);
  setChildren(
    place,
    top.element,
    figures.element,
    el('div', { class: control ? 'live' : 'live-main' }, control?.element, el('div', { class: 'live-main' }, drawn.element, next)),
    bar.element,
  );
  const onNews = (/** @type {import('./feed.js').News} */ news, /** @type {SaleSeries} */ series) => {
    top.show(news);
    place.classList.toggle('is-old', news.state === 'stale' || news.state === 'lost');
    place.classList.toggle('is-live', news.state === 'live');
    drawn.show(series);
    if (!news.stats) return;
    onPhase?.(news.stats.phase);
    figures.show(news.stats, series);
    bar.show(figures.text);
    control?.show(news.stats);
  };
  follow(schedule.id, onNews, ending.signal, drawn);
  return () => {
    ending.abort();
    drawn.end();
  };
}
