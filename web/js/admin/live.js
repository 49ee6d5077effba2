// @ts-check
/** The live view of a sale: status, figures, charts, admission controls and the next in the queue. */
import { announce } from '../lib/announce.js';
import { el, setChildren, setText, setAttribute } from '../lib/dom.js';
import { decimal, duration, money, number, t, time } from '../lib/text.js';
import { charts } from './charts.js';
import { admissionControls } from './controls.js';
import { follow, isQueueDataOld, sumRates } from './feed.js';
import { nextInQueue, admissionText } from './next-in-queue.js';
import { may } from './role.js';

/** @typedef {import('./feed.js').Stats} Stats */
/** @typedef {import('../onsale/types.d.ts').NextInQueue} NextInQueue */

/**
 * The tiles: a name, its figure, and a note.
 * @type {[string, (stats: Stats, history: import('./feed.js').History) => (string | null), (stats: Stats) => string][]}
 */
const TILES = [
  ['waiting', (stats) => number(stats.waiting + stats.returned), (stats) => t('admin.tile.parked', { n: stats.parked })],
  ['inside', (stats) => number(stats.active), (stats) => t('admin.tile.of', { n: stats.in_force.capacity })],
  ['joins', (_, history) => lastText(history.joins), (stats) => t('admin.tile.all', { n: stats.joined_total })],
  [
    'admissions',
    (_, history) => lastText(history.admissions),
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

/** @param {number | null | undefined} value */
const decimalOrNull = (value) => (value === null || value === undefined ? null : decimal(value));
/** @param {(number | null)[]} values */
const lastText = (values) => decimalOrNull(values.at(-1));

/** The slowest p99 of the calls that buyers wait for. @param {Stats} stats */
function slowestText(stats) {
  const all = stats.answers.filter(({ call }) => ['join', 'hold', 'pay'].includes(call)).map(({ p99_ms }) => p99_ms);
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
    /** @param {Stats} stats @param {import('./feed.js').History} history */
    show: (stats, history) => {
      const queueIsOld = isQueueDataOld(stats);
      TILES.forEach(([name, figure, note], at) => {
        const unknown = queueIsOld && FROM_REDIS.includes(name);
        setText(made[at].value, (unknown ? null : figure(stats, history)) ?? '–');
        setText(made[at].note, unknown ? t('admin.unknown') : note(stats));
        made[at].element.classList.toggle('kpi-alarm', name === 'errors' && (sumRates(stats, 'errors_per_second') ?? 0) > 0);
      });
    },
  };
}

/** The state of admission as a sentence, with the time of the data. */
function status() {
  const [text, fresh] = [el('strong', { class: 'status-text' }), el('span', { class: 'status-fresh' })];
  const element = el('p', { class: 'status' }, el('span', { class: 'status-dot', 'aria-hidden': 'true' }), text, fresh);
  /** @type {NextInQueue | null} */
  let why = null;
  let before = '';
  return {
    element,
    /** @param {NextInQueue | null} answer */
    setAdmission: (answer) => {
      why = answer;
    },
    /** @param {import('./feed.js').News} news */
    show: ({ stats, state }) => {
      const [kind, sentence] = statusText(stats, state, why);
      setAttribute(element, 'data-kind', kind);
      setText(text, sentence);
      setText(fresh, stats ? t('admin.asof', { at: time(isQueueDataOld(stats) ? stats.line_as_of : stats.server_time, 'exact') }) : '');
      // Only a new kind of trouble is announced.
      if (kind !== before && kind !== 'flowing') announce(sentence, { now: true });
      before = kind;
    },
  };
}

/** @param {Stats | null} stats @param {import('./feed.js').State} state @param {NextInQueue | null} why @returns {[string, string]} */
function statusText(stats, state, why) {
  if (state === 'lost') return ['bad', t('admin.status.lost')];
  if (state === 'stale') return ['bad', t('admin.status.stale')];
  if (!stats) return ['idle', t('admin.status.connecting')];
  if (isQueueDataOld(stats)) return ['bad', t('admin.status.redis')];
  if (stats.recovering) return ['bad', t('admin.status.recovering')];
  if (stats.in_force.paused) return ['paused', t('admin.block.PAUSED')];
  if (!why) return ['idle', t(`admin.phase.${stats.phase}`)];
  const found = { ...why, blocked_by: correctedBlock(why.blocked_by, stats) };
  if (found.blocked_by === null) return ['flowing', t('admin.status.flowing', { n: stats.in_force.admit_per_second })];
  return [['EMPTY', 'FULL', 'UPCOMING', 'SOLD_OUT', 'CLOSED'].includes(found.blocked_by) ? 'idle' : 'paused', admissionText(found)];
}

/**
 * Corrects the reason why nobody is admitted by newer figures, since the reason is loaded less often.
 * @param {NextInQueue['blocked_by']} block @param {Stats} stats
 * @returns {NextInQueue['blocked_by']}
 */
function correctedBlock(block, stats) {
  const { paused, capacity } = stats.in_force;
  const outdated = (block === 'PAUSED' && !paused) || (block === 'NO_CAPACITY' && capacity > 0);
  if (block !== null && block !== 'EMPTY' && block !== 'FULL' && !outdated) return block;
  if (stats.waiting + stats.returned === 0) return 'EMPTY';
  return stats.active >= capacity ? 'FULL' : null;
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
  const [top, figures, drawn] = [status(), tiles(), charts()];
  const control = may('operator') ? admissionControls(schedule.id) : null;
  const next = nextInQueue(schedule.id, ending.signal, top.setAdmission);
  setChildren(
    place,
    top.element,
    figures.element,
    el(
      'div',
      { class: control ? 'live' : 'live-main' },
      control?.element,
      el('div', { class: 'live-main' }, el('section', { class: 'card' }, el('h2', null, t('admin.charts')), drawn.element), next),
    ),
  );
  const onNews = (/** @type {import('./feed.js').News} */ news, /** @type {import('./feed.js').History} */ history) => {
    top.show(news);
    place.classList.toggle('is-old', news.state === 'stale' || news.state === 'lost');
    place.classList.toggle('is-live', news.state === 'live');
    drawn.show(history);
    if (!news.stats) return;
    onPhase?.(news.stats.phase);
    figures.show(news.stats, history);
    control?.show(news.stats);
  };
  follow(schedule.id, onNews, ending.signal);
  return () => {
    ending.abort();
    drawn.end();
  };
}
